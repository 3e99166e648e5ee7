"""Run the anomaly check on a daily series from a file."""

import csv
import datetime as dt
import json
import math
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from people.queries import public_holidays
from validation.anomaly.scoring import score_series


class Command(BaseCommand):
    """`manage.py score_series FILE.csv [--kind count|ratio] [--calendar US] [--companion COLUMN]`: prints `{"2026-03-02": 0 or 1, …}`."""

    help = (
        "Run the anomaly check on each day of a CSV file with columns date and value, using the days before it. "
        "Prints JSON in which 1 is an anomaly."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the file, the metric's kind, the calendar and the alert budget."""
        parser.add_argument(
            "file", type=Path, help="CSV file with columns date (ISO) and value; an empty value is a missing day"
        )
        parser.add_argument(
            "--kind", choices=("count", "ratio"), default="count", help="ratio for values between 0 and 1"
        )
        parser.add_argument(
            "--calendar", metavar="COUNTRY", help="country of the public holidays, such as US, DE or AU-VIC"
        )
        parser.add_argument(
            "--companion",
            metavar="COLUMN",
            help="column of another metric that explains the value, such as temperature",
        )
        parser.add_argument("--budget", type=float, default=4.0, help="target number of alerts per year (default: 4)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read the file, evaluate each day and print the result."""
        if not 0.5 <= options["budget"] <= 365:
            raise CommandError("Use a budget between 0.5 and 365 alerts per year.")
        path: Path = options["file"]
        rows = _read(path, companion=options["companion"])
        points = [(row.day, row.value) for row in rows]
        results = score_series(
            [(day, value) for day, value in points if value is not None],
            companion={row.day: row.companion for row in rows if row.companion is not None},
            kind=options["kind"],
            holidays=_calendar(options["calendar"], [day for day, _ in points]),
            alert_budget=options["budget"],
        )
        alert_days = {one.day for one in results if one.is_flagged and one.maturity == "alerting"}
        self.stdout.write(json.dumps({day.isoformat(): int(day in alert_days) for day, _ in points}, indent=1))


@dataclass(frozen=True, slots=True)
class Row:
    """A day of the file with its value and that of the companion, None if missing."""

    day: dt.date
    value: float | None
    companion: float | None


def _read(path: Path, *, companion: str | None) -> list[Row]:
    """Return the file's rows, oldest first; raise CommandError with the line of an error."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or a NUL in the name
        raise CommandError(f"{path}: cannot read the file: {error}") from error
    try:
        return list(_rows(text, name=str(path), companion=companion))
    except csv.Error as error:
        raise CommandError(f"{path}: not a CSV file: {error}") from error


def _rows(text: str, *, name: str, companion: str | None) -> Iterator[Row]:
    """Yield the rows of a file; raise CommandError."""
    reader = csv.DictReader(text.splitlines())
    missing = {"date", "value", *([companion] if companion else [])} - set(reader.fieldnames or ())
    if missing:
        raise CommandError(f"{name}, line 1: missing column {' and '.join(sorted(missing))}.")
    last: dt.date | None = None
    for row in reader:
        location = f"{name}, line {reader.line_num}"
        day = _day(row["date"], location=location)
        if last is not None and day <= last:
            raise CommandError(
                f"{location}: {day} {'occurs twice' if day == last else f'is after {last}. Sort the rows by date'}."
            )
        last = day
        explains = _value(row[companion], location=location) if companion else None
        yield Row(day, _value(row["value"], location=location), explains)
    if last is None:
        raise CommandError(f"{name}, line 2: no rows.")


def _day(text: str | None, *, location: str) -> dt.date:
    try:
        return dt.date.fromisoformat((text or "").strip())
    except ValueError as error:
        raise CommandError(f"{location}: “{text or ''}” is not a date. Use a format such as 2026-03-02.") from error


def _value(text: str | None, *, location: str) -> float | None:
    """Return the number, or None for an empty cell."""
    if text is None:
        raise CommandError(f"{location}: missing value.")
    if not text.strip():
        return None
    try:
        value = float(text)
    except ValueError as error:
        raise CommandError(f"{location}: “{text}” is not a number.") from error
    if not math.isfinite(value):
        raise CommandError(f"{location}: “{text}” is not a finite number.")
    return value


def _calendar(calendar: str | None, days: list[dt.date]) -> dict[dt.date, str]:
    """Return the public holidays by date, with one extra year on each side; raise CommandError."""
    if calendar is None:
        return {}
    country, _, subdivision = calendar.upper().partition("-")
    years = range(max(1, days[0].year - 1), min(9999, days[-1].year + 1) + 1)
    try:
        return {day: name for year in years for day, name in public_holidays(country, subdivision, year).items()}
    except NotImplementedError as error:
        raise CommandError(f"Unknown calendar “{calendar}”. Use a code such as US, DE or AU-VIC.") from error
