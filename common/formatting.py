"""Dates, instants, durations and numbers as text; every page, mail and result uses these formats."""

import datetime as dt
import math
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

MAX_MINUTES = 1e9  # beyond this, a duration is shown as a number
MAX_PLAIN_NUMBER = 1e15  # beyond this, a number is shown with an exponent: a float has no more digits
# A full date is "Mon 30 Nov 2026", a brief one "Mon 30 Nov", a date "30 Nov 2026", a short one "30 Nov", a month "November 2026".
DateStyle = Literal["full", "brief", "date", "short", "month", "text"]

DURATION = re.compile(
    r"(?:(\d{1,4}) ?d(?:ays?)?)? ?(?:(\d{1,5}) ?h(?:ours?)?)? ?(?:(\d{1,6}) ?(?:m(?:in(?:utes?)?)?)?)?", re.ASCII
)


def format_day(day: dt.date, style: DateStyle = "date") -> str:
    """Return a date in words, such as "30 Nov 2026"; of an instant, its date in its own zone."""
    # The cache sees a plain date: instants are equal in every zone, and their dates are not.
    return _day_text(dt.date(day.year, day.month, day.day), style)


# A page shows the same few dates hundreds of times.
@lru_cache(maxsize=4096)
def _day_text(day: dt.date, style: DateStyle) -> str:
    if style == "month":
        return f"{day:%B %Y}"
    weekday = f"{day:%a} " if style in ("full", "brief") else ""
    year = f" {day:%Y}" if style in ("full", "date") else ""
    return f"{weekday}{day.day} {day:%b}{year}"


def format_instant(instant: dt.datetime, zone: dt.tzinfo, *, brief: bool = False) -> str:
    """Return an instant in a zone, such as "Mon 30 Nov 2026, 10:00 UTC"; `brief` leaves out the year."""
    local = instant.astimezone(zone)
    return f"{format_day(local, 'brief' if brief else 'full')}, {local:%H:%M} {local.tzname()}"


def period_parts(starts_at: dt.datetime, ends_at: dt.datetime, zone: dt.tzinfo, *, brief: bool) -> tuple[str, str]:
    """Return the start and the end of a period in a zone; the end has a date only if it is another day."""
    starts, ends = starts_at.astimezone(zone), ends_at.astimezone(zone)
    is_one_day = starts.date() == ends.date()
    end = f"{ends:%H:%M} {ends.tzname()}" if is_one_day else format_instant(ends, zone, brief=brief)
    return format_instant(starts, zone, brief=brief), end


def format_period(starts_at: dt.datetime, ends_at: dt.datetime, zone: dt.tzinfo, *, brief: bool = False) -> str:
    """Return a period in a zone, such as "Mon 30 Nov 2026, 10:00 UTC to 17:00 UTC"; `brief` leaves out the year."""
    return " to ".join(period_parts(starts_at, ends_at, zone, brief=brief))


def format_duration(span: dt.timedelta | None) -> str:
    """Return a duration in its two largest units: "45 s", "12 min", "1 h 5 min", "3 d 2 h"; "–" for None."""
    if span is None:
        return "–"
    seconds = max(0, round(span.total_seconds()))
    if seconds < 60:  # a minute
        return f"{seconds} s"
    minutes, hours, days = seconds // 60 % 60, seconds // 3600 % 24, seconds // 86400
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min"


def format_list(items: Sequence[str], *, limit: int) -> str:
    """Return the first `limit` items, separated by commas, and the number of other items: "a, b and 3 more"."""
    more = f" and {len(items) - limit:,} more" if len(items) > limit else ""
    return ", ".join(items[:limit]) + more


def format_minutes(minutes: int) -> str:
    """Return whole minutes in full, as `parse_minutes` reads them: "0 min", "1 d 2 h 30 min"."""
    days, hours, left_minutes = minutes // (24 * 60), minutes // 60 % 24, minutes % 60
    parts = [f"{amount} {unit}" for amount, unit in ((days, "d"), (hours, "h"), (left_minutes, "min")) if amount]
    return " ".join(parts) or "0 min"


def parse_minutes(text: str) -> int:
    """Return a duration such as "90", "90 min", "1 h 30 min" or "2 d" in minutes; raise ValueError for anything else.

    A number alone is minutes. `format_minutes` writes what this reads.
    """
    match = DURATION.fullmatch(text.replace(",", "").strip())
    if match is None or not any(match.groups()):
        raise ValueError("Enter a duration, such as 30 min, 2 h or 1 d 6 h.")
    days, hours, minutes = (int(amount or 0) for amount in match.groups())
    return days * 24 * 60 + hours * 60 + minutes


def format_relative(span: dt.timedelta) -> str:
    """Return how long ago or ahead something is, in its largest unit: "just now", "12 min ago", "in 3 h", "5 d ago"."""
    minutes = int(abs(span).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    units = ((24 * 60, "d"), (60, "h"), (1, "min"))
    amount = next(f"{minutes // size} {unit}" for size, unit in units if minutes >= size)
    return f"{amount} ago" if span < dt.timedelta() else f"in {amount}"


def format_number(value: float) -> str:
    """Return a number for display: "12,300", "0.042", "1.5e+20"; "inf" or "nan" for numbers that are not finite."""
    if not math.isfinite(value):
        return str(value)
    if abs(value) >= MAX_PLAIN_NUMBER:
        return f"{value:.4g}"
    if value == int(value):  # a whole number, shown without decimals
        return f"{int(value):,}"
    # Four significant digits are enough below a thousand.
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.1f}"


def format_value(value: float, *, unit: str) -> str:
    """Return a value with its unit for display: "13 h 7 min", "1,200 EUR", "2 missing"."""
    if unit == "min" and 0 <= value < MAX_MINUTES:
        return format_duration(dt.timedelta(minutes=value)) if value else "0 min"
    return f"{format_number(value)} {unit}".rstrip()


def format_count(count: int, noun: str) -> str:
    """Return a count with its noun: "1 day", "1,200 rows"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
