"""The steps of a runbook, taken from its rendered HTML: the page and a run's checklist cannot differ."""

import html
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

from people.domain.names import match_key
from runbooks.domain.evidence import EvidenceBlock, evidence_blocks, without_blocks

SECTION = match_key("Troubleshooting Steps")
MAX_TEXT_LENGTH = 2000
LISTS = {"ol", "ul"}
VOID_TAGS = {"br", "hr", "img", "input"}
# A run has its own check marks.
TASK_MARK = re.compile(r'<span aria-hidden="true">.</span><span class="visually-hidden">[^<]*</span>\s*')
ITEM_START = re.compile(r"<li\b[^>]*>")
EVIDENCE = re.compile(r'<figure class="evidence".*?</figure>', re.DOTALL)
BLOCK_TAG = re.compile(r"</?(?:p|ol|ul|h[1-6]|pre|table|t[dhr]|blockquote|br|hr|div)\b[^>]*>")


@dataclass(frozen=True, slots=True)
class Step:
    """A step: its sanitised HTML, and its plain text on one line, in which nested items follow a dash, without evidence blocks."""

    html: str
    text: str

    @property
    def instructions(self) -> str:
        """The HTML of the step without its evidence blocks."""
        return without_blocks(self.html)

    @property
    def blocks(self) -> tuple[EvidenceBlock, ...]:
        """The evidence blocks under the step."""
        return evidence_blocks(self.html)


@dataclass(slots=True)
class _Block:
    """A block directly in the section: its tag, its start tag and, for a list, its items."""

    tag: str
    start: str
    items: list[str] = field(default_factory=list)
    text: str = ""


def runbook_steps(rendered: str) -> tuple[Step, ...]:
    """Return the steps in a rendered runbook: the items of the lists in its section "Troubleshooting Steps".

    Blocks between two lists belong to the step above them if the second list continues the numbers of the first. Evidence blocks
    after the last list belong to its last step.
    """
    reader = _SectionReader()
    reader.feed(rendered)
    reader.close()
    items: list[str] = []
    between = ""
    for block in reader.blocks:
        if block.tag not in LISTS:
            between += block.text
            continue
        if items and f'start="{len(items) + 1}"' in block.start:
            items[-1] += between
        items += block.items
        between = ""
    if items:
        items[-1] += "".join(EVIDENCE.findall(between))
    steps = (TASK_MARK.sub("", item).strip() for item in items)
    return tuple(Step(html=step, text=text) for step in steps if (text := _plain(step)))


def _plain(step: str) -> str:
    spaced = BLOCK_TAG.sub(" ", ITEM_START.sub(" – ", without_blocks(step)).replace("</li>", " "))
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", spaced)).split())[:MAX_TEXT_LENGTH]


class _SectionReader(HTMLParser):
    """Collect the blocks of the steps section. The input is sanitised, so that its tags are balanced."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.blocks: list[_Block] = []
        self.open: list[str] = []
        self.title: list[str] | None = None
        self.is_steps = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        raw = self.get_starttag_text() or ""
        if tag == "h2":
            self.title = []
        elif self.is_steps:
            if not self.open:
                self.blocks.append(_Block(tag, raw))
            if tag == "li" and len(self.open) == 1 and self.open[0] in LISTS:
                self.blocks[-1].items.append("")
            else:
                self._write(raw)
            if tag not in VOID_TAGS:
                self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "h2":
            self.is_steps = match_key("".join(self.title or ())) == SECTION
            self.title, self.open = None, []
        elif self.is_steps and self.open:
            self.open.pop()
            ends_list = not self.open and tag in LISTS
            ends_item = tag == "li" and len(self.open) == 1 and self.open[0] in LISTS
            if not (ends_list or ends_item):
                self._write(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self._text(data)

    def handle_entityref(self, name: str) -> None:
        self._text(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._text(f"&#{name};")

    def _text(self, raw: str) -> None:
        if self.title is not None:
            self.title.append(html.unescape(raw))
        elif self.is_steps and self.open:
            self._write(raw)

    def _write(self, raw: str) -> None:
        block = self.blocks[-1]
        if block.tag not in LISTS:
            block.text += raw
        elif block.items:
            block.items[-1] += raw
