"""Dates and times of iCalendar events: their values, and whether an event lasts whole days."""

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from zoneinfo import ZoneInfo

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from scheduling.domain.ical_parser import Property, RawEvent
from scheduling.domain.wall_time import to_utc

UTC = "UTC"
DAY = dt.timedelta(days=1)
HALF_DAY = dt.timedelta(hours=12)
MIDNIGHT = dt.time()
# Some calendars end a whole day at 23:59 instead of at midnight.
LAST_MINUTE = dt.time(23, 59)
ALL_DAY_FLAGS = ("X-MICROSOFT-CDO-ALLDAYEVENT", "X-MICROSOFT-MSNCALENDAR-ALLDAYEVENT", "X-FUNAMBOL-ALLDAY")
DATE_VALUE = re.compile(r"(\d{8})(?:T(\d{4}(?:\d{2})?)(Z?))?", re.IGNORECASE | re.ASCII)
DURATION = re.compile(
    r"\+?P(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,8})M)?(?:(\d{1,9})S)?)?", re.IGNORECASE | re.ASCII
)
PROPERTY_WORDS = {"DTSTART": "start", "DTEND": "end"}


class MalformedEventError(ValueError):
    """An event cannot be read; the message is a sentence for its owner."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A date, or a wall-clock time: `time` is None for a date; `zone` is "UTC", a TZID, or "" for a floating time."""

    day: dt.date
    time: dt.time | None = None
    zone: str = ""

    @property
    def wall(self) -> dt.datetime:
        """The wall-clock time, midnight for a date."""
        return dt.datetime.combine(self.day, self.time or MIDNIGHT)


@cache
def usable_zone(name: str) -> ZoneInfo | None:
    """Return the zone of an IANA name, a Windows name or a prefixed name such as "/example.org/Europe/Berlin"."""
    parts = name.strip().strip("/").split("/")
    candidates = [WINDOWS_TO_OLSON.get(name.strip(), name.strip()), *("/".join(parts[-size:]) for size in (3, 2))]
    for candidate in candidates:
        try:
            return ZoneInfo(candidate)
        except (ValueError, OSError, KeyError):  # an unknown name, a path outside the database, a directory
            continue
    return None


def required_moment(raw: RawEvent, name: str) -> Moment:
    """Return the date or time of a property; raise MalformedEventError if it is missing or malformed."""
    field = raw.first(name)
    if field is None:
        raise MalformedEventError(f"The {PROPERTY_WORDS.get(name, name)} date is missing.")
    return _moment(field, field.value)


def moments(raw: RawEvent, name: str) -> Iterator[Moment]:
    """Yield the dates and times of a property that lists them; of a period, its start."""
    for field in raw.all(name):
        for value in field.value.split(","):
            if value.strip():
                yield _moment(field, value.partition("/")[0])


def parse_moment(name: str, value: str, *, zone: str = "", is_date: bool = False) -> Moment:
    """Return the date or time of a value; raise MalformedEventError, naming the property, if it is neither."""
    # Outlook writes zone names with a colon, without quotes. Dates have no colon.
    match = DATE_VALUE.fullmatch(value.rpartition(":")[2].strip())
    shown = value.replace("\0", "")[:40]
    if match is None:
        raise MalformedEventError(f"The {PROPERTY_WORDS.get(name, name)} date “{shown}” is invalid.")
    try:
        day = dt.datetime.strptime(match[1], "%Y%m%d").date()  # noqa: DTZ007  # a date
        if match[2] is None or is_date:
            return Moment(day)
        time = dt.datetime.strptime(match[2].ljust(6, "0"), "%H%M%S").time()  # noqa: DTZ007  # a wall-clock time
    except ValueError as error:
        raise MalformedEventError(f"The {PROPERTY_WORDS.get(name, name)} date “{shown}” is invalid.") from error
    return Moment(day, time, UTC if match[3] else zone)


def _moment(field: Property, value: str) -> Moment:
    is_date = field.parameters.get("VALUE", "").upper() == "DATE"
    return parse_moment(field.name, value, zone=field.parameters.get("TZID", ""), is_date=is_date)


def in_zone(moment: Moment, zone: str) -> dt.datetime:
    """Return the wall-clock time in another zone; unchanged for a floating time and for an unknown zone."""
    source, target = usable_zone(moment.zone) if moment.zone else None, usable_zone(zone) if zone else None
    if source is None or target is None or moment.zone == zone:
        return moment.wall
    return moment.wall.replace(tzinfo=source).astimezone(target).replace(tzinfo=None)


def all_day_span(raw: RawEvent, start: Moment, *, zones: Sequence[str]) -> tuple[dt.date, int] | None:
    """Return an all-day event's first day and number of days, or None if the event is timed.

    `zones` are tried in order for events in UTC, since a calendar may write local midnights in UTC.
    """
    end = _event_end(raw, start)
    if start.time is None:
        return start.day, _days(start.day, _day_after(end) if end else start.day + DAY)
    if any(raw.text(flag).upper() in ("TRUE", "1") for flag in ALL_DAY_FLAGS):
        day = nearest_day(start, zones[0])
        return day, _days(day, nearest_day(end, zones[0]) if end else day + DAY)
    if end is None:
        return None
    for zone in zones if start.zone == UTC else (start.zone,):
        first, after = _midnight(start, zone), _midnight(end, zone, is_end=True)
        if first and after and first < after:
            return first, (after - first).days
    if end.wall < start.wall and end.zone == start.zone:
        raise MalformedEventError("The end is before the start.")
    return None


def _event_end(raw: RawEvent, start: Moment) -> Moment | None:
    if raw.all("DTEND"):
        return required_moment(raw, "DTEND")
    text = raw.text("DURATION")
    if not text:
        return None
    match = DURATION.fullmatch(text)
    if match is None or text.upper().strip("+") in ("P", "PT"):
        raise MalformedEventError(f"The duration “{text[:40]}” is invalid.")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    try:
        # Days follow the calendar; hours are exact, also over a clock change.
        wall = start.wall + dt.timedelta(weeks=weeks, days=days)
        exact = dt.timedelta(hours=hours, minutes=minutes, seconds=seconds)
        source = usable_zone(start.zone) if start.zone and start.time is not None else None
        if source is not None:
            wall = (wall.replace(tzinfo=source).astimezone(dt.UTC) + exact).astimezone(source).replace(tzinfo=None)
        else:
            wall += exact
    except OverflowError as error:
        raise MalformedEventError(f"The duration “{text[:40]}” is invalid.") from error
    return replace(start, day=wall.date(), time=None if start.time is None else wall.time())


def _days(first: dt.date, after: dt.date) -> int:
    if after < first:
        raise MalformedEventError("The end is before the start.")
    return max((after - first).days, 1)


def _day_after(end: Moment) -> dt.date:
    """Return the day after the last one of an event that starts on a date."""
    return end.day if end.time in (None, MIDNIGHT) else end.day + DAY


def _midnight(moment: Moment, zone: str, *, is_end: bool = False) -> dt.date | None:
    """Return the day that begins at a moment in a zone, or None if none does."""
    wall = in_zone(moment, zone)
    if wall.time() == MIDNIGHT:
        return wall.date()
    if is_end and wall.time() >= LAST_MINUTE:
        return wall.date() + DAY
    place = usable_zone(zone) if zone else None
    if place is None or wall.hour > 1 or not dt.date.min < wall.date() < dt.date.max:
        return None
    # Where clocks change at midnight, the day begins at 01:00.
    begins = to_utc(wall.date(), MIDNIGHT, zone=place.key).astimezone(place).replace(tzinfo=None)
    return wall.date() if begins == wall else None


def nearest_day(moment: Moment, zone: str) -> dt.date:
    """Return the day whose beginning is nearest; times in UTC are read in `zone`."""
    return (in_zone(moment, zone if moment.zone == UTC else moment.zone) + HALF_DAY).date()


def local_day(moment: Moment, *, start: Moment, first_day: dt.date, zones: Sequence[str]) -> dt.date:
    """Return the day of an occurrence of a series that starts at `start`, on `first_day`.

    The moment may be a date or a time in any zone, whatever the series has.
    """
    if moment.time is None or moment.zone != UTC:
        return moment.day
    if start.zone == UTC:
        return moment.day + (first_day - start.day)
    if start.time is None and moment.time == MIDNIGHT:
        return moment.day
    zone = start.zone if start.zone and usable_zone(start.zone) else zones[0]
    return (in_zone(moment, zone) + HALF_DAY).date() if start.time in (None, MIDNIGHT) else in_zone(moment, zone).date()
