"""The steps of a runbook are what its page shows under "Troubleshooting Steps"."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbooks.domain.rendering import render
from runbooks.domain.runbook_text import normalize_runbook
from runbooks.domain.steps import runbook_steps
from tests.each import each
from tests.runbooks.samples import SAMPLES

TITLE = "### Troubleshooting Steps\n\n"


def steps(markdown):
    return runbook_steps(render(normalize_runbook(markdown)).html)


def texts(markdown):
    return tuple(step.text for step in steps(markdown))


@each(
    ("markdown", "expected"),
    [
        ("", ()),
        ("### Purpose\n\n1. no step\n", ()),
        ("### Troubleshooting Steps\n\nCall somebody.\n", ()),
        ("### Troubleshooting Steps\n1. One.\n2. Two.\n", ("One.", "Two.")),
        ("### troubleshooting steps:\r\n\r\n- One.\r\n- Two.\r\n", ("One.", "Two.")),
        (
            "### Troubleshooting Steps\n1. One runs\n   on.\n\n2. Two.\n\n### Metrics\n1. Not this.\n",
            ("One runs on.", "Two."),
        ),
        ("### Troubleshooting Steps\n1. One.\n   - a\n   - b\n2. Two.\n", ("One. – a – b", "Two.")),
        ("### Troubleshooting Steps\n1. One.\n\nThen:\n\n1. Two.\n", ("One.", "Two.")),
        ("### Troubleshooting Steps\n```\n1. code\n```\n1. One.\n", ("One.",)),
    ],
)
def test_steps_are_the_list_items_of_their_section(markdown, expected):
    assert texts(markdown) == expected


def test_a_step_has_its_paragraphs_code_links_and_sub_steps():
    markdown = f"{TITLE}1. Look at [the load](https://e.org):\n\n   ```sh\n   make load\n   ```\n\n   Then wait.\n   - a\n2. Rerun.\n"
    first, second = steps(markdown)
    assert 'href="https://e.org"' in first.html
    assert "<code>make load\n</code>" in first.html
    assert "<p>Then wait.</p>" in first.html
    assert "<li>a</li>" in first.html
    assert (second.html, second.text) == ("<p>Rerun.</p>", "Rerun.")


def test_headings_and_text_before_the_first_list_are_no_steps():
    assert texts(f"{TITLE}#### On call\n\nRead this.\n\n1. Act.\n") == ("Act.",)


def test_code_that_is_not_indented_stays_with_its_step():
    first, second = steps(f"{TITLE}1. Run this:\n\n```sh\nmake\n```\n\n2. Rerun.\n")
    assert "<code>make\n</code>" in first.html
    assert second.text == "Rerun."


def test_a_footnote_is_no_step_and_a_task_has_one_check_mark():
    assert texts(f"{TITLE}- [ ] Act.[^1]\n\n[^1]: A note.\n") == ("Act.1",)


class Items(HTMLParser):
    """Reads the items of the lists directly in the steps section, as a browser shows them."""

    def __init__(self):
        super().__init__()
        self.open = []
        self.title = ""
        self.is_title = self.is_steps = False
        self.texts = []

    def handle_starttag(self, tag, attributes):
        if tag == "h2":
            self.is_title, self.is_steps, self.title = True, False, ""
        elif tag not in ("br", "hr"):
            if self.is_steps and tag == "li" and len(self.open) == 1 and self.open[0] in ("ol", "ul"):
                self.texts.append("")
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag == "h2":
            self.is_title, self.is_steps = False, self.title.strip().lower() == "troubleshooting steps"
        else:
            self.open.pop()

    def handle_data(self, data):
        self.title += data if self.is_title else ""
        if self.is_steps and self.open[1:2] == ["li"] and self.open[0] in ("ol", "ul"):
            self.texts[-1] += data


def bare(text):
    for mark in ("Done:", "To do:", "☑", "☐", "–"):
        text = text.replace(mark, "")
    return "".join(text.split())


def check_page_and_steps_agree(markdown):
    page = render(normalize_runbook(markdown)).html
    items = Items()
    items.feed(page)
    shown = [text for text in map(bare, items.texts) if text]
    actual = [bare(step.text) for step in runbook_steps(page)]
    assert len(actual) == len(shown)
    assert all(step.startswith(text[:1000]) for step, text in zip(actual, shown, strict=True))


LINES = ["1. a", "2. b", "- c", "   - d", "  ```", "   ```sh", "```", "x < y", "#### h", "", "> q", "    e", "- [x] f", "| a |", "|---|", "<b>g", "[^1]", "[^1]: n", "Troubleshooting Steps\n---"]  # fmt: skip


@given(st.lists(st.sampled_from(LINES), max_size=14))
def test_page_and_checklist_agree(lines):
    check_page_and_steps_agree("### Troubleshooting Steps\n" + "\n".join(lines))


@pytest.mark.parametrize("markdown", SAMPLES.values(), ids=SAMPLES)
def test_page_and_checklist_agree_on_real_runbooks(markdown):
    check_page_and_steps_agree(markdown.replace("## Mitigation", "## Troubleshooting Steps"))
