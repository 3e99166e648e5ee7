"""Formatting of check values in messages, the same on every page."""

import datetime as dt

from common.formatting import format_duration

MAX_MINUTES = 1e9  # beyond this, a duration is shown as a number


def format_number(value: float) -> str:
    """Return a number for display: "12,300", "0.042"."""
    if value == int(value) and abs(value) < 1e15:  # a whole number, shown without decimals
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
