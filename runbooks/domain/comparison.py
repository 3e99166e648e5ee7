"""Compare two texts line by line and mark the words that differ."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

# Comparison time is quadratic. Beyond these limits, whole blocks are shown as changed.
MAX_LINE_PAIRS = 4_000_000
MAX_WORDS = 400
CONTEXT_LINES = 3

Spans = tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the comparison.

    `kind` is same, removed, added, changed, or skipped (for `count` unchanged lines). A span is a piece of a line and
    True if it differs. Numbers are line numbers in each text.
    """

    kind: str
    old_number: int | None = None
    new_number: int | None = None
    old_spans: Spans = ()
    new_spans: Spans = ()
    count: int = 0


def compare(old: str, new: str) -> tuple[Row, ...]:
    """Return the rows that turn one text into the other, or no rows if the texts are equal."""
    # Browsers send CRLF; line ends are no difference.
    before, after = (text.replace("\r\n", "\n").replace("\r", "\n").split("\n") for text in (old, new))
    if before == after:
        return ()
    rows: list[Row] = []
    for tag, i1, i2, j1, j2 in _blocks(before, after):
        if tag == "equal":
            rows += _unchanged_rows(before, i1, i2, j1, first=not rows, last=i2 == len(before) and j2 == len(after))
        else:
            rows += _changed_rows(before[i1:i2], after[j1:j2], old_from=i1 + 1, new_from=j1 + 1)
    return tuple(rows)


def _blocks(before: list[str], after: list[str]) -> list[tuple[str, int, int, int, int]]:
    if len(before) * len(after) <= MAX_LINE_PAIRS:
        return list(SequenceMatcher(None, before, after, autojunk=False).get_opcodes())
    start = _common_length(before, after)
    end = min(_common_length(before[::-1], after[::-1]), min(len(before), len(after)) - start)
    blocks = [
        ("equal", 0, start, 0, start),
        ("replace", start, len(before) - end, start, len(after) - end),
        ("equal", len(before) - end, len(before), len(after) - end, len(after)),
    ]
    return [block for block in blocks if block[1] < block[2] or block[3] < block[4]]


def _common_length(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the number of equal lines at the start."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def _unchanged_rows(  # an unchanged block of lines
    lines: list[str], start: int, end: int, new_start: int, *, first: bool, last: bool
) -> Iterator[Row]:
    shift = new_start - start
    head = start if first else min(start + CONTEXT_LINES, end)
    tail = end if last else max(end - CONTEXT_LINES, head)
    yield from (_same_row(lines, at, shift) for at in range(start, head))
    if tail > head:
        yield Row("skipped", count=tail - head)
    yield from (_same_row(lines, at, shift) for at in range(tail, end))


def _same_row(lines: list[str], at: int, shift: int) -> Row:
    spans = ((lines[at], False),)
    return Row("same", at + 1, at + shift + 1, spans, spans)


def _changed_rows(before: list[str], after: list[str], *, old_from: int, new_from: int) -> Iterator[Row]:
    both = min(len(before), len(after))
    for at in range(both):
        old_spans, new_spans = _words(before[at], after[at])
        yield Row("changed", old_from + at, new_from + at, old_spans, new_spans)
    for at in range(both, len(before)):
        yield Row("removed", old_number=old_from + at, old_spans=((before[at], True),))
    for at in range(both, len(after)):
        yield Row("added", new_number=new_from + at, new_spans=((after[at], True),))


def _words(old: str, new: str) -> tuple[Spans, Spans]:
    before, after = re.findall(r"\w+|\s+|[^\w\s]", old), re.findall(r"\w+|\s+|[^\w\s]", new)
    if max(len(before), len(after)) > MAX_WORDS:
        return ((old, True),), ((new, True),)
    codes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    left = tuple(("".join(before[i1:i2]), tag != "equal") for tag, i1, i2, _, _ in codes if i1 < i2)
    right = tuple(("".join(after[j1:j2]), tag != "equal") for tag, _, _, j1, j2 in codes if j1 < j2)
    return left, right
