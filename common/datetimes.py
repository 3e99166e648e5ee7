"""Parsing of instants and dates, and the API's format of instants."""

import datetime as dt
from collections.abc import Callable, Mapping
from typing import TypeVar

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from common.exceptions import InvalidInputError

Value = TypeVar("Value")

# How long a deleted check or runbook can be restored.
RESTORE_WINDOW = dt.timedelta(days=30)
EARLIEST, LATEST = dt.date(2000, 1, 1), dt.date(2100, 1, 1)
OUT_OF_RANGE_DATE = "Enter a date between 2000 and 2100."
INVALID_INSTANT = "Enter a date and time with a time zone between 2000 and 2100, such as 2026-11-23T10:00:00Z."
INVALID_TIME_OF_DAY = "Enter a time without a time zone, such as 09:30."
INVALID_DATE = "Enter a date between 2000 and 2100, such as 2026-11-23."


def parse_instant_param(params: Mapping[str, str], *, name: str = "at") -> dt.datetime:
    """Return the instant in a query parameter, now if it is absent; raise InvalidInputError for the parameter."""
    return _parse_param(params, name, _parse_url_instant) or timezone.now()


def parse_instant_or_date_param(params: Mapping[str, str], *, name: str) -> dt.datetime | None:
    """Return the instant in a query parameter as `parse_instant_or_date` does, None if it is absent.

    Raises InvalidInputError for the parameter.
    """
    return _parse_param(params, name, parse_instant_or_date)


def parse_date_param(params: Mapping[str, str], *, name: str, default: dt.date) -> dt.date:
    """Return the date in a query parameter; raise InvalidInputError for the parameter."""
    return _parse_param(params, name, _parse_url_date) or default


def _parse_param(params: Mapping[str, str], name: str, parse: Callable[[str], Value]) -> Value | None:
    text = params.get(name, "")
    if not text:
        return None
    try:
        return parse(text)
    except ValueError as error:
        raise InvalidInputError({name: [str(error)]}) from error


def parse_instant_or_date(text: str) -> dt.datetime:
    """Return the instant in a text from a URL; a date means its first instant in UTC. Raise ValueError if it is invalid."""
    if "T" in text:
        return _parse_url_instant(text)
    return dt.datetime.combine(_parse_url_date(text), dt.time(), dt.UTC)


def _parse_url_instant(text: str) -> dt.datetime:
    # A plus sign that is not escaped in a URL arrives as a space.
    instant = parse_instant(text.strip().replace(" ", "+") if "T" in text else text)
    if instant is None:
        raise ValueError(INVALID_INSTANT)
    return instant


def _parse_url_date(text: str) -> dt.date:
    try:
        day = parse_date(text)
    except ValueError as error:
        raise ValueError(INVALID_DATE) from error
    if day is None or not is_in_range(day):
        raise ValueError(INVALID_DATE)
    return day


def parse_instant(text: str) -> dt.datetime | None:
    """Return the instant in UTC; None if it is no date and time, has no time zone, or is out of range."""
    try:
        instant = parse_datetime(text)
        if instant is None or instant.tzinfo is None:
            return None
        instant = instant.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
    return instant if is_in_range(instant.date()) else None


def is_in_range(day: dt.date) -> bool:
    """Return True for the dates that the site accepts: 2000 to 2099."""
    return EARLIEST <= day < LATEST


def check_in_range(days: Mapping[str, dt.date]) -> None:
    """Raise InvalidInputError for the first date, by its field, that the site does not accept."""
    for field, day in days.items():
        if not is_in_range(day):
            raise InvalidInputError({field: [OUT_OF_RANGE_DATE]})


def check_order(first: dt.date, last: dt.date, *, first_name: str = "from", last_name: str = "to") -> None:
    """Raise InvalidInputError for the last of two dates or instants in a query if it is before the first."""
    if last < first:
        raise InvalidInputError({last_name: [f"This is before “{first_name}”."]})


def isoformat_z(instant: dt.datetime | None) -> str | None:
    """Return an instant in the API's format, such as 2026-11-23T10:00:00Z, with a fraction only if it has one."""
    return None if instant is None else instant.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def months_between(first: dt.date, last: dt.date) -> list[dt.date]:
    """Return the first days of the months from `first` to `last`."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    numbers = range(first.year * 12 + first.month - 1, first.year * 12 + first.month - 1 + count)
    return [dt.date(number // 12, number % 12 + 1, 1) for number in numbers]
