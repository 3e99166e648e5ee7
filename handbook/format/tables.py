"""The ownership table of a handbook: find it, parse its rows and write it."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from people.domain.names import match_key
from runbooks.domain.handbook_model import (
    LONGEST_AUDIENCE,
    LONGEST_KEY,
    LONGEST_PERSON,
    LONGEST_PIPELINE,
    HandbookError,
    PipelineRow,
    full_name,
)
from runbooks.domain.markdown_lines import Line
from runbooks.domain.text_cleanup import (
    code_spans,
    counted,
    lone_backtick,
    quoted,
    tidy_name,
    tidy_person,
    tidy_pipeline,
)

# Other heads that teams use, by the usual one.
ALIASES = {
    "pipeline name": "pipeline",
    "data pipeline": "pipeline",
    "owner": "primary owner",
    "primary": "primary owner",
    "main owner": "primary owner",
    "backup owner": "secondary owner",
    "backup": "secondary owner",
    "secondary": "secondary owner",
    "second owner": "secondary owner",
}
UNASSIGNED = frozenset({"unassigned", "none", "nobody", "no one", "tbd", "tba", "n a", "vacant"})
TWO_NAMES = re.compile(r"\s*(?:[,;/]|<br ?/?>)\s*|\s+(?:[&+]|and)\s+", re.IGNORECASE)

COLUMNS = ("Pipeline", "Primary Owner", "Secondary Owner")
KNOWN = "the columns “Pipeline”, “Primary Owner” and “Secondary Owner”"
# The column widths of the original handbook, to keep the diff of an export small.
WIDTHS = (43, 18, 20)
DASHES = re.compile(r"[ \t]*:?-+:?[ \t]*")

ReportError = Callable[[HandbookError], None]


@dataclass(frozen=True, slots=True)
class Table:
    """A Markdown table: start and end in the searched lines, column heads, and rows with line numbers."""

    start: int
    end: int
    line: int
    heads: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]


def ownership_table(lines: Sequence[Line]) -> Table | None:
    """Return the first table with a "Pipeline" column, else the first table, or None if there is no table."""
    tables = []
    start = 0
    while start < len(lines):
        table = _table_at(lines, start)
        tables += [table] if table else []
        start = table.end if table else start + 1
    named = [table for table in tables if match_key(COLUMNS[0]) in map(_column_key, table.heads)]
    return next(iter(named + tables), None)


def looks_like_row(line: Line) -> bool:
    """Return True if a line starts and ends like a table row."""
    return not line.code and re.fullmatch(r"[ \t]*\|.*\|[ \t]*", line.text) is not None


def pipeline_names(table: Table) -> dict[str, str]:
    """Return pipeline names by match key, including those of invalid rows. Skip rows without a readable name."""
    column = next((place for place, head in enumerate(table.heads) if _column_key(head) == match_key(COLUMNS[0])), None)
    if column is None or any(len(cells) != len(table.heads) for _, cells in table.rows):
        return {}
    names = [tidy_pipeline(cells[column]) for _, cells in table.rows]
    known = {
        match_key(full_name(name, audience=audience)): full_name(name, audience=audience) for name, audience in names
    }
    return {} if "" in known else known


def parse_rows(table: Table, *, report_error: ReportError) -> tuple[PipelineRow, ...]:
    """Return the valid rows of the ownership table, and report an error for each invalid row."""
    order = _column_order(table, report_error=report_error)
    if order is None:
        return ()
    if not table.rows:
        report_error(HandbookError(table.line, "the table has no pipeline", "at least one row"))
    rows = []
    for number, cells in table.rows:
        if len(cells) != len(order):
            wrong = f"the row has {counted(len(cells), 'cell')}"
            report_error(HandbookError(number, wrong, f"{len(order)} (a pipe inside a cell is written \\|)"))
        elif row := _row(number, [cells[place] for place in order], report_error=report_error):
            rows.append(row)
    return tuple(rows)


def table_text(rows: Sequence[PipelineRow]) -> str:
    """Return the ownership table as Markdown, with each column padded to one width."""
    heads = [f"**{title}**" for title in COLUMNS]
    cells = [[_escaped(text) for text in (row.full_name, row.primary, row.secondary)] for row in rows]
    widths = [max(least, *(len(row[place]) for row in [heads, *cells])) for place, least in enumerate(WIDTHS)]
    dashes = "|".join("-" * (width + 2) for width in widths)
    return "\n".join([_padded(heads, widths), f"|{dashes}|", *(_padded(row, widths) for row in cells)])


def split_cells(text: str) -> tuple[str, ...]:
    r"""Return the cells of a row.

    A pipe in a code span or after a backslash is part of its cell. `\|` becomes `|`.
    """
    spans = list(code_spans(text))
    cells, start = [], 0
    covered = iter([*spans, (len(text), len(text))])
    span = next(covered)
    for at in (match.start() for match in re.finditer(r"(?<!\\)\|", text)):
        while at >= span[1] and span[0] < len(text):
            span = next(covered)
        if at < span[0]:
            cells.append(text[start:at])
            start = at + 1
    cells.append(text[start:])
    # Pipes at both ends of a row do not separate cells.
    first = 0 if cells[0].strip() or len(cells) == 1 else 1
    last = len(cells) if cells[-1].strip() or len(cells) == 1 else len(cells) - 1
    return tuple(cell.strip().replace("\\|", "|") for cell in cells[first:last])


def _table_at(lines: Sequence[Line], start: int) -> Table | None:
    if start + 1 >= len(lines) or lines[start].code or lines[start + 1].code or "|" not in lines[start].text:
        return None
    heads = split_cells(lines[start].text)
    dashes = split_cells(lines[start + 1].text)
    if "|" not in lines[start + 1].text or len(dashes) != len(heads) or not all(map(DASHES.fullmatch, dashes)):
        return None
    end = start + 2
    while end < len(lines) and not (lines[end].is_blank or lines[end].code or lines[end].is_rule or lines[end].heading):
        end += 1
    rows = tuple((line.number, split_cells(line.text)) for line in lines[start + 2 : end])
    return Table(start=start, end=end, line=lines[start].number, heads=tuple(map(tidy_name, heads)), rows=rows)


def _column_order(table: Table, *, report_error: ReportError) -> list[int] | None:
    """Return the indexes of the three columns. If the columns are wrong, report errors and return None."""
    keys = [_column_key(head) for head in table.heads]
    wanted = [match_key(title) for title in COLUMNS]
    problems = [f"the table has no column {quoted(title)}" for title in COLUMNS if match_key(title) not in keys]
    for place, (key, head) in enumerate(zip(keys, table.heads, strict=True)):
        if key not in wanted:
            problems.append(f"the table has an unknown column {quoted(head)}")
        elif key in keys[:place]:
            problems.append(f"the table has a second column {quoted(head)}")
    for wrong in problems:
        report_error(HandbookError(table.line, wrong, KNOWN))
    return None if problems else [keys.index(key) for key in wanted]


def _column_key(head: str) -> str:
    key = match_key(head)
    return ALIASES.get(key, key)


def _row(number: int, cells: Sequence[str], *, report_error: ReportError) -> PipelineRow | None:
    """Return the pipeline in a row. If a cell is wrong, report errors and return None."""
    name, audience = tidy_pipeline(cells[0])
    primary, secondary = map(tidy_person, cells[1:])
    values = (
        ("pipeline", name, LONGEST_PIPELINE),
        ("audience", audience, LONGEST_AUDIENCE),
        ("primary owner", primary, LONGEST_PERSON),
        ("secondary owner", secondary, LONGEST_PERSON),
    )
    problems = [
        problem
        for what, value, longest in values
        if (value or what != "audience") and (problem := _problem_with(value, what=what, longest=longest))
    ]
    if not problems and len(match_key(cells[0])) > LONGEST_KEY:
        problems.append((f"the pipeline {quoted(name)} is too long", f"at most {LONGEST_KEY} letters when spelled out"))
    if not problems and match_key(primary) == match_key(secondary):
        problems.append((f"{quoted(primary)} is both primary and secondary owner", "two people"))
    for wrong, expected in problems:
        report_error(HandbookError(number, wrong, expected))
    return None if problems else PipelineRow(name, audience, primary, secondary, line=number)


def _problem_with(value: str, *, what: str, longest: int) -> tuple[str, str] | None:
    if not match_key(value):
        return f"the {what} is empty", "a name"
    if what.endswith("owner") and match_key(value) in UNASSIGNED:
        return f"the {what} is {quoted(value)}", "a person: every pipeline has two owners"
    if what.endswith("owner") and len(names := [name for name in TWO_NAMES.split(value) if match_key(name)]) > 1:
        return f"the {what} {quoted(value)} names {len(names)} people", "one name"
    if what == "pipeline" and value.count("(") != value.count(")"):
        return f"the pipeline {quoted(value)} has a bracket without its pair", "both brackets, “(” and “)”"
    if lone_backtick(value):
        return f"the {what} {quoted(value)} has a lone backtick", "backticks in pairs"
    if len(value) > longest:
        return f"the {what} {quoted(value)} has {len(value)} characters", f"at most {longest}"
    return None


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def _padded(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
