"""Parse handbook files: bytes in, a `Handbook` or a list of all errors out."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from handbook.format.outline import (
    PIECE_LEVEL,
    Chunk,
    Outline,
    add_passage,
    build_outline,
    is_known_heading,
    nearest,
    normalize_heading_levels,
)
from handbook.format.rotation_table import parse_rotation_table, rotation_table
from handbook.format.tables import looks_like_row, ownership_table, parse_rows, pipeline_names, split_cells, tables
from handbook.format.writer import order_passages
from people.domain.names import match_key
from runbooks.domain.handbook_model import (
    HANDOFF,
    HANDOFF_MEETING,
    HANDOFF_TITLE,
    HANDOFF_TOPICS,
    HOLIDAY_POLICY,
    MAX_INTRODUCTION_LENGTH,
    MAX_TITLE_LENGTH,
    OWNERSHIP,
    OWNERSHIP_TABLE,
    OWNERSHIP_TITLE,
    POLICY_TITLE,
    ROTATION,
    ROTATION_TITLE,
    RUNBOOKS,
    RUNBOOKS_TITLE,
    SCHEDULE,
    SCHEDULE_TITLE,
    ExtraColumn,
    FirstDay,
    Handbook,
    HandbookError,
    HandbookErrors,
    HandoffPart,
    HolidayPolicyPart,
    PipelineRow,
    RosterEntry,
    RotationPart,
    RunbookPart,
    place_in_group,
)
from runbooks.domain.markdown_lines import (
    Line,
    block_text,
    closing_fence,
    decoded,
    split_lines,
    underlined_headings,
)
from runbooks.domain.markdown_lists import (
    Item,
    check_length,
    length_in,
    parse_label,
    parse_list,
    parse_roster_entries,
    parse_rules,
    parse_topics,
)
from runbooks.domain.runbook_text import parse_runbook, runbook_title
from runbooks.domain.text_cleanup import forbidden_character, quoted, tidy_sentence

HANDLE = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)+")

ReportError = Callable[[HandbookError], None]


def read_handbook(data: bytes) -> Handbook:
    """Return the parsed handbook. Raise HandbookErrors with every error and its line (docs/rules.md, Handbook file)."""
    handbook, errors = parse_handbook(data)
    if errors:
        raise HandbookErrors(errors)
    return handbook


def parse_handbook(data: bytes) -> tuple[Handbook, list[HandbookError]]:
    """Return the handbook without its invalid parts, and every error. Raise HandbookErrors if the file has no lines to read."""
    errors: list[HandbookError] = []
    lines, opening = split_lines(decoded(data))
    if opening is not None:
        wrong = "this code block is not closed"
        raise HandbookErrors([HandbookError(opening.number, wrong, f"a closing line {closing_fence(opening)}")])
    errors += [
        HandbookError(line.number, f"the control character {character}", "text")
        for line in lines
        if (character := forbidden_character(line.text))
    ]
    outline = build_outline(normalize_heading_levels(_without_setext(lines)), report_error=errors.append)
    return _handbook(outline, report_error=errors.append), errors


def _without_setext(lines: Sequence[Line]) -> list[Line]:
    """Return the lines with underlined headings in the `#` form.

    Among the runbooks, an underlined heading of level 2 that names no runbook is part of a runbook's text.
    """
    result = list(lines)
    levels = underlined_headings(lines)
    in_runbooks = False
    for place, line in enumerate(lines):
        level = levels.get(place)
        if level == 1 or (level and (not in_runbooks or is_known_heading(line.text))):
            result[place] = replace(line, text=f"{'#' * level} {line.text.strip()}")
            result[place + 1] = replace(lines[place + 1], text="")
        in_runbooks = _enters_runbooks(result[place], within=in_runbooks)
    return result


def _enters_runbooks(line: Line, *, within: bool) -> bool:
    """Return True if the lines after this one belong to the runbooks."""
    if line.heading is None or line.heading[0] > 2:  # only a heading of a part or of a runbook changes that
        return within
    is_runbook = match_key(line.heading[1]) == match_key(RUNBOOKS_TITLE) or runbook_title(line.heading[1]) is not None
    return is_runbook or (within and line.heading[0] == 2)


def _handbook(outline: Outline, *, report_error: ReportError) -> Handbook:
    """Return the handbook without what has errors, which are reported."""
    parts = outline.parts
    titles = [tidy_sentence(group[ROTATION_TITLE].title) for group in outline.groups if ROTATION_TITLE in group]
    pipelines, columns = _ownership(
        parts.get(OWNERSHIP_TITLE), outline=outline, rotations=titles, report_error=report_error
    )
    _introduction(parts.get(SCHEDULE_TITLE), place=SCHEDULE, outline=outline)
    rotations = _rotations(outline, report_error=report_error)
    _introduction(parts.get(RUNBOOKS_TITLE), place=RUNBOOKS, outline=outline)
    runbooks = _runbooks(outline, report_error=report_error)
    handbook = Handbook(pipelines, rotations, runbooks, columns=columns)
    extras = order_passages(outline.passages, runbooks=runbooks, rotations=len(rotations))
    return replace(_one_spelling(handbook), extras=extras)


def _rotations(outline: Outline, *, report_error: ReportError) -> tuple[RotationPart, ...]:
    """Return the rotations. The first one has the first holiday policy and hand-off of the file, later ones their own."""
    rotations = []
    for number, group in enumerate(outline.groups):
        policy = _holiday_policy(group.get(POLICY_TITLE), group=number, outline=outline, report_error=report_error)
        handoff = _handoff(group.get(HANDOFF_TITLE), group=number, outline=outline, report_error=report_error)
        rotation = _rotation(group.get(ROTATION_TITLE), group=number, outline=outline, report_error=report_error)
        rotations += [replace(rotation, holiday_policy=policy, handoff=handoff)] if rotation else []
    policy = next((row.holiday_policy for row in rotations if row.holiday_policy), None)
    handoff = next((row.handoff for row in rotations if row.handoff), None)
    first = [replace(row, holiday_policy=policy, handoff=handoff) for row in rotations[:1]]
    later = [
        replace(
            row,
            holiday_policy=row.holiday_policy if row.holiday_policy != policy else None,
            handoff=row.handoff if row.handoff != handoff else None,
        )
        for row in rotations[1:]
    ]
    return (*first, *later)


def _ownership(
    chunk: Chunk | None, *, outline: Outline, rotations: Sequence[str], report_error: ReportError
) -> tuple[tuple[PipelineRow, ...], tuple[ExtraColumn, ...]]:
    """Return the rows of the ownership table and its extra columns, and add the pipelines' names to the outline."""
    if chunk is None:
        return (), ()
    table = ownership_table(chunk.body)
    if table is None:
        report_error(_no_table(chunk))
        return (), ()
    after = chunk.body[table.end :]
    # The table may be below a heading inside the part.
    heading = chunk.heading if chunk.level == PIECE_LEVEL else ()
    _add_passage([*heading, *chunk.body[: table.start]], place=OWNERSHIP, outline=outline)
    _add_passage(after, place=OWNERSHIP_TABLE, outline=outline)
    stray = next((line for line in after if not line.is_blank), None)
    if stray and looks_like_row(stray) and ownership_table(after) is None:
        report_error(
            HandbookError(stray.number, "this row is separated from the table", "no blank line inside the table")
        )
    else:
        outline.pipelines |= pipeline_names(table)
    rows, columns = parse_rows(table, rotations=rotations, report_error=report_error)
    first: dict[str, PipelineRow] = {}
    for row in rows:
        earlier = first.setdefault(match_key(row.full_name), row)
        if earlier is not row:
            wrong = f"the pipeline {quoted(row.full_name)} is already on line {earlier.line}"
            report_error(HandbookError(row.line, wrong, "each pipeline once"))
    return rows, columns


def _no_table(chunk: Chunk) -> HandbookError:
    heads = next((line for line in chunk.body if looks_like_row(line)), None)
    if heads is None:
        return HandbookError(
            chunk.line,
            "there is no ownership table",
            "a table with a header row, a separator row and a row for each pipeline",
        )
    dashes = "|".join(["---"] * len(split_cells(heads.text)))
    return HandbookError(heads.number, "the table header has no separator row", f"|{dashes}| below it")


def _rotation(chunk: Chunk | None, *, group: int, outline: Outline, report_error: ReportError) -> RotationPart | None:
    if chunk is None:
        return None
    title = _title(chunk, report_error=report_error)
    part = parse_list(chunk.body)
    table = rotation_table(chunk.body)
    first_day: FirstDay | None = None
    turns: tuple[RosterEntry, ...] = ()
    if table is not None and table.start <= len(part.before):
        before, after = chunk.body[: table.start], chunk.body[table.end :]
        turns, first_day = parse_rotation_table(table, report_error=report_error)
    elif not part.items and (other := next(tables(chunk.body), None)):
        before, after = chunk.body, ()
        wrong = "the table has no column of engineers, or none of weeks"
        report_error(HandbookError(other.line, wrong, "the columns “Week” and “Engineer”"))
    else:
        before, after = part.before, part.after
        turns = parse_roster_entries(part, at=chunk.line, report_error=report_error)
    _add_passage(after, place=place_in_group(ROTATION, group), outline=outline)
    introduction = block_text(before)
    if len(introduction) > MAX_INTRODUCTION_LENGTH:
        wrong = f"the text about the rotation has {len(introduction):,} characters"
        report_error(HandbookError(chunk.line, wrong, f"at most {MAX_INTRODUCTION_LENGTH:,}"))
    return RotationPart(title, introduction, turns, first_day=first_day, line=chunk.line)


def _holiday_policy(
    chunk: Chunk | None, *, group: int, outline: Outline, report_error: ReportError
) -> HolidayPolicyPart | None:
    if chunk is None:
        return None
    part = parse_list(chunk.body)
    _add_passage(part.after, place=place_in_group(HOLIDAY_POLICY, group), outline=outline)
    rules = parse_rules(part, report_error=report_error)
    return HolidayPolicyPart(_title(chunk, report_error=report_error), block_text(part.before), rules, line=chunk.line)


def _handoff(chunk: Chunk | None, *, group: int, outline: Outline, report_error: ReportError) -> HandoffPart | None:
    """Return the hand-off. Other items of its list become passages in the meeting or topics position."""
    if chunk is None:
        return None
    part = parse_list(chunk.body)
    _add_passage(part.before, place=place_in_group(HANDOFF, group), outline=outline)
    _add_passage(part.after, place=place_in_group(HANDOFF_TOPICS, group), outline=outline)
    meeting = next((item for item in part.items if not item.nested and length_in(item.text)), None)
    topics = next((item for item in part.items if item.nested), None)
    if meeting is None:
        wrong = "the meeting has no length"
        report_error(HandbookError(chunk.line, wrong, "a line such as “- Schedule a **20-30 minute meeting** …”"))
    if topics is None:
        expected = "“- Topics to discuss:” with a list indented below it"
        report_error(HandbookError(chunk.line, "the hand-off has no topics", expected))
    if meeting is None or topics is None:
        return None
    if topics.line < meeting.line:
        report_error(HandbookError(topics.line, "the topics come before the meeting", "the meeting's length first"))
    _add_item_passages(part.items, around=(meeting, topics), group=group, outline=outline)
    shortest, longest = length_in(meeting.text) or (0, 0)
    check_length(shortest, longest, at=meeting.line, report_error=report_error)
    return HandoffPart(
        title=_title(chunk, report_error=report_error),
        meeting=meeting.text,
        minutes_min=shortest,
        minutes_max=longest,
        topics_label=parse_label(topics, report_error=report_error),
        topics=parse_topics(topics, report_error=report_error),
        line=chunk.line,
    )


def _add_item_passages(items: Sequence[Item], *, around: tuple[Item, Item], group: int, outline: Outline) -> None:
    meeting, topics = around
    for item in items:
        if item is not meeting and item is not topics:
            below = HANDOFF if item.line < meeting.line else HANDOFF_MEETING
            place = below if item.line < topics.line else HANDOFF_TOPICS
            add_passage(outline, item.markdown, place=place_in_group(place, group), line=item.line)


def _runbooks(outline: Outline, *, report_error: ReportError) -> tuple[RunbookPart, ...]:
    """Return the runbooks in file order. Report a runbook with an unknown pipeline, or a second one for a pipeline."""
    known = outline.pipelines
    first: dict[str, int] = {}
    runbooks = []
    for title, chunk in outline.runbooks:
        runbook = parse_runbook(title, chunk.body, at=chunk.line, report_error=report_error)
        runbooks.append(runbook)
        key = match_key(runbook.full_name)
        if key in first:
            wrong = f"the runbook of {quoted(runbook.full_name)} is already on line {first[key]}"
            report_error(HandbookError(chunk.line, wrong, "one for each pipeline"))
        elif known and key and key not in known:
            near = nearest(key, among=list(known))
            expected = f"{quoted(known[near])}, the nearest" if near else "a name from the ownership table"
            report_error(HandbookError(chunk.line, f"no pipeline is named {quoted(runbook.full_name)}", expected))
        first.setdefault(key, chunk.line)
    for chunk in outline.others:
        if match_key(chunk.title) in known:
            wrong = f"{quoted(chunk.title)} names a pipeline but is not a runbook heading"
            report_error(HandbookError(chunk.line, wrong, f"“## Runbook: {chunk.title}”"))
    return tuple(runbooks)


def _introduction(chunk: Chunk | None, *, place: str, outline: Outline) -> None:
    _add_passage(chunk.body if chunk else (), place=place, outline=outline)


def _add_passage(lines: Sequence[Line], *, place: str, outline: Outline) -> None:
    begun = next((line.number for line in lines if not line.is_blank), 0)
    add_passage(outline, block_text(lines), place=place, line=begun)


def _title(chunk: Chunk, *, report_error: ReportError) -> str:
    title = tidy_sentence(chunk.title)
    if len(title) > MAX_TITLE_LENGTH:
        report_error(HandbookError(chunk.line, f"the title has {len(title)} characters", f"at most {MAX_TITLE_LENGTH}"))
    return title


def _one_spelling(handbook: Handbook) -> Handbook:
    """Return the handbook with one spelling per engineer: the first in the ownership table, else in the rotations.

    A name in words goes before a handle, such as `wei-chen`.
    """
    owners = [name for row in handbook.pipelines for name in (row.primary, row.secondary)]
    names = [*owners, *(name for rotation in handbook.rotations for name in rotation.engineers)]
    spelling: dict[str, str] = {}
    for name in sorted(names, key=lambda name: HANDLE.fullmatch(name) is not None):
        spelling.setdefault(match_key(name), name)
    pipelines = tuple(
        replace(row, primary=spelling[match_key(row.primary)], secondary=spelling[match_key(row.secondary)])
        for row in handbook.pipelines
    )
    rotations = tuple(
        replace(
            rotation,
            turns=tuple(replace(turn, engineer=spelling[match_key(turn.engineer)]) for turn in rotation.turns),
        )
        for rotation in handbook.rotations
    )
    return replace(handbook, pipelines=pipelines, rotations=rotations)
