"""Find the busy all-day events of an iCalendar file (RFC 5545), as Google, Outlook, Apple, Fastmail and Nextcloud write them.

An event is all-day if its dates have no time, if it lasts from midnight to midnight in its time zone, or if it has one of
`ALL_DAY_FLAGS`. An event that cannot be read is skipped and reported; the others are read.
"""

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace

from scheduling.domain.ical_parser import RawCalendar, RawEvent, UnreadableCalendarError, parse_calendar
from scheduling.domain.ical_rules import Budget, rule_dates
from scheduling.domain.ical_times import (
    DAY,
    UTC,
    MalformedEventError,
    Moment,
    all_day_span,
    local_day,
    moments,
    required_moment,
    usable_zone,
)

MAX_ABSENCES = 1_000
MAX_ABSENCE = dt.timedelta(days=366)
MAX_TEXT_LENGTH = 200
# What dates out of range, and the rule library on a damaged rule, raise.
PARSE_ERRORS = (ValueError, ArithmeticError, LookupError, TypeError, AttributeError)
FREE_STATUSES = {"FREE", "WORKINGELSEWHERE"}


@dataclass(frozen=True, slots=True)
class BusyEvent:
    """An all-day event that marks its owner as busy; both dates are inclusive.

    `uid` and `starts_on` together identify it.
    """

    uid: str
    starts_on: dt.date
    ends_on: dt.date
    summary: str


@dataclass(frozen=True, slots=True)
class SkippedEvent:
    """An event that could not be read, and why."""

    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class BusyCalendar:
    """The busy all-day events of a calendar, in order, and the events that could not be read."""

    events: list[BusyEvent]
    skipped: list[SkippedEvent] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Window:
    """The dates to read, the zones in which midnight counts, and what is left of the calendar's budget."""

    first: dt.date
    last: dt.date
    zones: tuple[str, ...]
    budget: Budget


@dataclass(frozen=True, slots=True)
class _Event:
    """A readable event: its first day and number of days, 0 days if it is timed or free.

    `recurrence_id` is the day of the occurrence that it replaces, and `and_following` also those after it.
    """

    raw: RawEvent
    uid: str
    start: Moment
    day: dt.date
    days: int
    recurrence_id: dt.date | None
    and_following: bool

    @property
    def recurs(self) -> bool:
        """Whether the event has occurrences of its own."""
        repeats = bool(self.raw.all("RRULE") or self.raw.all("RDATE"))
        # Some calendars copy the rule of the series to each changed occurrence.
        return repeats and (self.recurrence_id is None or self.and_following)


def busy_days(
    data: bytes,
    *,
    first: dt.date,
    last: dt.date,
    zone: str = UTC,
    time_limit: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> BusyCalendar:
    """Return a calendar's busy all-day events between `first` and `last`; `zone` is the owner's IANA time zone.

    Timed, free, transparent and cancelled events are ignored. An event longer than 366 days is split, because an absence
    lasts at most a year. `time_limit` is entered around each recurring event and may raise MalformedEventError.

    Raises UnreadableCalendarError if the text is not a calendar or exceeds a limit.
    """
    calendar = parse_calendar(data)
    zones = [name for name in (calendar.time_zone, zone) if usable_zone(name)]
    window = _Window(first, last, (*dict.fromkeys(zones), UTC), Budget())
    by_identity: dict[tuple[str, dt.date], BusyEvent] = {}
    skipped: list[SkippedEvent] = []
    for series in _by_uid(calendar, window, skipped):
        try:
            with time_limit() if any(event.recurs for event in series) else nullcontext():
                occurrences = [part for event in _expand(series, window) for part in _split(event, window)]
        except PARSE_ERRORS as error:
            skipped.append(SkippedEvent(_title(series[0].raw), _reason(error)))
            continue
        for event in occurrences:
            # Two events with one identity, such as an exported duplicate, become the longer of the two.
            known = by_identity.get((event.uid, event.starts_on))
            if known is None or event.ends_on > known.ends_on:
                by_identity[event.uid, event.starts_on] = event
    if len(by_identity) > MAX_ABSENCES:
        raise UnreadableCalendarError(f"The calendar has more than {MAX_ABSENCES:,} all-day events in the coming year.")
    events = sorted(by_identity.values(), key=lambda event: (event.starts_on, event.uid))
    return BusyCalendar(events, skipped)


def _by_uid(calendar: RawCalendar, window: _Window, skipped: list[SkippedEvent]) -> Iterator[list[_Event]]:
    """Yield the readable events in groups of one UID: a series with its changed occurrences. Report the others."""
    groups: dict[str, list[RawEvent]] = {}
    for number, raw in enumerate(calendar.events):
        # Events without a UID do not belong together.
        groups.setdefault(raw.text("UID") or f"\0{number}", []).append(raw)
    for raws in groups.values():
        # A series comes first: the days of its changed occurrences depend on how it starts.
        raws.sort(key=lambda raw: bool(raw.all("RECURRENCE-ID")))
        series: list[_Event] = []
        for raw in raws:
            try:
                series.append(_read(raw, series, window))
            except PARSE_ERRORS as error:
                if _is_busy(raw):
                    skipped.append(SkippedEvent(_title(raw), _reason(error)))
        if series:
            yield series


def _read(raw: RawEvent, series: list[_Event], window: _Window) -> _Event:
    if not raw.complete:
        raise MalformedEventError("The end of the event is missing.")
    start = required_moment(raw, "DTSTART")
    span = all_day_span(raw, start, zones=window.zones)
    day, days = span or (start.day, 0)
    event = _Event(raw, raw.text("UID")[:MAX_TEXT_LENGTH], start, day, days if _is_busy(raw) else 0, None, False)
    if raw.all("RECURRENCE-ID"):
        replaced = required_moment(raw, "RECURRENCE-ID")
        shape = series[0] if series and series[0].recurrence_id is None else event
        parameters = raw.all("RECURRENCE-ID")[0].parameters
        return replace(
            event,
            recurrence_id=_day(replaced, shape, window),
            and_following=parameters.get("RANGE", "").upper() == "THISANDFUTURE",
        )
    return event


def _day(moment: Moment, event: _Event, window: _Window) -> dt.date:
    """Return the day of an occurrence that EXDATE, RDATE or RECURRENCE-ID names."""
    return local_day(moment, start=event.start, first_day=event.day, zones=window.zones)


def _is_busy(raw: RawEvent) -> bool:
    if raw.text("STATUS").upper() == "CANCELLED" or raw.text("TRANSP").upper() == "TRANSPARENT":
        return False
    return raw.text("X-MICROSOFT-CDO-BUSYSTATUS").upper() not in FREE_STATUSES


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, MalformedEventError) else "Its dates or its recurrence rule are invalid."


def _title(raw: RawEvent) -> str:
    return (raw.text("SUMMARY") or raw.text("UID") or "Untitled event")[:MAX_TEXT_LENGTH]


def _expand(series: list[_Event], window: _Window) -> Iterator[tuple[_Event, dt.date]]:
    """Yield each occurrence as its event and its first day: changed occurrences, and the others of the series."""
    changes = {event.recurrence_id: event for event in series if event.recurrence_id is not None}
    # RANGE=THISANDFUTURE: the latest change before an occurrence moves it too.
    following = sorted(
        ((day, event) for day, event in changes.items() if event.and_following), key=lambda pair: pair[0]
    )
    margin = max(
        [event.days for event in series] + [abs((event.day - day).days) + event.days for day, event in following]
    )
    for event in changes.values():
        days = _dates(event, window, margin=margin) if event.recurs else [event.day]
        yield from ((event, day) for day in days)
    for event in series:
        if event.recurrence_id is not None:
            continue
        for day in _dates(event, window, margin=margin):
            since, change = next((pair for pair in reversed(following) if pair[0] <= day), (day, event))
            if day not in changes and not (change is not event and change.recurs):
                yield change, day + (change.day - since if change is not event else 0 * DAY)


def _dates(event: _Event, window: _Window, *, margin: int) -> Iterator[dt.date]:
    """Yield the first day of each occurrence of an event that may fall into the window."""
    excluded = {_day(moment, event, window) for moment in moments(event.raw, "EXDATE")}
    added = [_day(moment, event, window) for moment in moments(event.raw, "RDATE")]
    seen: set[dt.date] = set()
    earliest, latest = window.first - margin * DAY, window.last + margin * DAY
    rules = [rule.value for rule in event.raw.all("RRULE")]
    repeated = (
        day
        for rule in rules
        for day in rule_dates(
            rule,
            event.start,
            first_day=event.day,
            earliest=earliest,
            latest=latest,
            zones=window.zones,
            budget=window.budget,
        )
    )
    for day in (event.day, *added):
        if day not in seen and day not in excluded:
            seen.add(day)
            yield day
    for day in repeated:
        if day not in seen and day not in excluded:
            seen.add(day)
            yield day


def _split(occurrence: tuple[_Event, dt.date], window: _Window) -> Iterator[BusyEvent]:
    """Yield the parts of an occurrence, each at most a year long, that overlap the window."""
    event, begin = occurrence
    end = begin + (event.days - 1) * DAY
    while begin <= end:
        until = min(end, begin + MAX_ABSENCE - DAY)
        if until >= window.first and begin <= window.last:
            yield BusyEvent(event.uid, begin, until, event.raw.text("SUMMARY")[:MAX_TEXT_LENGTH])
        begin = until + DAY
