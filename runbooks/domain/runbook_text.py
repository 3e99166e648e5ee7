"""The text of a runbook: its sections and its normal form."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

from people.domain.names import match_key
from runbooks.domain.handbook_model import (
    MAX_AUDIENCE_LENGTH,
    MAX_PIPELINE_LENGTH,
    MAX_RUNBOOK_BYTES,
    MAX_SECTION_TITLE_LENGTH,
    OWNERSHIP_TITLE,
    RUNBOOKS_TITLE,
    SCHEDULE_TITLE,
    HandbookError,
    RunbookPart,
    Section,
    join_sections,
)
from runbooks.domain.markdown_lines import Line, block_text, closing_fence, split_lines, underlined_headings
from runbooks.domain.text_cleanup import CONTROL_CHARACTER, quoted, tidy_name, tidy_pipeline, tidy_sentence

SECTION_LEVEL = 3
PART_KEYS = frozenset(map(match_key, (OWNERSHIP_TITLE, SCHEDULE_TITLE, RUNBOOKS_TITLE)))
UNSPACED_HEADING = re.compile(r" {0,3}#{1,6}([^#\s].*)")

ReportError = Callable[[HandbookError], None]


def normalize_runbook(markdown: str) -> str:
    """Return a runbook's text in normal form: the text that export followed by import produces.

    Line ends and blank lines are unified and mis-encoded text is repaired. Anything that would end the runbook in the
    handbook file is changed: headings of level 1 and 2 become sections, unclosed code blocks are closed, and control
    characters are removed, except NUL, which is rejected before a text gets here.
    """
    return join_sections(split_sections(markdown))


def split_sections(markdown: str) -> tuple[Section, ...]:
    """Return the sections of a runbook's text, normalised as in `normalize_runbook`."""
    text = CONTROL_CHARACTER.sub(lambda match: match[0] if match[0] in "\0\n\r" else "", markdown)
    lines, opening = split_lines(text)
    if opening is not None:
        lines, _ = split_lines(f"{text}\n{closing_fence(opening)}")
    return _sections([_fit_in_runbook(line) for line in _without_underlined(lines)], report_error=lambda _: None)


def _without_underlined(lines: Sequence[Line]) -> list[Line]:
    """Return the lines with underlined headings of level 1, which would end the runbooks, in the `#` form."""
    result = list(lines)
    for place, level in underlined_headings(lines).items():
        if level == 1:
            result[place] = replace(lines[place], text=f"# {lines[place].text.strip()}")
            result[place + 1] = replace(lines[place + 1], text="")
    return result


def runbook_title(title: str) -> str | None:
    """Return the name in a "Runbook: …" heading, or None for other headings."""
    word, colon, named = tidy_name(title).partition(":")
    return tidy_name(named.lstrip("*")) if colon and match_key(word) == "runbook" else None


def unspaced_heading(line: Line) -> str | None:
    """Return the title of a heading that lacks the space after its hashes (`##Runbook: …`), or None."""
    match = None if line.code else UNSPACED_HEADING.fullmatch(line.text)
    title = match[1].rstrip(" \t#") if match else ""
    return title if match_key(title) in PART_KEYS or runbook_title(title) is not None else None


def parse_runbook(title: str, lines: Sequence[Line], *, at: int, report_error: ReportError) -> RunbookPart:
    """Return the runbook with a title, and report invalid content. `at` is the line number of its heading."""
    name, audience = tidy_pipeline(title)
    if not match_key(name):
        report_error(HandbookError(at, "the runbook names no pipeline", "“## Runbook: ” and a pipeline's name"))
    for what, value, longest in (("title", name, MAX_PIPELINE_LENGTH), ("audience", audience, MAX_AUDIENCE_LENGTH)):
        if len(value) > longest:
            report_error(HandbookError(at, f"the runbook's {what} has {len(value)} characters", f"at most {longest}"))
    runbook = RunbookPart(name, audience, _sections(lines, report_error=report_error), line=at)
    size = len(runbook.markdown.encode())
    if size > MAX_RUNBOOK_BYTES:
        wrong = f"the runbook {quoted(name)} has {size:,} bytes"
        report_error(HandbookError(at, wrong, f"at most {MAX_RUNBOOK_BYTES:,}"))
    return runbook


def _sections(lines: Sequence[Line], *, report_error: ReportError) -> tuple[Section, ...]:
    """Return the sections started by level-3 headings, after the text above the first one."""
    starts = [place for place, line in enumerate(lines) if line.heading and line.heading[0] == SECTION_LEVEL]
    introduction = block_text(lines[: starts[0]] if starts else lines)
    sections = [Section("", introduction)] if introduction else []
    for start, end in pairwise([*starts, len(lines)]):
        title = tidy_sentence((lines[start].heading or (0, ""))[1])
        if not title:
            report_error(HandbookError(lines[start].number, "the section has no title", "“### ” and a title"))
        if len(title) > MAX_SECTION_TITLE_LENGTH:
            wrong = f"the section's title has {len(title)} characters"
            report_error(HandbookError(lines[start].number, wrong, f"at most {MAX_SECTION_TITLE_LENGTH}"))
        sections.append(Section(title, block_text(lines[start + 1 : end])))
    return tuple(sections)


def _fit_in_runbook(line: Line) -> Line:
    """Return a line changed so that it cannot end the runbook in the handbook file."""
    if (gap := unspaced_heading(line)) is not None:
        return replace(line, text=f"### {gap}")
    if line.heading is None or line.heading[0] > SECTION_LEVEL:
        return line
    title = tidy_sentence(line.heading[1])
    if len(title) > MAX_SECTION_TITLE_LENGTH:
        return replace(line, text=title)
    return replace(line, text=f"### {title}" if title else "")
