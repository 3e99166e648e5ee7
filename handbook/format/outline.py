"""The outline of a handbook file: its known parts, and the passages that import stores verbatim."""

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from people.domain.names import match_key
from runbooks.domain.handbook_model import (
    HANDOFF_TOPICS,
    HOLIDAY_POLICY,
    OWNERSHIP_END,
    OWNERSHIP_TABLE,
    OWNERSHIP_TITLE,
    ROTATION,
    RUNBOOKS,
    RUNBOOKS_END,
    RUNBOOKS_TITLE,
    SCHEDULE,
    SCHEDULE_END,
    SCHEDULE_TITLE,
    START,
    HandbookError,
    Passage,
    after_runbook,
)
from runbooks.domain.markdown_lines import Line, block_text
from runbooks.domain.runbook_text import forgotten_gap, runbook_title
from runbooks.domain.text_cleanup import quoted

PART_LEVEL = 1
PIECE_LEVEL = 2
# Each part's title, the position of a passage after its heading, and the position of a passage after the whole part.
PARTS = {
    match_key(title): (title, place, end)
    for title, place, end in (
        (OWNERSHIP_TITLE, OWNERSHIP_TABLE, OWNERSHIP_END),
        (SCHEDULE_TITLE, SCHEDULE, SCHEDULE_END),
        (RUNBOOKS_TITLE, RUNBOOKS, RUNBOOKS_END),
    )
}
# Each schedule section's usual title, the position after it, and words that identify it under another title.
PIECES = {
    "Weekly Rotation": (ROTATION, ("rotation", "rota", "roster")),
    "Holiday Policy": (HOLIDAY_POLICY, ("holiday",)),
    "Daily Onboarding Hand-Off": (HANDOFF_TOPICS, ("hand off", "handoff", "hand over", "handover")),
}

ReportError = Callable[[HandbookError], None]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A heading of level 1 or 2 with the lines below it. Level 0 is the text above the first heading."""

    level: int
    title: str
    line: int
    heading: Sequence[Line]
    body: Sequence[Line]

    @property
    def markdown(self) -> str:
        """The original Markdown of the chunk, including its heading."""
        return block_text([*self.heading, *self.body])


@dataclass(slots=True)
class Outline:
    """The parts found in a handbook file. It is filled while the file is read.

    `parts` holds known parts and schedule sections by usual title, `pipelines` holds pipeline names by match key, and
    `others` holds unknown chunks among the runbooks.
    """

    parts: dict[str, Chunk] = field(default_factory=dict)
    pipelines: dict[str, str] = field(default_factory=dict)
    runbooks: list[tuple[str, Chunk]] = field(default_factory=list)
    others: list[Chunk] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)


def build_outline(lines: Sequence[Line], *, report_error: ReportError) -> Outline:
    """Return the outline of a file. Report each part or section that is missing or appears twice."""
    outline = Outline()
    part, place = "", START
    chunks = list(_chunks(lines))
    pieces = _schedule_sections(chunks, report_error=report_error)
    for chunk in chunks:
        if chunk.level == PART_LEVEL:
            part, place = _enter(chunk, outline=outline, place=place, report_error=report_error)
        piece = pieces.get(chunk.line, "") if chunk.level == PIECE_LEVEL else ""
        title = runbook_title(chunk.title) if chunk.level == PIECE_LEVEL else None
        if piece:
            outline.parts[piece], place = chunk, PIECES[piece][0]
        elif title is not None and part == RUNBOOKS_TITLE:
            outline.runbooks.append((title, chunk))
            place = after_runbook(title)
        elif chunk.level != PART_LEVEL or not part:
            add_passage(outline, chunk.markdown, place=place, line=chunk.line)
            outline.others += [chunk] if part == RUNBOOKS_TITLE else []
            if title is not None and part:
                report_error(
                    HandbookError(
                        chunk.line, f"a runbook is under {quoted(part)}", f"runbooks under “# {RUNBOOKS_TITLE}”"
                    )
                )
    _report_missing_parts(outline, chunks, report_error=report_error)
    _report_missing_spaces(lines, report_error=report_error)
    return outline


def is_known_heading(text: str) -> bool:
    """Return True if the text is the title of a part, a schedule section or a runbook."""
    key = match_key(text)
    return key in PARTS or key in map(match_key, PIECES) or runbook_title(text) is not None


def add_passage(outline: Outline, markdown: str, *, place: str, line: int) -> None:
    """Add a text to the outline as a passage, unless it is empty."""
    if markdown:
        outline.passages.append(Passage(place, markdown, line=line))


def nearest(key: str, *, among: Sequence[str]) -> str | None:
    """Return the most similar key, or None if no key is similar."""
    return next(iter(difflib.get_close_matches(key[:400], among, n=1, cutoff=0.6)), None)


def _chunks(lines: Sequence[Line]) -> Iterator[Chunk]:
    starts = [place for place, line in enumerate(lines) if line.heading and line.heading[0] <= PIECE_LEVEL]
    first = starts[0] if starts else len(lines)
    begun = next((line.number for line in lines[:first] if not line.is_blank), 1)
    yield Chunk(level=0, title="", line=begun, heading=(), body=lines[:first])
    for start, end in pairwise([*starts, len(lines)]):
        level, title = lines[start].heading or (0, "")
        yield Chunk(level, title, lines[start].number, heading=lines[start : start + 1], body=lines[start + 1 : end])


def _enter(chunk: Chunk, *, outline: Outline, place: str, report_error: ReportError) -> tuple[str, str]:
    """Return the part that a level-1 heading starts ("" if unknown) and the position of a passage after the heading."""
    title, below, _ = PARTS.get(match_key(chunk.title), ("", "", ""))
    if not title:
        return "", _end_of_part(place)
    if title in outline.parts:
        wrong = f"a second part {quoted(title)} (the first is on line {outline.parts[title].line})"
        report_error(HandbookError(chunk.line, wrong, "one"))
    outline.parts.setdefault(title, chunk)
    return title, below


def _end_of_part(place: str) -> str:
    """Return the position of a passage that follows the part containing `place`."""
    if place.startswith("runbook"):
        return RUNBOOKS_END
    if place.startswith("ownership"):
        return OWNERSHIP_END
    return place if place == START else SCHEDULE_END


def _schedule_sections(chunks: Sequence[Chunk], *, report_error: ReportError) -> dict[int, str]:
    """Return the schedule sections: their usual titles by line number.

    A heading with other words counts only if no heading has the usual title.
    """
    inside, part = [], ""
    for chunk in chunks:
        part = PARTS.get(match_key(chunk.title), ("", "", ""))[0] if chunk.level == PART_LEVEL else part
        inside += [chunk] if part == SCHEDULE_TITLE and chunk.level == PIECE_LEVEL else []
    pieces: dict[int, str] = {}
    usual = {chunk.line: match_key(chunk.title) for chunk in inside if match_key(chunk.title) in map(match_key, PIECES)}
    for piece, (_, words) in PIECES.items():
        found = [chunk for chunk in inside if usual.get(chunk.line) == match_key(piece)] or [
            chunk for chunk in inside if chunk.line not in usual and any(w in match_key(chunk.title) for w in words)
        ]
        for chunk in found[1:]:
            wrong = f"a second section {quoted(chunk.title)} (the first is on line {found[0].line})"
            report_error(HandbookError(chunk.line, wrong, f"one “## {piece}”"))
        pieces |= {chunk.line: piece for chunk in found[:1]}
    return pieces


def _report_missing_parts(outline: Outline, chunks: Sequence[Chunk], *, report_error: ReportError) -> None:
    for title in (OWNERSHIP_TITLE, SCHEDULE_TITLE):
        if title not in outline.parts:
            report_error(_missing_part(f"# {title}", title=title, at=1, outline=outline, chunks=chunks))
    schedule = outline.parts.get(SCHEDULE_TITLE)
    for title in PIECES if schedule else ():
        if schedule and title not in outline.parts:
            expected = f"## {title}” under “# {SCHEDULE_TITLE}"
            report_error(_missing_part(expected, title=title, at=schedule.line, outline=outline, chunks=chunks))


def _missing_part(expected: str, *, title: str, at: int, outline: Outline, chunks: Sequence[Chunk]) -> HandbookError:
    """Return the error for a missing part, at the most similar unknown heading or else at line `at`."""
    known = {chunk.line for chunk in outline.parts.values()}
    unknown = {match_key(chunk.title): chunk for chunk in chunks if chunk.level and chunk.line not in known}
    like = nearest(match_key(title), among=list(unknown))
    if like is None:
        return HandbookError(at, f"the part {quoted(title)} is missing", f"“{expected}”")
    heading = unknown[like]
    wrong = f"{quoted('#' * heading.level + ' ' + heading.title)} is not a known part"
    return HandbookError(heading.line, wrong, f"“{expected}”")


def _report_missing_spaces(lines: Sequence[Line], *, report_error: ReportError) -> None:
    for line in lines:
        if forgotten_gap(line) is not None:
            report_error(
                HandbookError(line.number, f"{quoted(line.text.strip())} is not a heading", "a space after the hashes")
            )
