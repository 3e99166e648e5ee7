"""The weeks of a rotation, planned from its rosters."""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from scheduling.domain.wall_time import to_utc

WEEK = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Hours:
    """When a rotation hands over: a weekday (0 is Monday) and a wall-clock hour in an IANA zone."""

    zone: str
    weekday: int
    hour: dt.time


@dataclass(frozen=True, slots=True)
class RosterVersion:
    """Engineers in order; the week that starts on that date is the first one's, until a later version starts."""

    starts_on: dt.date
    engineers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Week:
    """A week of a rotation, named by the date it starts on; planned for one engineer, held by one."""

    starts_on: dt.date
    starts_at: dt.datetime
    ends_at: dt.datetime
    engineer: int
    planned_engineer: int


@dataclass(frozen=True, slots=True, order=True)
class Move:
    """A week, by the date it starts on, that goes from one engineer to another."""

    week: dt.date
    giver: int
    taker: int


@dataclass(frozen=True, slots=True)
class AcceptedSwap:
    """Weeks that changed hands together, known by the key of the request they came from."""

    key: int
    moves: tuple[Move, ...]


def week_start(day: dt.date, *, weekday: int) -> dt.date:
    """Return the date on which the week of a date starts: the hand-off weekday on or before it."""
    return day - dt.timedelta(days=(day.weekday() - weekday) % 7)


def planned_weeks(hours: Hours, *, rosters: Sequence[RosterVersion], first: dt.date, until: dt.date) -> Iterator[Week]:
    """Yield the weeks that start on or after `first` and before `until`, as the rosters plan them (product.md §2).

    Week k of a roster, counted from the date it starts on, belongs to `engineers[k mod n]`. A week ends at the instant the
    next one starts, whatever the clocks do. There is no week before the first roster starts.
    """
    versions = sorted(rosters, key=lambda version: version.starts_on)
    starts_on = week_start(first, weekday=hours.weekday)
    if starts_on < first:
        starts_on += WEEK
    if versions:
        starts_on = max(starts_on, versions[0].starts_on)
    while versions and starts_on < until:
        while len(versions) > 1 and versions[1].starts_on <= starts_on:
            versions.pop(0)
        version = versions[0]
        engineer = version.engineers[(starts_on - version.starts_on).days // 7 % len(version.engineers)]
        yield Week(
            starts_on=starts_on,
            starts_at=to_utc(starts_on, hours.hour, zone=hours.zone),
            ends_at=to_utc(starts_on + WEEK, hours.hour, zone=hours.zone),
            engineer=engineer,
            planned_engineer=engineer,
        )
        starts_on += WEEK


def reapply_swaps(
    planned: Mapping[dt.date, int], *, exchanges: Sequence[AcceptedSwap], inactive: Collection[int]
) -> tuple[dict[dt.date, int], dict[int, Move]]:
    """Return who holds the weeks planned anew once earlier exchanges, in their order, are made again, and those that cannot be.

    An exchange holds on where each of its weeks that is planned anew is its giver's and its taker is still there
    (product.md §2: a change of roster keeps swaps that both parties can still honour). Of one that cannot hold, the first
    move that fails is told, by the exchange's key.
    """
    holders, lost = dict(planned), dict[int, Move]()
    for exchange in exchanges:
        moves = [move for move in exchange.moves if move.week in holders]
        failed = [move for move in moves if holders[move.week] != move.giver or move.taker in inactive]
        if failed:
            lost[exchange.key] = failed[0]
        else:
            holders.update({move.week: move.taker for move in moves})
    return holders, lost
