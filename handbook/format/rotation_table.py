"""A rotation as other teams write it: a table of weeks or dates, or a numbered list of names."""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from common.formatting import format_count
from handbook.format.tables import Table, tables
from people.domain.names import match_key
from runbooks.domain.handbook_model import MAX_PERSON_LENGTH, FirstDay, HandbookError, RosterEntry, calendar_date
from runbooks.domain.markdown_lines import Line
from runbooks.domain.markdown_lists import WEEK
from runbooks.domain.text_cleanup import quoted, tidy_name, tidy_person

# The names of columns that teams use, as match keys.
ENGINEER_HEADS = frozenset(
    {
        "engineer", "engineer on call", "on call engineer", "on call", "oncall", "oncall engineer", "name", "person", "who",
        "primary", "primary on call", "primary engineer", "assignee", "owner", "member", "responsible", "developer",
    }
)  # fmt: skip
WEEK_HEADS = frozenset(
    {"week", "weeks", "week number", "week no", "shift", "turn", "order", "position", "no", "number", "#"}
)
DATE_HEADS = frozenset(
    {
        "date", "dates", "day", "start", "start date", "starts", "starts on", "starting", "from", "week of", "week starting",
        "week commencing", "week beginning", "monday", "period",
    }
)  # fmt: skip
END_HEADS = frozenset({"end", "end date", "ends", "ends on", "ending", "to", "until", "till", "through"})
WEEK_NUMBER = re.compile(r"(?:(?:\d{4}-)?w(?:eek|k)?\.? ?)?0*([0-9]{1,6})\b.*", re.IGNORECASE)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTH = r"(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
DATES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"(?P<year>\d{4})[-/.](?P<number>\d{1,2})[-/.](?P<day>\d{1,2})",
        r"(?P<day>\d{1,2})\.(?P<number>\d{1,2})\.(?P<year>\d{4})?",
        rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:\s*[-–—]\s*\d{{1,2}}(?:st|nd|rd|th)?)?\s+(?:of\s+)?{MONTH}(?:,?\s+(?P<year>\d{{4}}))?",
        rf"{MONTH}\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?!\d)(?:,?\s+(?P<year>\d{{4}}))?",
    )
)
DAYS_A_WEEK = 7
# Any leap year: a date without a year may be 29 February.
SOME_YEAR = 2024
EXPECTED_COLUMNS = "the columns “Week” and “Engineer”, or “Start”, “End” and “Engineer”"

ReportError = Callable[[HandbookError], None]


def rotation_table(lines: Sequence[Line]) -> Table | None:
    """Return the first table with a column of engineers and one of weeks or dates, or None."""
    for table in tables(lines):
        heads = set(map(match_key, table.heads))
        if heads & ENGINEER_HEADS and heads & (WEEK_HEADS | DATE_HEADS):
            return table
    return None


def has_weeks(lines: Sequence[Line]) -> bool:
    """Return True if the lines list weeks with a name each, or have a rotation's table."""
    items = (line.item for line in lines)
    return any(WEEK.fullmatch(item[2]) for item in items if item) or rotation_table(lines) is not None


def parse_rotation_table(table: Table, *, report_error: ReportError) -> tuple[tuple[RosterEntry, ...], FirstDay | None]:
    """Return the engineers in the order of the weeks, and the first date. Report what is wrong.

    Rows may go through the rotation several times, in the same order each time.
    """
    keys = [match_key(head) for head in table.heads]
    unknown = [
        head
        for key, head in zip(keys, table.heads, strict=True)
        if key not in ENGINEER_HEADS | WEEK_HEADS | DATE_HEADS | END_HEADS
    ]
    for head in unknown:
        wrong = f"the rotation's table has a column {quoted(head)}"
        report_error(HandbookError(table.line, wrong, f"{EXPECTED_COLUMNS}; other text below the table"))
    people = [place for place, key in enumerate(keys) if key in ENGINEER_HEADS]
    if len(people) > 1:
        wrong = f"the rotation's table has {len(people)} columns of engineers"
        report_error(HandbookError(table.line, wrong, "one engineer per week; a section of its own for each rotation"))
        return (), None
    rows: list[tuple[RosterEntry, Sequence[str]]] = []
    for line, cells in table.rows:
        if len(cells) != len(keys):
            report_error(HandbookError(line, f"the row has {format_count(len(cells), 'cell')}", f"{len(keys)}"))
            continue
        name = tidy_person(cells[people[0]])
        problem = _name_problem(name)
        if problem:
            report_error(HandbookError(line, *problem))
        else:
            rows.append((RosterEntry(name, line=line), cells))
    if not table.rows:
        report_error(HandbookError(table.line, "the rotation's table has no week", "a row for each week"))
    first_day = _first_day(rows, keys, report_error=report_error)
    return _cycle([entry for entry, _ in rows], report_error=report_error), first_day


def _name_problem(name: str) -> tuple[str, str] | None:
    if not match_key(name):
        return "the week has no engineer", "a name"
    if len(name) > MAX_PERSON_LENGTH:
        return f"the engineer {quoted(name)} has {len(name)} characters", f"at most {MAX_PERSON_LENGTH}"
    return None


def _first_day(
    rows: Sequence[tuple[RosterEntry, Sequence[str]]], keys: Sequence[str], *, report_error: ReportError
) -> FirstDay | None:
    """Return the date of the first row. Report rows that are not a week after the one above, and numbers out of order."""
    places = [place for place, key in enumerate(keys) if key in DATE_HEADS]
    places += [place for place, key in enumerate(keys) if key in WEEK_HEADS]
    for place in places:
        days = [_parse_day(cells[place]) for _, cells in rows]
        if any(days):
            _check_days(
                [(entry.line, day, cells[place]) for (entry, cells), day in zip(rows, days, strict=True)], report_error
            )
            return days[0]
        if keys[place] in DATE_HEADS:
            for entry, cells in rows[:1]:
                wrong = f"{quoted(tidy_name(cells[place]))} is not a date"
                report_error(HandbookError(entry.line, wrong, "a date such as 2026-11-23"))
            return None
        _check_numbers([(entry.line, cells[place]) for entry, cells in rows], report_error)
    return None


def _parse_day(cell: str) -> FirstDay | None:
    text = tidy_name(cell)
    matches = [match for pattern in DATES if (match := pattern.search(text))]
    if not matches:
        return None
    groups = min(matches, key=lambda match: match.start()).groupdict()
    month = int(groups["number"]) if groups.get("number") else MONTHS.index(groups["month"].lower()) + 1
    day = FirstDay(int(groups["year"]) if groups["year"] else None, month, int(groups["day"]))
    return day if calendar_date(day.year or SOME_YEAR, day.month, day.day) else None


def _check_days(rows: Sequence[tuple[int, FirstDay | None, str]], report_error: ReportError) -> None:
    for line, day, cell in rows:
        if day is None:
            report_error(HandbookError(line, f"{quoted(tidy_name(cell))} is not a date", "a date such as 2026-11-23"))
    for (_, above, _), (line, day, cell) in pairwise(rows):
        if above is None or day is None:
            continue
        # Without years, 4 January is a week after 28 December.
        years = [(above.year or day.year or SOME_YEAR) + more for more in (0, 1)]
        begin = calendar_date(years[0], above.month, above.day)
        ends = [calendar_date(year, day.month, day.day) for year in ([day.year] if day.year else years)]
        gaps = [(end - begin).days for end in ends if end and begin]
        # 29 February may be missing in the year that was meant.
        if not any(gap in (DAYS_A_WEEK, *([] if day.year else [DAYS_A_WEEK + 1])) for gap in gaps):
            wrong = f"{quoted(tidy_name(cell))} is not a week after the row above"
            report_error(HandbookError(line, wrong, "one row per week, without gaps"))


def _check_numbers(rows: Sequence[tuple[int, str]], report_error: ReportError) -> None:
    numbers = []
    for line, cell in rows:
        match = WEEK_NUMBER.fullmatch(tidy_name(cell))
        if match is None:
            report_error(
                HandbookError(line, f"{quoted(tidy_name(cell))} is not a week", "a number, “Week 1” or a date")
            )
            return
        numbers.append((line, int(match[1])))
    for (_, above), (line, number) in pairwise(numbers):
        # Numbers of the calendar's weeks begin again after 52 or 53.
        if number != above + 1 and not (number == 1 and above in (52, 53)):
            report_error(HandbookError(line, f"week {number} is below week {above}", f"week {above + 1}"))


def _cycle(entries: Sequence[RosterEntry], *, report_error: ReportError) -> tuple[RosterEntry, ...]:
    """Return the first round of the rotation. Report the first row that breaks the order of that round."""
    keys = [match_key(entry.engineer) for entry in entries]
    length = next((place for place, key in enumerate(keys) if key in keys[:place]), len(keys))
    for place in range(length, len(keys)):
        if keys[place] != keys[place % length]:
            expected = quoted(entries[place % length].engineer)
            wrong = f"{quoted(entries[place].engineer)} is out of turn: the order repeats after {format_count(length, 'week')}"
            report_error(HandbookError(entries[place].line, wrong, f"{expected} (swap shifts on the site instead)"))
            break
    return tuple(entries[:length])
