"""Expand recurrence rules of iCalendar events to dates."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dateutil.rrule import rrulestr

from scheduling.domain.ical_times import (
    DAY,
    MIDNIGHT,
    UTC,
    MalformedEventError,
    Moment,
    in_zone,
    parse_moment,
    usable_zone,
)

MAX_EVENT_OCCURRENCES = 10_000
MAX_OCCURRENCES = 50_000
FREQUENCY_DAYS = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 0, "YEARLY": 0}
# RFC 5545 says to ignore times of day in rules of all-day events. RSCALE and SKIP (RFC 7529) matter in other calendars only.
IGNORED_PARTS = {"BYHOUR", "BYMINUTE", "BYSECOND", "RSCALE", "SKIP", "UNTIL"}


@dataclass(slots=True)
class Budget:
    """How many occurrences of a calendar may still be computed."""

    left: int = MAX_OCCURRENCES

    def spend(self) -> None:
        """Count one occurrence; raise MalformedEventError if none is left."""
        self.left -= 1
        if self.left < 0:
            raise MalformedEventError("The calendar has too many recurring events.")


def rule_dates(
    rule: str,
    start: Moment,
    *,
    first_day: dt.date,
    earliest: dt.date,
    latest: dt.date,
    zones: Sequence[str],
    budget: Budget,
) -> Iterator[dt.date]:
    """Yield the days of a rule's occurrences between two dates. The series starts at `start`, on `first_day`."""
    parts = _parts(rule)
    shift = first_day - start.day
    until = _until(parts.get("UNTIL", ""), start, zones=zones)
    begin = start.wall
    step = FREQUENCY_DAYS[parts["FREQ"]] * int(parts.get("INTERVAL", "1"))
    if step and "COUNT" not in parts and begin.date() + shift < earliest:
        # Skip whole steps of the past, so that an old daily series costs no more than a new one.
        begin += step * DAY * ((earliest - begin.date() - shift).days // step)
    text = ";".join(f"{name}={value}" for name, value in parts.items() if name not in IGNORED_PARTS)
    try:
        occurrences = iter(rrulestr(text, dtstart=begin))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise MalformedEventError(f"The recurrence rule “{rule[:60]}” is invalid.") from error
    for number, at in enumerate(occurrences):
        if number >= MAX_EVENT_OCCURRENCES:
            raise MalformedEventError("It recurs too often.")
        budget.spend()
        if (until is not None and at > until) or at.date() + shift > latest:
            return
        if at.date() + shift >= earliest:
            yield at.date() + shift


def _parts(rule: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in rule.strip().rstrip(";").upper().split(";"))
    parts = {name.strip(): value.strip() for name, _, value in pairs}
    if parts.get("FREQ", "") in ("HOURLY", "MINUTELY", "SECONDLY"):
        raise MalformedEventError("It recurs within a day, which is not supported.")
    numbers = [parts.get(name, "1") for name in ("INTERVAL", "COUNT")]
    if parts.get("FREQ", "") not in FREQUENCY_DAYS or any(not _is_positive(number) for number in numbers):
        raise MalformedEventError(f"The recurrence rule “{rule[:60]}” is invalid.")
    return parts


def _is_positive(number: str) -> bool:
    return number.isascii() and number.isdigit() and int(number[:9]) > 0 and len(number) < 7


def _until(value: str, start: Moment, *, zones: Sequence[str]) -> dt.datetime | None:
    """Return the last wall-clock time, in the zone of the series, at which an occurrence may start."""
    if not value:
        return None
    until = parse_moment("UNTIL", value)
    if start.time is None or until.time is None:
        # A series of dates includes its last day in full. Midnight in UTC is how some calendars write a date.
        exact = until.zone == UTC and until.time != MIDNIGHT
        return dt.datetime.combine(in_zone(until, zones[0]).date() if exact else until.day, dt.time.max)
    zone = start.zone if start.zone and usable_zone(start.zone) else zones[0]
    return in_zone(until, zone)
