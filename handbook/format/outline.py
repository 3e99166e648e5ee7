"""The outline of a handbook file: its known parts, and the passages that import stores verbatim."""

import difflib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from handbook.format.rotation_table import has_weeks
from handbook.format.tables import is_ownership_table, ownership_table
from people.domain.names import match_key
from runbooks.domain.handbook_model import (
    HANDOFF_TITLE,
    HANDOFF_TOPICS,
    HOLIDAY_POLICY,
    OWNERSHIP,
    OWNERSHIP_END,
    OWNERSHIP_TABLE,
    OWNERSHIP_TITLE,
    PART_TITLES,
    POLICY_TITLE,
    ROTATION,
    ROTATION_TITLE,
    RUNBOOKS,
    RUNBOOKS_END,
    RUNBOOKS_TITLE,
    SCHEDULE,
    SCHEDULE_END,
    SCHEDULE_TITLE,
    START,
    HandbookError,
    Passage,
    place_after_runbook,
    place_in_group,
)
from runbooks.domain.markdown_lines import Line, block_text
from runbooks.domain.markdown_lists import is_numbered_names
from runbooks.domain.runbook_text import runbook_title, unspaced_heading
from runbooks.domain.text_cleanup import quoted, tidy_sentence

PART_LEVEL = 1
PIECE_LEVEL = 2
# Each part's position of a passage after its heading, and after the whole part.
PARTS = {
    OWNERSHIP_TITLE: (OWNERSHIP, OWNERSHIP_END),
    SCHEDULE_TITLE: (SCHEDULE, SCHEDULE_END),
    RUNBOOKS_TITLE: (RUNBOOKS, RUNBOOKS_END),
}
PART_KEYS = {match_key(title): title for title in PARTS}
# Each schedule section's usual title, the position after it, and words that identify it under another title.
PIECES = {
    ROTATION_TITLE: (ROTATION, ("rotation", "rota", "roster")),
    POLICY_TITLE: (HOLIDAY_POLICY, ("holiday", "vacation", "time off", "annual leave", "absence")),
    HANDOFF_TITLE: (HANDOFF_TOPICS, ("hand off", "handoff", "hand over", "handover")),
}
PIECE_KEYS = {match_key(title): title for title in PIECES}

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

    @property
    def key(self) -> str:
        """The match key of the title."""
        return match_key(self.title)

    def mentions(self, piece: str) -> bool:
        """Return True if a word of the title identifies a schedule section."""
        return any(word in self.key for word in PIECES[piece][1])


@dataclass(slots=True)
class Outline:
    """The parts found in a handbook file. It is filled while the file is read.

    `parts` holds the known parts by usual title, `groups` holds for each rotation its sections by usual title, `pipelines`
    holds pipeline names by match key, and `others` holds unknown chunks among the runbooks.
    """

    parts: dict[str, Chunk] = field(default_factory=dict)
    groups: list[dict[str, Chunk]] = field(default_factory=list)
    pipelines: dict[str, str] = field(default_factory=dict)
    runbooks: list[tuple[str, Chunk]] = field(default_factory=list)
    others: list[Chunk] = field(default_factory=list)
    passages: list[Passage] = field(default_factory=list)


def build_outline(lines: Sequence[Line], *, report_error: ReportError) -> Outline:
    """Return the outline of a file. Report each part or section that is missing or appears twice."""
    outline = Outline()
    chunks = _add_schedule_chunk(list(_chunks(lines)))
    titles = _part_titles(chunks)
    pieces = _schedule_sections(chunks, titles, outline=outline, report_error=report_error)
    table = _ownership_chunk(chunks, titles)
    part, place = "", START
    for chunk in chunks:
        if chunk.level == PART_LEVEL or (not chunk.level and chunk.line in titles):
            part = titles.get(chunk.line, "")
            place = _enter(chunk, part, outline=outline, place=place, report_error=report_error)
        title = runbook_title(chunk.title) if chunk.level else None
        if chunk is table:
            outline.parts[OWNERSHIP_TITLE] = chunk
            place = OWNERSHIP_TABLE
        elif chunk.level == PIECE_LEVEL and chunk.line in pieces:
            place = pieces[chunk.line]
        elif title is not None and part == RUNBOOKS_TITLE and chunk.level == PIECE_LEVEL:
            outline.runbooks.append((title, chunk))
            place = place_after_runbook(title)
        elif chunk.level != PART_LEVEL or not part:
            add_passage(outline, chunk.markdown, place=place, line=chunk.line)
            outline.others += [chunk] if part == RUNBOOKS_TITLE else []
            if title is not None:
                report_error(_misplaced_runbook(chunk, part=part))
    _report_missing_parts(outline, chunks, report_error=report_error)
    _report_missing_spaces(lines, report_error=report_error)
    return outline


def is_known_heading(text: str) -> bool:
    """Return True if the text is the title of a part, a schedule section or a runbook."""
    return match_key(text) in PART_KEYS or match_key(text) in PIECE_KEYS or runbook_title(text) is not None


def add_passage(outline: Outline, markdown: str, *, place: str, line: int) -> None:
    """Add a text to the outline as a passage, unless it is empty."""
    if markdown:
        outline.passages.append(Passage(place, markdown, line=line))


def nearest(key: str, *, among: Sequence[str]) -> str | None:
    """Return the most similar key, or None if no key is similar."""
    return next(iter(difflib.get_close_matches(key[:400], among, n=1, cutoff=0.6)), None)


def normalize_heading_levels(lines: Sequence[Line]) -> list[Line]:
    """Return the lines with each heading some levels higher, if all the known parts are deeper than usual.

    They are if no known title is at the usual level, or if they are below the only heading of that level, a title of the
    file that has no ownership table of its own.
    """
    result = list(lines)
    while _is_deeper(result):
        result = [
            replace(line, text=line.text.replace("#", "", 1)) if line.heading and line.heading[0] > 1 else line
            for line in result
        ]
    return result


def _is_deeper(lines: Sequence[Line]) -> bool:
    levels = [line.heading[0] for line in lines if line.heading]
    known = {line.heading[0] for line in lines if line.heading and match_key(line.heading[1]) in PART_KEYS}
    if known:
        return len(known) == 1 and known != {PART_LEVEL}
    tops = [chunk for chunk in _chunks(lines) if chunk.level == PART_LEVEL]
    is_title = len(tops) == 1 and levels[0] == PART_LEVEL and not is_ownership_table(tops[0].body)
    return is_title and PIECE_LEVEL in levels and not has_weeks(tops[0].body)


def _chunks(lines: Sequence[Line]) -> Iterator[Chunk]:
    starts = [place for place, line in enumerate(lines) if line.heading and line.heading[0] <= PIECE_LEVEL]
    first = starts[0] if starts else len(lines)
    begun = next((line.number for line in lines[:first] if not line.is_blank), 1)
    # Its line is below all others: a text above a heading on line 1 is empty.
    yield Chunk(
        level=0, title="", line=min(begun, lines[first].number - 1 if starts else begun), heading=(), body=lines[:first]
    )
    for start, end in pairwise([*starts, len(lines)]):
        level, title = lines[start].heading or (0, "")
        yield Chunk(level, title, lines[start].number, heading=lines[start : start + 1], body=lines[start + 1 : end])


def _add_schedule_chunk(chunks: list[Chunk]) -> list[Chunk]:
    """Return the chunks with a schedule part around sections that are themselves of level 1, if there is no other."""
    sections = [chunk for chunk in chunks if chunk.level == PART_LEVEL]
    known = {chunk.line for chunk in sections if _is_schedule(chunk, chunks)}
    own = [chunk for chunk in sections if _is_rotation(chunk) and chunk.key not in PART_KEYS]
    if known or not own:
        return chunks
    own += [
        chunk
        for chunk in sections
        if chunk not in own and chunk.key not in PART_KEYS and any(map(chunk.mentions, (POLICY_TITLE, HANDOFF_TITLE)))
    ]
    own.sort(key=lambda chunk: chunk.line)
    lines = {chunk.line for chunk in own}
    result: list[Chunk] = []
    for chunk in chunks:
        if chunk.line == own[0].line:
            result.append(Chunk(PART_LEVEL, SCHEDULE_TITLE, line=chunk.line, heading=(), body=()))
            result += [replace(section, level=PIECE_LEVEL) for section in own]
        if chunk.line not in lines or not chunk.level:
            result.append(chunk)
    return result


def _is_rotation(chunk: Chunk) -> bool:
    return has_weeks(chunk.body) or (chunk.mentions(ROTATION_TITLE) and is_numbered_names(chunk.body))


def _members(part: Chunk, chunks: Sequence[Chunk]) -> list[Chunk]:
    """Return the chunks of level 2 in a part of level 1."""
    start = next(place for place, chunk in enumerate(chunks) if chunk is part) + 1
    end = next((place for place in range(start, len(chunks)) if chunks[place].level == PART_LEVEL), len(chunks))
    return list(chunks[start:end])


def _is_schedule(part: Chunk, chunks: Sequence[Chunk]) -> bool:
    if part.key in PART_KEYS:
        return PART_KEYS[part.key] == SCHEDULE_TITLE
    return any(
        chunk.key == match_key(ROTATION_TITLE) or (chunk.key not in PIECE_KEYS and has_weeks(chunk.body))
        for chunk in _members(part, chunks)
    )


def _is_ownership(part: Chunk, chunks: Sequence[Chunk]) -> bool:
    return any(is_ownership_table(chunk.body) for chunk in (part, *_members(part, chunks)))


def _is_runbooks(part: Chunk, chunks: Sequence[Chunk]) -> bool:
    books = any(runbook_title(chunk.title) is not None for chunk in _members(part, chunks))
    return books or any(word in part.key.split() for word in ("runbooks", "playbooks"))


def _part_titles(chunks: Sequence[Chunk]) -> dict[int, str]:
    """Return the usual titles of the known parts, by line number.

    A part under another title counts if no heading has the usual one: then what is in it says what it is.
    """
    titles = {
        chunk.line: PART_KEYS[chunk.key] for chunk in chunks if chunk.level == PART_LEVEL and chunk.key in PART_KEYS
    }
    for usual, fits in (
        (OWNERSHIP_TITLE, _is_ownership),
        (SCHEDULE_TITLE, _is_schedule),
        (RUNBOOKS_TITLE, _is_runbooks),
    ):
        if usual in titles.values():
            continue
        likely = [
            chunk for chunk in chunks if chunk.level == PART_LEVEL and chunk.line not in titles and fits(chunk, chunks)
        ]
        if usual == OWNERSHIP_TITLE and not likely and is_ownership_table(chunks[0].body):
            likely = [chunks[0]]
        titles |= {chunk.line: usual for chunk in likely[:1]}
    return titles


def _ownership_chunk(chunks: Sequence[Chunk], titles: dict[int, str]) -> Chunk | None:
    """Return the chunk of level 2 that holds the ownership table, if the part's own text does not."""
    part = next(
        (chunk for chunk in chunks if titles.get(chunk.line) == OWNERSHIP_TITLE and chunk.level != PIECE_LEVEL), None
    )
    if part is None or ownership_table(part.body) is not None:
        return None
    members = _members(part, chunks) if part.level else []
    return next((chunk for chunk in members if is_ownership_table(chunk.body)), None)


def _enter(chunk: Chunk, title: str, *, outline: Outline, place: str, report_error: ReportError) -> str:
    """Enter a part, or leave the one before an unknown heading. Return the position of a passage after the heading."""
    if not title:
        return _place_at_part_end(place)
    if title in outline.parts:
        wrong = f"a second part {quoted(title)} (the first is on line {outline.parts[title].line})"
        report_error(HandbookError(chunk.line, wrong, "one"))
    elif chunk.key != match_key(title):
        add_passage(outline, tidy_sentence(chunk.title), place=PART_TITLES[title], line=chunk.line)
    outline.parts.setdefault(title, chunk)
    has_table = title == OWNERSHIP_TITLE and ownership_table(chunk.body) is not None
    return OWNERSHIP_TABLE if has_table else PARTS[title][0]


def _place_at_part_end(place: str) -> str:
    """Return the position of a passage that follows the part containing `place`."""
    if place.startswith("runbook"):
        return RUNBOOKS_END
    if place.startswith("ownership"):
        return OWNERSHIP_END
    return place if place == START else SCHEDULE_END


def _schedule_sections(
    chunks: Sequence[Chunk], titles: dict[int, str], *, outline: Outline, report_error: ReportError
) -> dict[int, str]:
    """Add the schedule's sections to the outline, a group for each rotation. Return the positions after them by line.

    The holiday policy and the hand-off above the first rotation, and those up to the next one, are a rotation's own.
    """
    part = next(
        (chunk for chunk in chunks if chunk.level == PART_LEVEL and titles.get(chunk.line) == SCHEDULE_TITLE), None
    )
    members = _members(part, chunks) if part else []
    rotations = _rotation_chunks(members, report_error=report_error)
    places: dict[int, str] = {}
    for number, rotation in enumerate(rotations or [None]):
        group: dict[str, Chunk] = {}
        if rotation is not None:
            group[ROTATION_TITLE] = rotation
            places[rotation.line] = place_in_group(ROTATION, number)
        first = rotation.line if rotation and number else 0
        end = rotations[number + 1].line if number + 1 < len(rotations) else float("inf")
        inside = [chunk for chunk in members if first < chunk.line < end and chunk not in rotations]
        for piece in (POLICY_TITLE, HANDOFF_TITLE):
            likely = _likely_chunks(inside, piece=piece)
            for chunk in likely[1:]:
                wrong = f"a second section {quoted(chunk.title)} (the first is on line {likely[0].line})"
                report_error(HandbookError(chunk.line, wrong, f"one “## {piece}”"))
            if likely:
                group[piece] = likely[0]
                places[likely[0].line] = place_in_group(PIECES[piece][0], number)
        outline.groups += [group] if group else []
    return places


def _rotation_chunks(members: Sequence[Chunk], *, report_error: ReportError) -> list[Chunk]:
    """Return the rotations: sections with the usual title or with weeks, else the first one whose title is like it."""
    usual = match_key(ROTATION_TITLE)
    rotations = [
        chunk for chunk in members if chunk.key == usual or (chunk.key not in PIECE_KEYS and has_weeks(chunk.body))
    ]
    rotations = rotations or [chunk for chunk in members if chunk.mentions(ROTATION_TITLE)][:1]
    first: dict[str, Chunk] = {}
    for chunk in rotations:
        if first.setdefault(chunk.key, chunk) is not chunk:
            wrong = f"a second section {quoted(chunk.title)} (the first is on line {first[chunk.key].line})"
            report_error(HandbookError(chunk.line, wrong, f"one “## {chunk.title}”"))
    return list(first.values())


def _likely_chunks(chunks: Sequence[Chunk], *, piece: str) -> list[Chunk]:
    """Return the chunks with the usual title of a section, else those whose title has one of its words."""
    usual = [chunk for chunk in chunks if chunk.key == match_key(piece)]
    return usual or [chunk for chunk in chunks if chunk.key not in PIECE_KEYS and chunk.mentions(piece)]


def _misplaced_runbook(chunk: Chunk, *, part: str) -> HandbookError:
    if chunk.level == PART_LEVEL:
        return HandbookError(chunk.line, "a runbook is a part of its own", f"“# {RUNBOOKS_TITLE}” and “## Runbook: …”")
    wrong = f"a runbook is under {quoted(part)}" if part else "a runbook is outside the runbooks"
    return HandbookError(chunk.line, wrong, f"runbooks under “# {RUNBOOKS_TITLE}”")


def _report_missing_parts(outline: Outline, chunks: Sequence[Chunk], *, report_error: ReportError) -> None:
    """Report a missing ownership part, and each section that a similar heading suggests, or a schedule without rotation."""
    if OWNERSHIP_TITLE not in outline.parts:
        report_error(_missing_part(f"# {OWNERSHIP_TITLE}", title=OWNERSHIP_TITLE, at=1, outline=outline, chunks=chunks))
    schedule = outline.parts.get(SCHEDULE_TITLE)
    if schedule is None:
        wanted = [chunk for chunk in chunks if chunk.level == PIECE_LEVEL and chunk.key in PIECE_KEYS]
        if wanted or nearest(match_key(SCHEDULE_TITLE), among=list(_unknown(outline, chunks))):
            report_error(
                _missing_part(f"# {SCHEDULE_TITLE}", title=SCHEDULE_TITLE, at=1, outline=outline, chunks=chunks)
            )
        return
    titles = {title for group in outline.groups for title in group}
    for title in PIECES:
        error = _missing_part(
            f"## {title}” under “# {SCHEDULE_TITLE}", title=title, at=schedule.line, outline=outline, chunks=chunks
        )
        if title not in titles and (title == ROTATION_TITLE or error.line != schedule.line):
            report_error(error)


def _unknown(outline: Outline, chunks: Sequence[Chunk]) -> dict[str, Chunk]:
    """Return the chunks that are neither known parts nor schedule sections, by match key."""
    known = {chunk.line for chunk in outline.parts.values()}
    known |= {chunk.line for group in outline.groups for chunk in group.values()}
    return {chunk.key: chunk for chunk in chunks if chunk.level and chunk.line not in known}


def _missing_part(expected: str, *, title: str, at: int, outline: Outline, chunks: Sequence[Chunk]) -> HandbookError:
    """Return the error for a missing part, at the most similar unknown heading or else at line `at`."""
    unknown = _unknown(outline, chunks)
    like = nearest(match_key(title), among=list(unknown))
    if like is None:
        return HandbookError(at, f"the part {quoted(title)} is missing", f"“{expected}”")
    heading = unknown[like]
    wrong = f"{quoted('#' * heading.level + ' ' + heading.title)} is not a known part"
    return HandbookError(heading.line, wrong, f"“{expected}”")


def _report_missing_spaces(lines: Sequence[Line], *, report_error: ReportError) -> None:
    for line in lines:
        if unspaced_heading(line) is not None:
            report_error(
                HandbookError(line.number, f"{quoted(line.text.strip())} is not a heading", "a space after the hashes")
            )
