"""Judges a daily series from a file, as the anomaly check would have day by day."""

import csv
import datetime as dt
import json
import math
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from people.queries import public_holidays
from validation.anomaly.scoring import score_series


class Command(BaseCommand):
    """`manage.py score_series FILE.csv [--kind count|ratio] [--calendar US]`: prints `{"2026-03-02": 0 or 1, …}`."""

    help = (
        "Judge each day of a CSV file with the columns date and value by the days before it, and print JSON: 1 is odd."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the file, the metric's kind, the calendar and the budget."""
        parser.add_argument(
            "file", type=Path, help="CSV with the columns date (ISO) and value; no value is a missing day"
        )
        parser.add_argument("--kind", choices=("count", "ratio"), default="count", help="ratio for shares of one")
        parser.add_argument("--calendar", metavar="COUNTRY", help="public holidays of a country, such as US or DE")
        parser.add_argument("--budget", type=float, default=4.0, help="alerts a year to aim at (4)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Read, judge and print."""
        if not 0.5 <= options["budget"] <= 365:
            raise CommandError("The budget is between 0.5 and 365 alerts a year.")
        path: Path = options["file"]
        points = _points(path)
        judged = score_series(
            [(day, value) for day, value in points if value is not None],
            kind=options["kind"],
            holidays=_calendar(options["calendar"], [day for day, _ in points]),
            alert_budget=options["budget"],
        )
        told = {one.day for one in judged if one.is_flagged and one.maturity == "alerting"}
        self.stdout.write(json.dumps({day.isoformat(): int(day in told) for day, _ in points}, indent=1))


def _points(path: Path) -> list[tuple[dt.date, float | None]]:
    """Return the file's days and values, oldest first; raises CommandError naming the line that cannot be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:  # ValueError: not UTF-8, or a NUL in the name
        raise CommandError(f"{path}: cannot be read: {error}") from error
    try:
        return list(_rows(text, name=str(path)))
    except csv.Error as error:
        raise CommandError(f"{path}: no CSV file: {error}") from error


def _rows(text: str, *, name: str) -> Iterator[tuple[dt.date, float | None]]:
    """Yield the days and values of the rows; raises CommandError."""
    reader = csv.DictReader(text.splitlines())
    missing = {"date", "value"} - set(reader.fieldnames or ())
    if missing:
        raise CommandError(f"{name}, line 1: no column {' and '.join(sorted(missing))}.")
    last: dt.date | None = None
    for row in reader:
        where = f"{name}, line {reader.line_num}"
        day = _day(row["date"], where=where)
        if last is not None and day <= last:
            raise CommandError(
                f"{where}: {day} {'comes twice' if day == last else f'comes after {last}: sort by date'}."
            )
        last = day
        yield day, _value(row["value"], where=where)
    if last is None:
        raise CommandError(f"{name}, line 2: no rows.")


def _day(text: str | None, *, where: str) -> dt.date:
    try:
        return dt.date.fromisoformat((text or "").strip())
    except ValueError as error:
        raise CommandError(f"{where}: “{text or ''}” is no date such as 2026-03-02.") from error


def _value(text: str | None, *, where: str) -> float | None:
    """Return the number, or None for an empty cell: the day has no value."""
    if text is None:
        raise CommandError(f"{where}: no value.")
    if not text.strip():
        return None
    try:
        value = float(text)
    except ValueError as error:
        raise CommandError(f"{where}: “{text}” is no number.") from error
    if not math.isfinite(value):
        raise CommandError(f"{where}: “{text}” is no finite number.")
    return value


def _calendar(country: str | None, days: list[dt.date]) -> dict[dt.date, str]:
    """Return the public holidays in the years of the days and beside them, by date; raises CommandError."""
    if country is None:
        return {}
    years = range(max(1, days[0].year - 1), min(9999, days[-1].year + 1) + 1)
    try:
        return {day: name for year in years for day, name in public_holidays(country.upper(), "", year).items()}
    except NotImplementedError as error:
        raise CommandError(f"No calendar of “{country}” is known; US and DE are such names.") from error
