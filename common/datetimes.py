"""Instants and dates: as callers of the API write them, and in words."""

import datetime as dt
from collections.abc import Mapping

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from common.exceptions import InvalidInputError

EARLIEST, LATEST = dt.date(2000, 1, 1), dt.date(2100, 1, 1)
INVALID_INSTANT = "Give an instant with its zone, such as 2026-11-23T10:00:00Z, between 2000 and 2100."
INVALID_DATE = "Give a date, such as 2026-11-23, between 2000 and 2100."


def format_instant(instant: dt.datetime, zone: dt.tzinfo, *, brief: bool = False) -> str:
    """Return a `<time>` element in the viewer's zone; `brief` leaves out the year."""
    local = instant.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b}{'' if brief else f' {local:%Y}'}, {local:%H:%M} {local.tzname()}"


def parse_instant_param(given: Mapping[str, str], *, name: str = "at") -> dt.datetime:
    """Return the instant of a query's parameter, now where it is not given; raise Invalid for the parameter."""
    text = given.get(name, "")
    if not text:
        return timezone.now()
    try:
        # A plus sign that was not escaped in an address arrives as a space.
        instant = parse_datetime(text.strip().replace(" ", "+") if "T" in text else text)
        if instant is None or instant.tzinfo is None:
            raise InvalidInputError({name: [INVALID_INSTANT]})
        instant = instant.astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInputError({name: [INVALID_INSTANT]}) from error
    if not EARLIEST <= instant.date() < LATEST:
        raise InvalidInputError({name: [INVALID_INSTANT]})
    return instant


def parse_date_param(given: Mapping[str, str], *, name: str, default: dt.date) -> dt.date:
    """Return the date of a query's parameter; raise Invalid for the parameter."""
    text = given.get(name, "")
    if not text:
        return default
    try:
        day = parse_date(text)
    except ValueError as error:
        raise InvalidInputError({name: [INVALID_DATE]}) from error
    if day is None or not EARLIEST <= day < LATEST:
        raise InvalidInputError({name: [INVALID_DATE]})
    return day


def isoformat_z(instant: dt.datetime | None) -> str | None:
    """Return an instant as the API writes it, `…Z`, to the second unless it has a fraction."""
    return None if instant is None else instant.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
