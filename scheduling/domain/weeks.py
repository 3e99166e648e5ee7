"""Plan a rotation's weeks from its rosters."""

import datetime as dt
import zoneinfo
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from people.domain.person import Person
from scheduling.domain.wall_time import to_utc

WEEK = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Hours:
    """When a rotation hands off: a weekday (0 is Monday) and a wall-clock time in an IANA zone."""

    zone: str
    weekday: int
    hour: dt.time


@dataclass(frozen=True, slots=True)
class RosterVersion:
    """The ordered engineers of a rotation from `starts_on` until a later version starts.

    The first engineer takes the week that starts on `starts_on`.
    """

    starts_on: dt.date
    engineers: tuple[Person, ...]

    def order_from(self, day: dt.date) -> tuple[Person, ...]:
        """Return the engineers in the order of their weeks, starting with the week of `day`."""
        turn = (day - self.starts_on).days // 7 % len(self.engineers)
        return (*self.engineers[turn:], *self.engineers[:turn])


class HasStart(Protocol):
    """What rosters of any kind have: the start date of their first week."""

    @property
    def starts_on(self) -> dt.date: ...


R = TypeVar("R", bound=HasStart)


@dataclass(frozen=True, slots=True)
class Week:
    """A week of a rotation, identified by its start date, with its current and its planned engineer."""

    starts_on: dt.date
    starts_at: dt.datetime
    ends_at: dt.datetime
    engineer: Person
    planned_engineer: Person


@dataclass(frozen=True, slots=True, order=True)
class Move:
    """The transfer of a week, identified by its start date, from one engineer to another."""

    week: dt.date
    giver: Person
    taker: Person


def active_roster(rosters: Sequence[R], *, week: dt.date) -> R | None:
    """Return the roster that plans the week of a start date, or None if the first roster starts later."""
    started = [version for version in rosters if version.starts_on <= week]
    return max(started, key=lambda version: version.starts_on, default=None)


def roster_engineers(rosters: Sequence[RosterVersion], *, week: dt.date) -> tuple[Person, ...]:
    """Return the engineers of the roster that plans the week of a start date, in order; none before the first roster."""
    active = active_roster(rosters, week=week)
    return active.engineers if active else ()


def rosters_from(rosters: Sequence[R], *, week: dt.date) -> list[R]:
    """Return the rosters that plan the week of a start date or a later one, in order."""
    active = active_roster(rosters, week=week)
    later = sorted((version for version in rosters if version.starts_on > week), key=lambda version: version.starts_on)
    return later if active is None else [active, *later]


def week_start(day: dt.date, *, weekday: int) -> dt.date:
    """Return the start date of the week that includes `day`: the hand-off weekday on or before it."""
    return day - dt.timedelta(days=(day.weekday() - weekday) % 7)


def current_week(hours: Hours, *, at: dt.datetime) -> dt.date:
    """Return the start date of the week that includes an instant. A week starts at the hour of the hand-off."""
    day = week_start(at.astimezone(zoneinfo.ZoneInfo(hours.zone)).date(), weekday=hours.weekday)
    return day if to_utc(day, hours.hour, zone=hours.zone) <= at else day - WEEK


def planned_weeks(hours: Hours, *, rosters: Sequence[RosterVersion], first: dt.date, until: dt.date) -> Iterator[Week]:
    """Yield the planned weeks that start on or after `first` and before `until`.

    Week k of a roster, counted from its start date, belongs to `engineers[k mod n]`. A week ends when the next one starts,
    so it is an hour longer or shorter across a clock change. There are no weeks before the first roster starts.
    """
    starts_on = week_start(first, weekday=hours.weekday)
    if starts_on < first:
        starts_on += WEEK
    while starts_on < until:
        roster = active_roster(rosters, week=starts_on)
        if roster is not None:
            engineer = roster.order_from(starts_on)[0]
            yield Week(
                starts_on=starts_on,
                starts_at=to_utc(starts_on, hours.hour, zone=hours.zone),
                ends_at=to_utc(starts_on + WEEK, hours.hour, zone=hours.zone),
                engineer=engineer,
                planned_engineer=engineer,
            )
        starts_on += WEEK
