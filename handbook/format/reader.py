"""Parse handbook files: bytes in, a `Handbook` or a list of all errors out."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from handbook.format.outline import PARTS, Chunk, Outline, add_passage, build_outline, is_known_heading, nearest
from handbook.format.tables import looks_like_row, ownership_table, parse_rows, pipeline_names, split_cells
from handbook.format.writer import in_order
from people.domain.names import match_key
from runbooks.domain.handbook_model import (
    HANDOFF,
    HANDOFF_MEETING,
    HANDOFF_TOPICS,
    HOLIDAY_POLICY,
    LONGEST_TITLE,
    OWNERSHIP,
    OWNERSHIP_TABLE,
    OWNERSHIP_TITLE,
    ROTATION,
    RUNBOOKS,
    RUNBOOKS_TITLE,
    SCHEDULE,
    SCHEDULE_TITLE,
    Handbook,
    HandbookError,
    HandbookErrors,
    HandoffPart,
    HolidayPolicyPart,
    PipelineRow,
    RotationPart,
    RunbookPart,
)
from runbooks.domain.markdown_lines import Line, block_text, closing_fence, decoded, split_lines
from runbooks.domain.markdown_lists import (
    Item,
    check_length,
    length_in,
    parse_label,
    parse_list,
    parse_rules,
    parse_topics,
    parse_turns,
)
from runbooks.domain.runbook_text import parse_runbook
from runbooks.domain.text_cleanup import forbidden_character, quoted, tidy_sentence

SETEXT = re.compile(r" {0,3}(=+|-+)[ \t]*")

ReportError = Callable[[HandbookError], None]


def read_handbook(data: bytes) -> Handbook:
    """Return the parsed handbook. Raise HandbookErrors with every error and its line (docs/rules.md, Handbook file)."""
    errors: list[HandbookError] = []
    lines, opening = split_lines(decoded(data))
    if opening is not None:
        wrong = "this code block is not closed"
        raise HandbookErrors([HandbookError(opening.number, wrong, f"a closing line {closing_fence(opening)}")])
    errors += [
        HandbookError(line.number, f"the control character {found}", "text")
        for line in lines
        if (found := forbidden_character(line.text))
    ]
    lines = _at_usual_levels(_without_setext(lines))
    outline = build_outline(lines, report_error=errors.append)
    handbook = _handbook(outline, report_error=errors.append)
    if errors or handbook is None:
        raise HandbookErrors(errors)
    return handbook


def _without_setext(lines: Sequence[Line]) -> list[Line]:
    """Return the lines with underlined headings of known parts in the `#` form (CommonMark 0.31, §4.3)."""
    result = list(lines)
    for place, (above, title, underline) in enumerate(zip([None, *lines], lines, lines[1:], strict=False)):
        found = None if title.code or underline.code else SETEXT.fullmatch(underline.text)
        starts_paragraph = above is None or above.is_blank or above.is_rule or above.heading is not None
        if found and starts_paragraph and not title.heading and is_known_heading(title.text):
            hashes = "#" if found[1][0] == "=" else "##"
            result[place] = replace(title, text=f"{hashes} {title.text.strip()}")
            result[place + 1] = replace(underline, text="")
    return result


def _at_usual_levels(lines: list[Line]) -> list[Line]:
    """Return the lines with each heading a level higher if the known parts are all one level deeper than usual."""
    levels = {line.heading[0] for line in lines if line.heading and match_key(line.heading[1]) in PARTS}
    if levels != {2}:
        return lines
    return [
        replace(line, text=line.text.replace("#", "", 1)) if line.heading and line.heading[0] > 1 else line
        for line in lines
    ]


def _handbook(outline: Outline, *, report_error: ReportError) -> Handbook | None:
    """Return the handbook, or None if a part is missing. Errors in the other parts are reported as well."""
    parts = outline.parts
    pipelines = _ownership(parts.get(OWNERSHIP_TITLE), outline=outline, report_error=report_error)
    _introduction(parts.get(SCHEDULE_TITLE), place=SCHEDULE, outline=outline)
    rotation = _rotation(parts.get("Weekly Rotation"), outline=outline, report_error=report_error)
    policy = _holiday_policy(parts.get("Holiday Policy"), outline=outline, report_error=report_error)
    handoff = _handoff(parts.get("Daily Onboarding Hand-Off"), outline=outline, report_error=report_error)
    _introduction(parts.get(RUNBOOKS_TITLE), place=RUNBOOKS, outline=outline)
    runbooks = _runbooks(outline, report_error=report_error)
    if rotation is None or policy is None or handoff is None or not pipelines:
        return None
    handbook = Handbook(pipelines, rotation, policy, handoff, runbooks)
    return replace(_one_spelling(handbook), extras=in_order(outline.passages, runbooks=runbooks))


def _ownership(chunk: Chunk | None, *, outline: Outline, report_error: ReportError) -> tuple[PipelineRow, ...]:
    """Return the rows of the ownership table, and add their pipeline names to the outline."""
    if chunk is None:
        return ()
    table = ownership_table(chunk.body)
    if table is None:
        report_error(_no_table(chunk))
        return ()
    after = chunk.body[table.end :]
    _add_passage(chunk.body[: table.start], place=OWNERSHIP, outline=outline)
    _add_passage(after, place=OWNERSHIP_TABLE, outline=outline)
    stray = next((line for line in after if not line.is_blank), None)
    if stray and looks_like_row(stray) and ownership_table(after) is None:
        report_error(
            HandbookError(stray.number, "this row is separated from the table", "no blank line inside the table")
        )
    else:
        outline.pipelines |= pipeline_names(table)
    rows = parse_rows(table, report_error=report_error)
    first: dict[str, PipelineRow] = {}
    for row in rows:
        earlier = first.setdefault(match_key(row.full_name), row)
        if earlier is not row:
            wrong = f"the pipeline {quoted(row.full_name)} is already on line {earlier.line}"
            report_error(HandbookError(row.line, wrong, "each pipeline once"))
    return rows


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


def _rotation(chunk: Chunk | None, *, outline: Outline, report_error: ReportError) -> RotationPart | None:
    if chunk is None:
        return None
    part = parse_list(chunk.body)
    _add_passage(part.after, place=ROTATION, outline=outline)
    turns = parse_turns(part, at=chunk.line, report_error=report_error)
    return RotationPart(_title(chunk, report_error=report_error), block_text(part.before), turns, line=chunk.line)


def _holiday_policy(chunk: Chunk | None, *, outline: Outline, report_error: ReportError) -> HolidayPolicyPart | None:
    if chunk is None:
        return None
    part = parse_list(chunk.body)
    _add_passage(part.after, place=HOLIDAY_POLICY, outline=outline)
    rules = parse_rules(part, report_error=report_error)
    return HolidayPolicyPart(_title(chunk, report_error=report_error), block_text(part.before), rules, line=chunk.line)


def _handoff(chunk: Chunk | None, *, outline: Outline, report_error: ReportError) -> HandoffPart | None:
    """Return the hand-off. Other items of its list become passages in the meeting or topics position."""
    if chunk is None:
        return None
    part = parse_list(chunk.body)
    _add_passage(part.before, place=HANDOFF, outline=outline)
    _add_passage(part.after, place=HANDOFF_TOPICS, outline=outline)
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
    _add_item_passages(part.items, around=(meeting, topics), outline=outline)
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


def _add_item_passages(items: Sequence[Item], *, around: tuple[Item, Item], outline: Outline) -> None:
    meeting, topics = around
    for item in items:
        if item is not meeting and item is not topics:
            below = HANDOFF if item.line < meeting.line else HANDOFF_MEETING
            place = below if item.line < topics.line else HANDOFF_TOPICS
            add_passage(outline, item.markdown, place=place, line=item.line)


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
    if len(title) > LONGEST_TITLE:
        report_error(HandbookError(chunk.line, f"the title has {len(title)} characters", f"at most {LONGEST_TITLE}"))
    return title


def _one_spelling(handbook: Handbook) -> Handbook:
    """Return the handbook with one spelling per engineer: the first in the ownership table, else in the rotation."""
    spelling: dict[str, str] = {}
    owners = [name for row in handbook.pipelines for name in (row.primary, row.secondary)]
    for name in [*owners, *handbook.rotation.engineers]:
        spelling.setdefault(match_key(name), name)
    pipelines = tuple(
        replace(row, primary=spelling[match_key(row.primary)], secondary=spelling[match_key(row.secondary)])
        for row in handbook.pipelines
    )
    turns = tuple(replace(turn, engineer=spelling[match_key(turn.engineer)]) for turn in handbook.rotation.turns)
    return replace(handbook, pipelines=pipelines, rotation=replace(handbook.rotation, turns=turns))
