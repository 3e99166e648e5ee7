"""Instants and dates: as callers of the API write them, and in words."""

import datetime as dt
from collections.abc import Mapping

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from people.refusals import Invalid

EARLIEST, LATEST = dt.date(2000, 1, 1), dt.date(2100, 1, 1)
INSTANT = "Give an instant with its zone, such as 2026-11-23T10:00:00Z, between 2000 and 2100."
DATE = "Give a date, such as 2026-11-23, between 2000 and 2100."


def instant_in_words(instant: dt.datetime, zone: dt.tzinfo, *, brief: bool = False) -> str:
    """Return an instant with weekday, date, time and zone, in a zone: "Mon 30 Nov 2026, 10:00 UTC"; brief: without the year."""
    local = instant.astimezone(zone)
    return f"{local:%a} {local.day} {local:%b}{'' if brief else f' {local:%Y}'}, {local:%H:%M} {local.tzname()}"


def instant_asked(given: Mapping[str, str], *, name: str = "at") -> dt.datetime:
    """Return the instant of a query's parameter, now where it is not given; raise Invalid for the parameter."""
    text = given.get(name, "")
    if not text:
        return timezone.now()
    try:
        # A plus sign that was not escaped in an address arrives as a space.
        instant = parse_datetime(text.strip().replace(" ", "+") if "T" in text else text)
        if instant is None or instant.tzinfo is None:
            raise Invalid({name: [INSTANT]})
        instant = instant.astimezone(dt.UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid({name: [INSTANT]}) from error
    if not EARLIEST <= instant.date() < LATEST:
        raise Invalid({name: [INSTANT]})
    return instant


def date_asked(given: Mapping[str, str], *, name: str, default: dt.date) -> dt.date:
    """Return the date of a query's parameter; raise Invalid for the parameter."""
    text = given.get(name, "")
    if not text:
        return default
    try:
        day = parse_date(text)
    except ValueError as error:
        raise Invalid({name: [DATE]}) from error
    if day is None or not EARLIEST <= day < LATEST:
        raise Invalid({name: [DATE]})
    return day


def written(instant: dt.datetime | None) -> str | None:
    """Return an instant as the API writes it, `…Z`, to the second unless it has a fraction."""
    return None if instant is None else instant.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
