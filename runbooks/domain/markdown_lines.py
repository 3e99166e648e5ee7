"""Split a handbook file into numbered lines: decode it, repair its text and mark code blocks."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from runbooks.domain.handbook_model import MAX_HANDBOOK_BYTES, HandbookError, HandbookErrors
from runbooks.domain.text_cleanup import mend

BYTE_ORDER_MARKS = {
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]|$)")
RULE = re.compile(r" {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}")
SETEXT = re.compile(r" {0,3}(=+|-+)[ \t]*")
UNDERLINE = re.compile(r" {0,3}-+[ \t]*")
ITEM = re.compile(r"([ \t]*)([-*+]|\d{1,9}[.)])(?:[ \t]+(.*))?", re.ASCII)
# Starts of blocks: the line before one of these is not a paragraph that continues.
BLOCK = re.compile(r"[ \t]*(?:$|[>|]|`{3}|~{3}|(?:[-*+]|#{1,6}|\d{1,9}[.)])(?:[ \t]|$))", re.ASCII)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the file with its number. `code` is True for lines of a fenced block, including its fences."""

    number: int
    text: str
    code: bool = False

    @property
    def is_blank(self) -> bool:
        """True if the line is empty or white space outside code."""
        return not self.code and not self.text.strip()

    @property
    def is_rule(self) -> bool:
        """True if the line is a thematic break (`---`)."""
        return not self.code and RULE.fullmatch(self.text) is not None

    @property
    def heading(self) -> tuple[int, str] | None:
        """The level and title of an ATX heading without closing hashes (CommonMark 0.31, §4.2), or None."""
        match = None if self.code else HEADING.match(self.text)
        return (len(match[1]), _without_closing(self.text[match.end() :])) if match else None

    @property
    def item(self) -> tuple[int, str, str] | None:
        """The indent, marker and text of a list item, or None."""
        match = None if self.code or self.is_rule else ITEM.fullmatch(self.text)
        return (len(match[1].expandtabs(4)), match[2], match[3] or "") if match else None


def decoded(data: bytes) -> str:
    """Return the decoded text of a file. Raise HandbookErrors if it is too large or not UTF-8."""
    if len(data) > MAX_HANDBOOK_BYTES:
        raise HandbookErrors([HandbookError(1, f"the file has {len(data):,} bytes", f"at most {MAX_HANDBOOK_BYTES:,}")])
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            raise HandbookErrors([HandbookError(1, f"the file is {encoding}", "UTF-8")])
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        number = len(_split(data[: error.start].decode("utf-8")))
        wrong = f"the byte 0x{data[error.start]:02X} is not UTF-8"
        raise HandbookErrors([HandbookError(number, wrong, "a file saved as UTF-8")]) from None


def split_lines(text: str) -> tuple[list[Line], Line | None]:
    """Return the lines of a text, repaired outside code, and the opening fence of an unclosed code block."""
    lines, opening = _with_code_marked(_split(text.replace("\ufeff", "")))
    return [line if line.code else replace(line, text=mend(line.text)) for line in lines], opening


def closing_fence(line: Line) -> str:
    """Return the backticks or tildes of a fence, which also close its block, or "" if the line is no fence."""
    match = FENCE.match(line.text)
    return match[1] if match else ""


def underlined_headings(lines: Sequence[Line]) -> dict[int, int]:
    """Return the levels of the underlined headings of one line, by their place (CommonMark 0.31, §4.3)."""
    levels = {}
    for place, (above, title, underline) in enumerate(zip([None, *lines], lines, lines[1:], strict=False)):
        match = None if title.code or underline.code else SETEXT.fullmatch(underline.text)
        starts = above is None or above.is_blank or above.is_rule or above.heading is not None or above.code
        is_code = title.text.expandtabs(4).startswith("    ")
        if match and starts and not (BLOCK.match(title.text) or title.is_rule or is_code):
            levels[place] = 1 if match[1][0] == "=" else 2
    return levels


def block_text(lines: Sequence[Line]) -> str:
    """Return lines as Markdown to store verbatim.

    Insignificant white space is removed: at line ends (except hard breaks), blank lines at the start and end, repeated
    blank lines, and trailing rules, which only separate parts of the file.
    """
    texts: list[str] = []
    blanks = 0
    lines = _without_edges(lines)
    for line, following in zip_longest(lines, lines[1:]):
        if line.is_blank:
            blanks += 1
            continue
        # An indented code block may contain any number of blank lines.
        texts += [""] * (blanks if line.text.expandtabs(4).startswith("    ") else min(blanks, 1))
        texts.append(line.text if line.code else _without_trailing_spaces(line, following=following))
        blanks = 0
    return "\n".join(texts)


def _split(text: str) -> list[str]:
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _with_code_marked(texts: list[str]) -> tuple[list[Line], Line | None]:
    """Return the lines with fenced code marked (CommonMark 0.31, §4.5), and the opening fence of an unclosed block."""
    lines: list[Line] = []
    opening: Line | None = None
    fence = ""
    for number, text in enumerate(texts, start=1):
        match = FENCE.fullmatch(text)
        lines.append(Line(number, text, code=opening is not None))
        if match is None:
            continue
        if opening is None and ("`" not in match[2] or match[1][0] == "~"):
            lines[-1] = opening = Line(number, text, code=True)
            fence = match[1]
        elif opening is not None and match[1].startswith(fence) and not match[2].strip(" \t"):
            opening = None
    return lines, opening


def _without_closing(title: str) -> str:
    title = title.strip(" \t")
    end = hashes = len(title)
    while hashes:
        hashes = _before(title, end, marks="#")
        if hashes == end or (hashes and title[hashes - 1] not in " \t"):
            break
        end = _before(title, hashes, marks=" \t")
    return title[:end]


def _before(text: str, end: int, *, marks: str) -> int:
    """Return the start of the run of `marks` that ends at a position."""
    while end and text[end - 1] in marks:
        end -= 1
    return end


def _without_edges(lines: Sequence[Line]) -> Sequence[Line]:
    first, end = 0, len(lines)
    while first < end and lines[first].is_blank:
        first += 1
    while end > first and (lines[end - 1].is_blank or (lines[end - 1].is_rule and not _underlines(lines, end - 1))):
        end -= 1
    return lines[first:end]


def _underlines(lines: Sequence[Line], place: int) -> bool:
    """Return True if a row of dashes makes the paragraph above it a heading (CommonMark 0.31, §4.3)."""
    if not UNDERLINE.fullmatch(lines[place].text):
        return False
    first = place
    while first and not _ends_paragraph(lines[first - 1]):
        first -= 1
    return first < place and not BLOCK.match(lines[first].text)


def _ends_paragraph(line: Line) -> bool:
    return line.is_blank or line.code or line.is_rule or line.heading is not None


def _without_trailing_spaces(line: Line, *, following: Line | None) -> str:
    bare = line.text.rstrip(" \t")
    runs_on = following is not None and not (following.code or following.is_blank) and not BLOCK.match(following.text)
    return f"{bare}  " if bare and runs_on and line.text.endswith("  ") and not line.heading else bare
