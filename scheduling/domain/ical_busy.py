"""Parse busy all-day events from iCalendar text (RFC 5545), within size and time limits."""

import datetime as dt
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import icalendar
from dateutil.rrule import rrulestr

MOST_BYTES = 512 * 1024
MOST_EVENTS = 2_000
MOST_OCCURRENCES = 20_000
MOST_DAYS_FOUND = 1_000
LONGEST = dt.timedelta(days=366)
DAY = dt.timedelta(days=1)
FREQUENCIES = {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}
SUB_DAILY = ("BYHOUR", "BYMINUTE", "BYSECOND")
FREE = {"FREE", "WORKINGELSEWHERE"}


class UnreadableCalendarError(ValueError):
    """The text is not a calendar or exceeds a limit; the message is shown to the user."""


@dataclass(frozen=True, slots=True)
class BusyEvent:
    """An all-day event that marks its owner as busy; both dates are inclusive.

    `uid` and `starts_on` together identify it.
    """

    uid: str
    starts_on: dt.date
    ends_on: dt.date
    summary: str


def busy_days(text: bytes, *, first: dt.date, last: dt.date) -> list[BusyEvent]:
    """Return a calendar's busy all-day events between `first` and `last`, in order.

    Timed, free, transparent and cancelled events are ignored. An event longer than 366 days is split, because an absence
    lasts at most a year. Limits: 512 KiB, 2,000 events, 20,000 occurrences, and no rule that repeats within a day.
    A recurrence rule that never matches can run forever, so callers must run this in a process with a time limit.

    Raises UnreadableCalendarError if the text is not a calendar or exceeds a limit.
    """
    if len(text) > MOST_BYTES:
        raise UnreadableCalendarError(f"The calendar has more than {MOST_BYTES // 1024} KiB.")
    if text.upper().count(b"BEGIN:VEVENT") > MOST_EVENTS:
        raise UnreadableCalendarError(f"The calendar has more than {MOST_EVENTS:,} events.")
    try:
        events = [
            event for calendar in icalendar.Calendar.from_ical(text, multiple=True) for event in calendar.walk("VEVENT")
        ]
        found = list(itertools.islice(_found(events, first=first, last=last), MOST_DAYS_FOUND + 1))
    except UnreadableCalendarError:
        raise
    except Exception as error:  # the libraries raise many types on malformed input
        raise UnreadableCalendarError("The address does not answer with a calendar that can be read.") from error
    if not events and b"BEGIN:VCALENDAR" not in text.upper():
        raise UnreadableCalendarError("The address does not answer with a calendar.")
    if len(found) > MOST_DAYS_FOUND:
        raise UnreadableCalendarError(
            f"The calendar has more than {MOST_DAYS_FOUND:,} all-day events in the coming year."
        )
    return sorted(set(found), key=lambda one: (one.starts_on, one.uid, one.ends_on, one.summary))


def _found(events: list[Any], *, first: dt.date, last: dt.date) -> Iterator[BusyEvent]:
    moved = {(_uid(event), _date(event.get("RECURRENCE-ID"))) for event in events if event.get("RECURRENCE-ID")}
    budget = itertools.count(1)
    for event in events:
        start = _date(event.get("DTSTART"))
        if start is None or not _is_busy(event):
            continue
        length = _length(event, start)
        replaced = {day for uid, day in moved if uid == _uid(event)} if not event.get("RECURRENCE-ID") else set()
        for day in _starts(event, start, earliest=first - length, last=last, budget=budget):
            if day not in replaced and day <= last and day + length - DAY >= first:
                yield from _parts(event, day, length)


def _parts(event: Any, start: dt.date, length: dt.timedelta) -> Iterator[BusyEvent]:
    end = start + length - DAY
    while start <= end:
        until = min(end, start + LONGEST - DAY)
        yield BusyEvent(_uid(event), start, until, str(event.get("SUMMARY", ""))[:200].replace("\0", ""))
        start = until + DAY


def _uid(event: Any) -> str:
    return str(event.get("UID", ""))[:200].replace("\0", "")


def _is_busy(event: Any) -> bool:
    if str(event.get("STATUS", "")).upper() == "CANCELLED" or str(event.get("TRANSP", "")).upper() == "TRANSPARENT":
        return False
    return str(event.get("X-MICROSOFT-CDO-BUSYSTATUS", "BUSY")).upper() not in FREE


def _date(value: Any) -> dt.date | None:
    """Return the date of a date-only property, or None if it has a time."""
    day = getattr(value, "dt", None)
    return day if isinstance(day, dt.date) and not isinstance(day, dt.datetime) else None


def _length(event: Any, start: dt.date) -> dt.timedelta:
    end, duration = _date(event.get("DTEND")), getattr(event.get("DURATION"), "dt", None)
    length = end - start if end is not None else duration if isinstance(duration, dt.timedelta) else DAY
    return max(dt.timedelta(days=length.days), DAY)


def _starts(
    event: Any, start: dt.date, *, earliest: dt.date, last: dt.date, budget: Iterator[int]
) -> Iterator[dt.date]:
    excluded = set(_listed(event.get("EXDATE")))
    days: Iterator[dt.date] = iter((start,))
    if event.get("RRULE"):
        days = _repeated(event["RRULE"], start, last=last, budget=budget)
    seen: set[dt.date] = set()
    for day in itertools.chain(days, _listed(event.get("RDATE"))):
        if day >= earliest and day not in excluded and day not in seen:
            seen.add(day)
            yield day


def _listed(value: Any) -> Iterator[dt.date]:
    for one in value if isinstance(value, list) else [value] if value else []:
        for entry in one.dts:
            day = _date(entry)
            if day is not None:
                yield day


def _repeated(rule: Any, start: dt.date, *, last: dt.date, budget: Iterator[int]) -> Iterator[dt.date]:
    if isinstance(rule, list):
        raise UnreadableCalendarError("An event has more than one rule by which it repeats.")
    if str(rule.get("FREQ", [""])[0]).upper() not in FREQUENCIES or any(rule.get(part) for part in SUB_DAILY):
        raise UnreadableCalendarError("An event repeats within a day: such calendars are not read.")
    # UNTIL includes its whole day here, and dateutil rejects a time zone in UNTIL if the start has none.
    text = re.sub(r"UNTIL=(\d{8})[^;]*", r"UNTIL=\1T235959", rule.to_ical().decode())
    for at in rrulestr(text, dtstart=dt.datetime.combine(start, dt.time())):
        if next(budget) > MOST_OCCURRENCES:
            raise UnreadableCalendarError(f"The calendar's rules make more than {MOST_OCCURRENCES:,} occurrences.")
        if at.date() > last:
            return
        yield at.date()
