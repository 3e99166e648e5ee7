"""Runbooks as HTML: GitHub Flavored Markdown, sections, headings, tables and tasks, and nothing hostile."""

import contextlib
import itertools
import re
from html.parser import HTMLParser

import cmarkgfm
import pytest

from runbooks.domain.comparison import compare
from runbooks.domain.rendering import ATTRIBUTES, TAGS, TooComplexError, render, render_note
from runbooks.domain.runbook_text import normalize_runbook
from runbooks.services import TextTooLargeError, normalize_markdown
from tests.each import each
from tests.runbooks.payloads import BOMBS, SCRIPTS
from tests.runbooks.samples import SAMPLES

# What the renderer itself adds, beside what it lets through.
ADDED = {
    "div": {"class", "tabindex", "role", "aria-label"},
    "figure": {"class", "data-evidence", "data-name"},
    "figcaption": set(),
    "span": {"class", "aria-hidden"},
    "pre": {"tabindex", "data-language"},
    "h2": {"id"},
    "li": {"class"},
}


class Reader(HTMLParser):
    """Reads what a browser would read, and notes whatever is not on the list."""

    def __init__(self):
        super().__init__()
        self.wrong = []
        self.headings = []

    def handle_starttag(self, tag, attributes):
        if tag not in (TAGS - {"input", "img"}) | set(ADDED):
            self.wrong.append(tag)
        if tag in {"h1", "h2", "h3", "h4", "h5", "h6"}:
            self.headings.append(int(tag[1]))
        for name, value in attributes:
            # Evidence blocks are figures instead.
            if name == "data-meta" or name not in ATTRIBUTES.get(tag, set()) | ADDED.get(tag, set()) | (
                {"rel"} if tag == "a" else set()
            ):
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


@each("payload", SCRIPTS)
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


class CodeReader(HTMLParser):
    """Collects the texts of code blocks and counts list items."""

    def __init__(self):
        super().__init__()
        self.blocks = []
        self.items = 0
        self.inside = False

    def handle_starttag(self, tag, attributes):
        self.items += tag == "li"
        if tag == "pre":
            self.inside = True
            self.blocks.append("")

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "pre"

    def handle_data(self, data):
        if self.inside:
            self.blocks[-1] += data


def code_and_items(text):
    reader = CodeReader()
    reader.feed(text)
    return reader.blocks, reader.items


@pytest.mark.parametrize("markdown", SAMPLES.values(), ids=SAMPLES)
def test_runbooks_keep_their_code_and_lists_as_on_github(markdown):
    page = render(normalize_runbook(markdown)).html
    assert code_and_items(page) == code_and_items(cmarkgfm.github_flavored_markdown_to_html(markdown))
    assert read(page).wrong == []


def test_bare_links_strikethrough_and_footnotes_work_as_on_github():
    page = render("See https://e.org ~~now~~.[^1]\n\n[^1]: A note.").html
    assert 'href="https://e.org"' in page
    assert "<del>now</del>" in page
    assert 'href="#section-1-fn-1"' in page
    assert 'id="section-1-fn-1"' in page


def test_an_image_becomes_a_link_with_its_description():
    assert (
        '<a href="https://e.org/x.png" rel="noopener noreferrer">Load graph</a>'
        in render("![Load graph](https://e.org/x.png)").html
    )
    badge = render("[![Build](https://e.org/b.svg)](https://e.org)").html
    assert badge == '<p><a href="https://e.org" rel="noopener noreferrer">Build</a></p>'


# Hostile sizes


def test_over_64_kib_is_refused_before_rendering():
    with pytest.raises(TextTooLargeError, match="65,537"):
        normalize_markdown("x" * 65_537)
    assert normalize_markdown("x" * 65_536)


def check_bombs():
    """Render every bomb: each is rendered or refused, and the next ordinary text is rendered."""
    for bomb in BOMBS:
        with contextlib.suppress(TooComplexError):
            render(bomb)
        assert render("**fine**").html == "<p><strong>fine</strong></p>"


def test_every_hostile_text_is_rendered_or_refused():
    check_bombs()


@pytest.mark.parametrize(
    "text", ["> " * 500 + "a", "<b>" * 500, "".join(f"{'  ' * depth}- a\n" for depth in range(250))]
)
def test_deep_nesting_is_refused_with_the_limit(text):
    with pytest.raises(TooComplexError, match="more than 200 levels"):
        render(text)


def test_a_thousand_sections_are_the_limit():
    assert len(render("### x\n" * 1000).sections) == 1000
    with pytest.raises(TooComplexError, match="1,001 sections"):
        render("### x\n" * 1001)


# Comparison


def test_the_same_texts_have_no_rows():
    assert compare("a\nb", "a\nb") == ()


def test_line_ends_are_no_difference():
    assert compare("a\r\nb", "a\nb") == ()
    assert [row.kind for row in compare("a\nb", "a\r\nc")] == ["same", "changed"]


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
    assert compare(old, old[: len(old) // 2] + "new\n" + old[len(old) // 2 :])


def test_both_texts_can_be_read_back_from_the_rows():
    old, new = "a\nb\nc\nd", "a\nx\nc\ne\nf"
    rows = compare(old, new)
    assert "\n".join("".join(t for t, _ in row.old_spans) for row in rows if row.old_number) == old
    assert "\n".join("".join(t for t, _ in row.new_spans) for row in rows if row.new_number) == new


@each(
    ("note", "html"),
    [
        ("a\nb", "<p>a<br>\nb</p>"),
        ("Since <six>.", "<p>Since &lt;six&gt;.</p>"),
        ("x < y && `a < b`", "<p>x &lt; y &amp;&amp; <code>a &lt; b</code></p>"),
        ("```\n<b>\n```", '<pre tabindex="0"><code>&lt;b&gt;\n</code></pre>'),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        (
            "<https://a.example/x>",
            '<p><a href="https://a.example/x" rel="noopener noreferrer">https://a.example/x</a></p>',
        ),
        (
            "see https://a.example.",
            '<p>see <a href="https://a.example" rel="noopener noreferrer">https://a.example</a>.</p>',
        ),
        ("[x](javascript:alert)", '<p><a rel="noopener noreferrer">x</a></p>'),
        ("\ue000b\ue000", "<p>b</p>"),
    ],
)
def test_a_note_keeps_lines_and_shows_tags_as_text(note, html):
    assert render_note(note) == html


def test_the_footnotes_of_two_notes_have_ids_of_their_own():
    notes = [render_note("a[^1]\n\n[^1]: b", number=number) for number in (1, 2)]
    ids = [set(re.findall(r'id="([^"]*)"', note)) for note in notes]
    assert ids[0] & ids[1] == set()
