"""Runbooks as HTML: sections, headings, tables, tasks; nothing hostile; nothing endless; a worker that may die."""

import contextlib
import itertools
import os
import re
import signal
import threading
import time
from html.parser import HTMLParser

import pytest

from runbooks import markdown_subprocess
from runbooks.domain.comparison import compare
from runbooks.domain.rendering import ATTRIBUTES, TAGS, render
from runbooks.markdown_subprocess import RenderingTimedOut, RunbookTooLarge, render_safely
from tests.runbooks.payloads import BOMBS, SCRIPTS

# What the renderer itself adds, beside what it lets through.
ADDED = {
    "div": {"class", "tabindex", "role", "aria-label"},
    "span": {"class", "aria-hidden"},
    "pre": {"tabindex"},
    "h2": {"id"},
}
SHORT_LIMIT = 0.5


class Reader(HTMLParser):
    """Reads what a browser would read, and notes whatever is not on the list."""

    def __init__(self):
        super().__init__()
        self.wrong = []
        self.headings = []

    def handle_starttag(self, tag, attributes):
        if tag not in (TAGS - {"input"}) | set(ADDED):
            self.wrong.append(tag)
        if tag in {"h1", "h2", "h3", "h4", "h5", "h6"}:
            self.headings.append(int(tag[1]))
        for name, value in attributes:
            if name not in ATTRIBUTES.get(tag, set()) | ADDED.get(tag, set()) | ({"rel"} if tag == "a" else set()):
                self.wrong.append((tag, name))
            address = re.sub(r"[\t\n\r]", "", value or "").strip().lower()  # as a browser reads an address
            scheme = re.match(r"[a-z][a-z0-9+.-]*:", address)
            if name == "href" and scheme and scheme[0] not in ("http:", "https:", "mailto:"):
                self.wrong.append((tag, name, value))
            if name == "id" and not value.startswith("section"):
                self.wrong.append((tag, name, value))

    handle_startendtag = handle_starttag

    def handle_comment(self, data):
        self.wrong.append(("comment", data))


def read(text):
    reader = Reader()
    reader.feed(text)
    reader.close()
    return reader


@pytest.mark.parametrize("payload", SCRIPTS)
def test_nothing_hostile_comes_through(payload):
    for text in (payload, f"### A\n\n{payload}\n\nb", f"- {payload}", f"> {payload}"):
        assert read(render(text).html).wrong == []


def test_there_are_many_hostile_texts():
    assert len(set(SCRIPTS)) >= 80
    assert len(set(BOMBS)) >= 23


def test_a_section_has_an_anchor_of_its_own_in_ascii():
    rendered = render("Before.\n\n### Zweck & Ziel\n\na\n\n### Zweck: Ziel\n\nb\n\n### 目的\n\nc")
    assert [part.title for part in rendered.sections] == ["", "Zweck & Ziel", "Zweck: Ziel", "目的"]
    anchors = [part.anchor for part in rendered.sections[1:]]
    assert anchors[:2] == ["section-zweck-ziel", "section-zweck-ziel-2"]
    assert all(anchor.isascii() for anchor in anchors)
    assert len(set(anchors)) == 3


@pytest.mark.parametrize(
    "text", ["# a\n\n### b\n\n###### c", "###### a", "### a\n\n<h1>b</h1>\n\n<h6>c</h6>", "## a\n#### b\n### c"]
)
def test_no_level_of_headings_is_left_out(text):
    levels = read(render(text).html).headings
    assert levels[0] in (2, 3)
    assert all(later <= earlier + 1 for earlier, later in itertools.pairwise(levels))


def test_a_table_keeps_the_alignment_of_its_columns_and_scrolls_by_keyboard():
    text = render("| a | b |\n|:--|--:|\n| 1 | 2 |").html
    assert '<td align="right">2</td>' in text
    assert 'tabindex="0"' in text


def test_a_task_says_in_words_whether_it_is_done():
    text = render("- [x] one\n- [ ] two").sections[0].text
    assert "Done: one" in text
    assert "To do: two" in text


def test_code_is_shown_as_it_is():
    assert "x&lt;1" in render("```python\nx<1\n```").html


def test_a_link_may_be_defined_in_another_section():
    assert 'href="https://e.org"' in render("### A\n\n[x][1]\n\n### B\n\n[1]: https://e.org").sections[0].html


def test_links_say_nothing_to_where_they_lead():
    assert 'rel="noopener noreferrer"' in render("[x](https://e.org)").html


# The process


def test_over_64_kib_is_refused_at_once():
    with pytest.raises(RunbookTooLarge, match="65,537"):
        render_safely("x" * 65_537)
    assert render_safely("x" * 65_536).sections


def check_bombs(*, limit_seconds):
    """Render every bomb: each is answered or refused about in time, and the next ordinary text is rendered."""
    for bomb in BOMBS:
        began = time.monotonic()
        with contextlib.suppress(RenderingTimedOut):
            render_safely(bomb, limit_seconds=limit_seconds)
        took = time.monotonic() - began
        assert took < limit_seconds + 1.5, f"{bomb[:20]!r} took {took:.1f} s"
        assert render_safely("**fine**").html == "<p><strong>fine</strong></p>"


def test_no_text_takes_longer_than_the_limit():
    check_bombs(limit_seconds=SHORT_LIMIT)


def test_a_killed_worker_is_replaced():
    render_safely("a")
    os.kill(markdown_subprocess._worker.process.pid, signal.SIGKILL)
    time.sleep(0.1)
    assert render_safely("b").html == "<p>b</p>"


def test_many_threads_get_their_own_answers():
    answers = {}

    def ask(name):
        answers[name] = [render_safely(f"{name}-{turn}").html for turn in range(20)]

    threads = [threading.Thread(target=ask, args=(name,)) for name in "abcdefgh"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {name: [f"<p>{name}-{turn}</p>" for turn in range(20)] for name in "abcdefgh"}


def test_a_forked_process_gets_a_worker_of_its_own():
    render_safely("parent")
    theirs = markdown_subprocess._worker.process.pid
    child = os.fork()
    if child == 0:
        good = render_safely("child").html == "<p>child</p>" and markdown_subprocess._worker.process.pid != theirs
        markdown_subprocess._worker.stop()
        os._exit(0 if good else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert render_safely("parent again").html == "<p>parent again</p>"
    assert markdown_subprocess._worker.process.pid == theirs


# Comparison


def test_the_same_texts_have_no_rows():
    assert compare("a\nb", "a\nb") == ()


def test_the_words_that_differ_are_marked():
    [row] = compare("Rerun the failed tasks", "Restart the failed tasks")
    assert row.kind == "changed"
    assert [text for text, changed in row.old_spans if changed] == ["Rerun"]
    assert [text for text, changed in row.new_spans if changed] == ["Restart"]


def test_long_unchanged_runs_are_skipped_and_numbers_are_right():
    old = [f"line {number}" for number in range(100)]
    rows = compare("\n".join(old), "\n".join([*old[:50], "new", *old[50:]]))
    assert [row.count for row in rows if row.kind == "skipped"] == [47, 47]
    [added] = [row for row in rows if row.kind == "added"]
    assert (added.new_number, added.new_spans) == (51, (("new", True),))
    after = rows[rows.index(added) + 1]
    assert (after.old_number, after.new_number) == (51, 52)


@pytest.mark.parametrize("piece", ["a\n", "a\nb\n", "\n", "x"])
def test_a_comparison_of_large_texts_is_quick(piece):
    old = (piece * 70_000)[:65_536]
    began = time.monotonic()
    assert compare(old, old[: len(old) // 2] + "new\n" + old[len(old) // 2 :])
    assert time.monotonic() - began < 3


def test_both_texts_can_be_read_back_from_the_rows():
    old, new = "a\nb\nc\nd", "a\nx\nc\ne\nf"
    rows = compare(old, new)
    assert "\n".join("".join(t for t, _ in row.old_spans) for row in rows if row.old_number) == old
    assert "\n".join("".join(t for t, _ in row.new_spans) for row in rows if row.new_number) == new
