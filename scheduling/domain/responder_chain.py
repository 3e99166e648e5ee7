"""Responder chain of a pipeline at an instant. See "Who responds" in docs/rules.md."""

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from heapq import merge
from itertools import pairwise

from scheduling.domain.weeks import RosterVersion, Week

ON_CALL = "on_call"
PRIMARY = "primary_owner"
SECONDARY = "secondary_owner"
ROTATION = "rotation"
INACTIVE = "no longer active"


@dataclass(frozen=True, slots=True)
class Absence:
    """A period in which an engineer is unavailable, with a reason such as "on holiday 21–25 Dec"."""

    engineer: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Cover:
    """A period that one engineer takes over from another."""

    engineer: int
    covered_engineer: int
    starts_at: dt.datetime
    ends_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Link:
    """An engineer's place in a chain; `reason` says why they are skipped, "" if they are available."""

    engineer: int
    role: str
    available: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Chain:
    """The responder chain of a pipeline at an instant; `until` is when it next changes, None if unknown."""

    at: dt.datetime
    links: tuple[Link, ...]
    acting_owner: int | None
    until: dt.datetime | None = field(default=None, compare=False)

    @property
    def responder(self) -> int | None:
        """The first available engineer, or None if the pipeline is uncovered."""
        return next((link.engineer for link in self.links if link.available), None)

    @property
    def facts(self) -> tuple[tuple[Link, ...], int | None]:
        """The chain without its times, to compare chains at different instants."""
        return self.links, self.acting_owner


Stretch = tuple[dt.datetime, dt.datetime]


def common(ones: Sequence[Stretch], others: Sequence[Stretch]) -> list[Stretch]:
    """Return the overlaps of two lists of stretches; each list is sorted and has no overlaps of its own."""
    overlaps = ((max(a, b), min(end, stop)) for a, end in ones for b, stop in others if a < stop and b < end)
    return sorted(overlaps)


class Availability:
    """Everybody's absences and the inactive people; shared by all rotations."""

    def __init__(self, *, absences: Sequence[Absence], inactive: frozenset[int] = frozenset()) -> None:
        self.inactive = inactive
        self.absences: dict[int, list[Absence]] = {}
        for absence in sorted(absences, key=lambda one: (one.starts_at, one.ends_at, one.reason)):
            self.absences.setdefault(absence.engineer, []).append(absence)

    def edges(self, engineer: int, *, after: dt.datetime, before: dt.datetime) -> list[dt.datetime]:
        """Return the sorted instants strictly between `after` and `before` at which an engineer's absence starts or ends."""
        absences = self.absences.get(engineer, ())
        return sorted({at for one in absences for at in (one.starts_at, one.ends_at) if after < at < before})

    def edges_after(self, engineer: int, *, at: dt.datetime) -> set[dt.datetime]:
        """Return the instants after `at` at which an engineer's absence starts or ends."""
        return {edge for one in self.absences.get(engineer, ()) for edge in (one.starts_at, one.ends_at) if edge > at}

    def together_away(self, engineers: Iterable[int], *, starts_at: dt.datetime, ends_at: dt.datetime) -> list[Stretch]:
        """Return the sorted stretches of a window in which all of these engineers are unavailable."""
        together = [(starts_at, ends_at)]
        for engineer in engineers:
            if not together:
                break
            together = common(together, self._away(engineer, starts_at=starts_at, ends_at=ends_at))
        return together

    def _away(self, engineer: int, *, starts_at: dt.datetime, ends_at: dt.datetime) -> list[Stretch]:
        if engineer in self.inactive:
            return [(starts_at, ends_at)]
        found: list[Stretch] = []
        for one in self.absences.get(engineer, ()):
            begin, end = max(one.starts_at, starts_at), min(one.ends_at, ends_at)
            if begin >= end:
                continue
            if found and begin <= found[-1][1]:
                begin, end = found[-1][0], max(found.pop()[1], end)
            found.append((begin, end))
        return found

    def why_unavailable(self, engineer: int, *, at: dt.datetime) -> str:
        """Return why an engineer is unavailable at an instant, or "" if they are available."""
        if engineer in self.inactive:
            return INACTIVE
        covering = [one for one in self.absences.get(engineer, ()) if one.starts_at <= at < one.ends_at]
        return max(covering, key=lambda one: one.ends_at).reason if covering else ""


class RotationSchedule:
    """The weeks, covers and rosters of one rotation, each in order, with everybody's availability."""

    def __init__(
        self,
        *,
        people: Availability,
        weeks: Sequence[Week] = (),
        covers: Sequence[Cover] = (),
        rosters: Sequence[RosterVersion] = (),
    ) -> None:
        self.people = people
        self.weeks = sorted(weeks, key=lambda week: week.starts_at)
        self.covers = sorted(covers, key=lambda cover: cover.starts_at)
        self.rosters = sorted(rosters, key=lambda version: version.starts_on)
        self._week_starts = [week.starts_at for week in self.weeks]
        self._cover_starts = [cover.starts_at for cover in self.covers]

    @cached_property
    def boundaries(self) -> list[dt.datetime]:
        """The sorted instants at which a week or a cover starts or ends."""
        spans: list[Week | Cover] = [*self.weeks, *self.covers]
        return sorted({at for span in spans for at in (span.starts_at, span.ends_at)})

    @cached_property
    def engineers(self) -> frozenset[int]:
        """Everybody in a week, a cover or a roster of the rotation."""
        by_week = (key for week in self.weeks for key in (week.engineer, week.planned_engineer))
        by_cover = (key for cover in self.covers for key in (cover.engineer, cover.covered_engineer))
        return frozenset([*by_week, *by_cover, *(key for version in self.rosters for key in version.engineers)])

    def covers_between(self, begin: dt.datetime, end: dt.datetime) -> list[Cover]:
        """Return the covers that overlap the time from `begin` to `end`, in order."""
        first = bisect_right(self._cover_starts, begin)
        if first and self.covers[first - 1].ends_at > begin:
            first -= 1
        return self.covers[first : bisect_left(self._cover_starts, end)]

    def week_at(self, at: dt.datetime) -> Week | None:
        """Return the week at an instant, or None if no known week includes it."""
        place = bisect_right(self._week_starts, at) - 1
        return self.weeks[place] if place >= 0 and at < self.weeks[place].ends_at else None

    def cover_at(self, at: dt.datetime) -> Cover | None:
        """Return the active cover at an instant, or None."""
        place = bisect_right(self._cover_starts, at) - 1
        return self.covers[place] if place >= 0 and at < self.covers[place].ends_at else None

    def roster_of(self, week: Week) -> tuple[int, ...]:
        """Return the engineers of the roster that applies to a week, in order."""
        in_force = [version for version in self.rosters if version.starts_on <= week.starts_on]
        return in_force[-1].engineers if in_force else ()

    def vacant(self, *, starts_at: dt.datetime, ends_at: dt.datetime) -> list[Stretch]:
        """Return the sorted stretches of a window in which nobody on the current roster is available.

        Time outside the known weeks has no roster, so all of it is vacant.
        """
        found: list[Stretch] = []
        at = starts_at
        for week in self.weeks:
            begin, end = max(week.starts_at, at), min(week.ends_at, ends_at)
            if begin >= end:
                continue
            if at < begin:
                found.append((at, begin))
            found += self.people.together_away(self.roster_of(week), starts_at=begin, ends_at=end)
            at = end
        return [*found, (at, ends_at)] if at < ends_at else found

    def on_call_at(self, at: dt.datetime) -> int | None:
        """Return the on-call engineer at an instant, available or not; a cover replaces the week's engineer."""
        week, cover = self.week_at(at), self.cover_at(at)
        return cover.engineer if week and cover else week.engineer if week else None

    def after(self, at: dt.datetime, *, engineers: Iterable[int] = ()) -> Iterator[dt.datetime]:
        """Yield, in order, the instants after `at` at which a week, a cover or an absence of `engineers` changes.

        Only the absences of `engineers` are read, so the cost does not grow with the number of users.
        """
        own = self.boundaries[bisect_right(self.boundaries, at) :]
        theirs = {edge for engineer in engineers for edge in self.people.edges_after(engineer, at=at)}
        yield from merge(own, sorted(theirs.difference(own)))


def chain_at(world: RotationSchedule, *, primary: int, secondary: int, at: dt.datetime) -> Chain:
    """Return the responder chain of a pipeline at an instant, and when it next changes.

    The order is on-call engineer, primary owner, secondary owner, then the roster from the engineer after the week's. Each
    engineer appears once, in their first role.
    """
    chain = _chain(world, primary=primary, secondary=secondary, at=at)
    until = next(
        (
            later
            # The chain's people do not change before one of these instants, so only their absences matter.
            for later in world.after(at, engineers=(link.engineer for link in chain.links))
            if _chain(world, primary=primary, secondary=secondary, at=later).facts != chain.facts
        ),
        None,
    )
    return Chain(at=at, links=chain.links, acting_owner=chain.acting_owner, until=until)


def _chain(world: RotationSchedule, *, primary: int, secondary: int, at: dt.datetime) -> Chain:
    week = world.week_at(at)
    named: list[tuple[int | None, str]] = [(world.on_call_at(at), ON_CALL), (primary, PRIMARY), (secondary, SECONDARY)]
    if week is not None:
        roster = world.roster_of(week)
        turn = roster.index(week.engineer) + 1 if week.engineer in roster else 0
        named += [(engineer, ROTATION) for engineer in (*roster[turn:], *roster[:turn])]
    links: dict[int, Link] = {}
    for engineer, role in named:
        if engineer is not None and engineer not in links:
            reason = world.people.why_unavailable(engineer, at=at)
            links[engineer] = Link(engineer=engineer, role=role, available=not reason, reason=reason)
    acting = next((owner for owner in (primary, secondary) if links[owner].available), None)
    return Chain(at=at, links=tuple(links.values()), acting_owner=acting)


@dataclass(frozen=True, slots=True)
class Interval:
    """A period of a rotation and its on-call engineer.

    `because` is "week", "cover", or "away" if nobody is on call because the engineer is away.
    """

    starts_at: dt.datetime
    ends_at: dt.datetime
    engineer: int | None
    because: str


def timeline(world: RotationSchedule, *, starts_at: dt.datetime, ends_at: dt.datetime) -> list[Interval]:
    """Return the contiguous intervals of a rotation between two instants; equal neighbours are merged.

    While the on-call engineer is away, the interval has `engineer` None and `because` "away": the responder then depends on
    each pipeline's owners. Use `chain_at` to find them.
    """
    intervals: list[Interval] = []
    for held in _held(world, starts_at=starts_at, ends_at=ends_at):
        for part in _present(world.people, held):
            last = intervals[-1] if intervals else None
            if last is not None and (last.engineer, last.because) == (part.engineer, part.because):
                intervals[-1] = Interval(last.starts_at, part.ends_at, part.engineer, part.because)
            else:
                intervals.append(part)
    return intervals


def _held(world: RotationSchedule, *, starts_at: dt.datetime, ends_at: dt.datetime) -> Iterator[Interval]:
    """Yield the on-call engineer of each part of a window, away or not; None outside the known weeks."""
    at = starts_at
    for week in world.weeks:
        if week.ends_at <= at or week.starts_at >= ends_at:
            continue
        if at < week.starts_at:
            yield Interval(at, week.starts_at, None, "week")
            at = week.starts_at
        end = min(week.ends_at, ends_at)
        for cover in world.covers_between(at, end):
            begin = max(cover.starts_at, at)
            if at < begin:
                yield Interval(at, begin, week.engineer, "week")
            at = min(cover.ends_at, end)
            yield Interval(begin, at, cover.engineer, "cover")
        if at < end:
            yield Interval(at, end, week.engineer, "week")
            at = end
    if at < ends_at:
        yield Interval(at, ends_at, None, "week")


def _present(people: Availability, held: Interval) -> Iterator[Interval]:
    """Split an interval into the parts in which its engineer is available and the parts in which they are away."""
    engineer = held.engineer
    if engineer is None or (engineer not in people.inactive and engineer not in people.absences):
        yield held
        return
    edges = people.edges(engineer, after=held.starts_at, before=held.ends_at)
    for begin, end in pairwise([held.starts_at, *edges, held.ends_at]):
        away = people.why_unavailable(engineer, at=begin)
        yield Interval(begin, end, None, "away") if away else Interval(begin, end, engineer, held.because)


def coverage_gaps(
    world: RotationSchedule, *, owners: Mapping[int, tuple[int, int]], starts_at: dt.datetime, ends_at: dt.datetime
) -> list[tuple[int, dt.datetime, dt.datetime]]:
    """Return the coverage gaps between two instants as (pipeline, start, end), grouped by pipeline.

    `owners` maps each pipeline to its primary and secondary owner.
    """
    found: list[tuple[int, dt.datetime, dt.datetime]] = []
    vacant = world.vacant(starts_at=starts_at, ends_at=ends_at)
    for pipeline, (primary, secondary) in owners.items():
        # An available owner or roster member always covers the pipeline, so check chains only in the remaining time.
        alone = world.people.together_away((primary, secondary), starts_at=starts_at, ends_at=ends_at)
        for begin, end in common(vacant, alone):
            at: dt.datetime | None = begin
            while at is not None and at < end:
                chain = chain_at(world, primary=primary, secondary=secondary, at=at)
                if chain.responder is None:
                    until = min(chain.until or end, end)
                    joins = bool(found) and found[-1][0] == pipeline and found[-1][2] == at
                    found.append((pipeline, found.pop()[1] if joins else at, until))
                at = chain.until
    return found
