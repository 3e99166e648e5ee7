"""The ownership table of a handbook: find it, parse its rows and write it."""

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from common.formatting import format_count
from people.domain.names import match_key
from runbooks.domain.handbook_model import (
    MAX_AUDIENCE_LENGTH,
    MAX_MATCH_KEY_LENGTH,
    MAX_PERSON_LENGTH,
    MAX_PIPELINE_LENGTH,
    ExtraColumn,
    HandbookError,
    PipelineRow,
    full_name,
)
from runbooks.domain.markdown_lines import Line
from runbooks.domain.text_cleanup import (
    code_spans,
    has_lone_backtick,
    has_visible_text,
    quoted,
    tidy_name,
    tidy_person,
    tidy_pipeline,
    tidy_sentence,
)

# Other heads that teams use, as match keys, by the usual title.
ALIASES = {
    "Pipeline": ("pipeline name", "pipelines", "data pipeline", "dataset", "data set", "data product", "workflow", "job", "dag"),
    "Primary Owner": (
        "owner", "primary", "main owner", "first owner", "lead", "primary engineer", "primary contact", "maintainer", "dri",
        "responsible", "responsible engineer",
    ),
    "Secondary Owner": (
        "backup owner", "backup", "back up owner", "back up", "secondary", "second owner", "co owner", "secondary engineer",
        "backup engineer", "secondary contact", "deputy", "alternate", "fallback",
    ),
}  # fmt: skip
ROTATION_COLUMN = "Rotation"
ROTATION_KEYS = frozenset({"rotation", "on call rotation", "rota", "on call rota"})
UNASSIGNED = frozenset({"unassigned", "none", "nobody", "no one", "tbd", "tba", "n a", "vacant"})
TWO_NAMES = re.compile(r"\s*(?:[,;/]|<br ?/?>)\s*|\s+(?:[&+]|and)\s+", re.IGNORECASE)

COLUMNS = ("Pipeline", "Primary Owner", "Secondary Owner")
COLUMNS_TEXT = "the columns “Pipeline”, “Primary Owner” and “Secondary Owner”"
MAX_CELL_LENGTH = 4000
# The column widths of the original handbook, to keep the diff of an export small.
COLUMN_WIDTHS = (43, 18, 20)
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


def tables(lines: Sequence[Line]) -> Iterator[Table]:
    """Yield the tables among the lines, in order."""
    start = 0
    while start < len(lines):
        table = _table_at(lines, start)
        if table is not None:
            yield table
        start = table.end if table else start + 1


def ownership_table(lines: Sequence[Line]) -> Table | None:
    """Return the first table with a column of pipelines, else the first table, or None if there is no table."""
    found_tables = list(tables(lines))
    return next((table for table in found_tables if "Pipeline" in _columns(table)), next(iter(found_tables), None))


def is_ownership_table(lines: Sequence[Line]) -> bool:
    """Return True if there is a table with columns of pipelines and owners."""
    return any({"Pipeline", "Primary Owner"} <= set(_columns(table)) for table in tables(lines))


def looks_like_row(line: Line) -> bool:
    """Return True if a line starts and ends like a table row."""
    return not line.code and re.fullmatch(r"[ \t]*\|.*\|[ \t]*", line.text) is not None


def pipeline_names(table: Table) -> dict[str, str]:
    """Return pipeline names by match key, including those of invalid rows. Skip rows without a readable name."""
    column = _columns(table).get("Pipeline")
    if column is None or any(len(cells) != len(table.heads) for _, cells in table.rows):
        return {}
    names = [tidy_pipeline(cells[column]) for _, cells in table.rows]
    known = {
        match_key(full_name(name, audience=audience)): full_name(name, audience=audience) for name, audience in names
    }
    return {} if "" in known else known


def parse_rows(
    table: Table, *, rotations: Sequence[str], report_error: ReportError
) -> tuple[tuple[PipelineRow, ...], tuple[ExtraColumn, ...]]:
    """Return the valid rows of the ownership table and its extra columns, and report an error for each invalid row.

    Of several `rotations`, a column may name that of each pipeline.
    """
    columns = _column_order(table, report_error=report_error)
    if columns is None:
        return (), ()
    known = [columns[title] for title in COLUMNS]
    column = _rotation_column(table) if len(rotations) > 1 else None
    extra = [place for place in range(len(table.heads)) if place not in (*known, column)]
    if not table.rows:
        report_error(HandbookError(table.line, "the table has no pipeline", "at least one row"))
    rows = []
    titles = {match_key(title): title for title in rotations}
    for number, cells in table.rows:
        if len(cells) != len(table.heads):
            wrong = f"the row has {format_count(len(cells), 'cell')}"
            report_error(HandbookError(number, wrong, f"{len(table.heads)} (a pipe inside a cell is written \\|)"))
            continue
        texts = tuple(_extra_cell(number, cells[place], report_error=report_error) for place in extra)
        rotation = None
        if column is not None:
            rotation = _rotation(number, cells[column], titles=titles, report_error=report_error)
        row = _row(number, [cells[place] for place in known], report_error=report_error)
        rows += [replace(row, rotation=rotation, extra=texts)] if row else []
    return tuple(rows), tuple(ExtraColumn(place, table.heads[place]) for place in extra)


def table_text(rows: Sequence[PipelineRow], columns: Sequence[ExtraColumn] = ()) -> str:
    """Return the ownership table as Markdown, with each column padded to one width."""
    heads = [f"**{title}**" for title in COLUMNS]
    cells = [[row.full_name, row.primary, row.secondary] for row in rows]
    widths = list(COLUMN_WIDTHS)
    # In ascending order, so that each column gets its place in the whole table.
    for number, column in enumerate(columns):
        place = min(column.place, len(heads))
        heads.insert(place, f"**{column.title}**" if column.title else "")
        widths.insert(place, 0)
        for row, texts in zip(rows, cells, strict=True):
            texts.insert(place, row.extra[number])
    if any(row.rotation is not None for row in rows):
        heads.append(f"**{ROTATION_COLUMN}**")
        widths.append(0)
        for row, texts in zip(rows, cells, strict=True):
            texts.append(row.rotation or "")
    escaped = [[_escaped(text) for text in texts] for texts in cells]
    widths = [max(least, *(len(row[place]) for row in [heads, *escaped])) for place, least in enumerate(widths)]
    dashes = "|".join("-" * (width + 2) for width in widths)
    return "\n".join([_padded(heads, widths), f"|{dashes}|", *(_padded(row, widths) for row in escaped)])


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


def _columns(table: Table) -> dict[str, int]:
    """Return the places of the known columns by usual title: those with the title, else the first with an alias."""
    keys = [match_key(head) for head in table.heads]
    columns = {}
    for title, aliases in ALIASES.items():
        usual = match_key(title)
        place = keys.index(usual) if usual in keys else next((n for n, key in enumerate(keys) if key in aliases), None)
        if place is not None:
            columns[title] = place
    return columns


def _column_order(table: Table, *, report_error: ReportError) -> dict[str, int] | None:
    """Return the places of the three columns. If the columns are wrong, report errors and return None."""
    columns = _columns(table)
    keys = [match_key(head) for head in table.heads]
    others = {key: head for key, head in zip(keys, table.heads, strict=True) if keys.index(key) not in columns.values()}
    problems = []
    for title in COLUMNS:
        if title not in columns:
            like = difflib.get_close_matches(match_key(title), others, n=1, cutoff=0.7)
            hint = f" (is it {quoted(others[like[0]])}?)" if like else ""
            problems.append(f"the table has no column {quoted(title)}{hint}")
    problems += [
        f"the table has a second column {quoted(head)}"
        for place, (key, head) in enumerate(zip(keys, table.heads, strict=True))
        if key in keys[:place]
    ]
    for wrong in problems:
        report_error(HandbookError(table.line, wrong, COLUMNS_TEXT))
    return None if problems else columns


def _rotation_column(table: Table) -> int | None:
    known = _columns(table).values()
    places = (
        place for place, head in enumerate(table.heads) if place not in known and match_key(head) in ROTATION_KEYS
    )
    return next(places, None)


def _rotation(number: int, cell: str, *, titles: dict[str, str], report_error: ReportError) -> str:
    """Return the title of the rotation that a cell names, "" if it names none."""
    name = tidy_sentence(cell)
    key = match_key(name) if has_visible_text(name) else ""
    if not key or key in UNASSIGNED:
        return ""
    if key not in titles:
        like = difflib.get_close_matches(key, titles, n=1, cutoff=0.4)
        expected = f"{quoted(titles[like[0]])}, the nearest" if like else "a rotation of the schedule"
        report_error(HandbookError(number, f"no rotation is named {quoted(name)}", expected))
    return titles.get(key, "")


def _extra_cell(number: int, cell: str, *, report_error: ReportError) -> str:
    text = tidy_sentence(cell)
    if has_lone_backtick(text):
        report_error(HandbookError(number, f"the cell {quoted(text)} has a lone backtick", "backticks in pairs"))
    if len(text) > MAX_CELL_LENGTH:
        report_error(HandbookError(number, f"the cell has {len(text)} characters", f"at most {MAX_CELL_LENGTH}"))
    return text


def _row(number: int, cells: Sequence[str], *, report_error: ReportError) -> PipelineRow | None:
    """Return the pipeline in a row. If a cell is wrong, report errors and return None."""
    name, audience = tidy_pipeline(cells[0])
    primary, secondary = map(tidy_person, cells[1:])
    values = (
        ("pipeline", name, MAX_PIPELINE_LENGTH),
        ("audience", audience, MAX_AUDIENCE_LENGTH),
        ("primary owner", primary, MAX_PERSON_LENGTH),
        ("secondary owner", secondary, MAX_PERSON_LENGTH),
    )
    problems = [
        problem
        for what, value, longest in values
        if (value or what != "audience") and (problem := _problem_with(value, what=what, longest=longest))
    ]
    if not problems and len(match_key(cells[0])) > MAX_MATCH_KEY_LENGTH:
        problems.append(
            (f"the pipeline {quoted(name)} is too long", f"at most {MAX_MATCH_KEY_LENGTH} letters when spelled out")
        )
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
    if has_lone_backtick(value):
        return f"the {what} {quoted(value)} has a lone backtick", "backticks in pairs"
    if len(value) > longest:
        return f"the {what} {quoted(value)} has {len(value)} characters", f"at most {longest}"
    return None


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def _padded(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"
