"""Who responds for a pipeline, and who is on call in a rotation. See "Who responds" in docs/rules.md."""

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from heapq import merge
from itertools import islice, pairwise
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from people.domain.person import Person
from scheduling.domain.weeks import RosterVersion, Week, roster_engineers

ON_CALL = "on_call"
PRIMARY = "primary_owner"
SECONDARY = "secondary_owner"
ROTATION = "rotation"
ROLE_LABELS = {
    ON_CALL: "on call",
    PRIMARY: "primary owner",
    SECONDARY: "secondary owner",
    ROTATION: "next in rotation",
}
INACTIVE_TEXT = "no longer active"


@dataclass(frozen=True, slots=True)
class Absence:
    """A period in which an engineer is unavailable, with a reason such as "on holiday 21–25 Dec"."""

    engineer: Person
    starts_at: dt.datetime
    ends_at: dt.datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Cover:
    """A period that one engineer takes over from another."""

    engineer: Person
    covered_engineer: Person
    starts_at: dt.datetime
    ends_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Link:
    """An engineer's place in a chain; `reason` says why they are skipped, "" if they are available."""

    engineer: Person
    role: str
    available: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Chain:
    """The escalation chain of a pipeline at an instant; `until` is when it next changes, None if unknown."""

    at: dt.datetime
    links: tuple[Link, ...]
    acting_owner: Person | None
    until: dt.datetime | None = field(default=None, compare=False)

    @property
    def responder(self) -> Person | None:
        """The first available engineer, or None if the pipeline is uncovered."""
        return next((link.engineer for link in self.links if link.available), None)

    @property
    def facts(self) -> tuple[tuple[Link, ...], Person | None]:
        """The chain without its times, to compare chains at different instants."""
        return self.links, self.acting_owner


Period = tuple[dt.datetime, dt.datetime]


def intersect(first: Sequence[Period], second: Sequence[Period]) -> list[Period]:
    """Return the overlaps of two lists of periods; each list is sorted and has no overlaps of its own."""
    overlaps = ((max(a, b), min(end, stop)) for a, end in first for b, stop in second if a < stop and b < end)
    return sorted(overlaps)


class Availability:
    """Everybody's absences and the inactive people; shared by all rotations."""

    def __init__(self, *, absences: Sequence[Absence], inactive: frozenset[Person] = frozenset()) -> None:
        self.inactive = inactive
        self.absences: dict[Person, list[Absence]] = {}
        for absence in sorted(absences, key=lambda absence: (absence.starts_at, absence.ends_at, absence.reason)):
            self.absences.setdefault(absence.engineer, []).append(absence)

    def edges(self, engineer: Person, *, after: dt.datetime, before: dt.datetime | None = None) -> set[dt.datetime]:
        """Return the instants strictly between `after` and `before` at which an engineer's absence starts or ends."""
        absences = self.absences.get(engineer)
        if not absences:
            return set()
        instants = (at for absence in absences for at in (absence.starts_at, absence.ends_at))
        return {at for at in instants if after < at and (before is None or at < before)}

    def all_away(self, engineers: Iterable[Person], *, starts_at: dt.datetime, ends_at: dt.datetime) -> list[Period]:
        """Return the sorted periods of a window in which all of these engineers are unavailable."""
        together = [(starts_at, ends_at)]
        for engineer in engineers:
            if not together:
                break
            together = intersect(together, self._away(engineer, starts_at=starts_at, ends_at=ends_at))
        return together

    def _away(self, engineer: Person, *, starts_at: dt.datetime, ends_at: dt.datetime) -> list[Period]:
        if engineer in self.inactive:
            return [(starts_at, ends_at)]
        periods: list[Period] = []
        for absence in self.absences.get(engineer, ()):
            begin, end = max(absence.starts_at, starts_at), min(absence.ends_at, ends_at)
            if begin >= end:
                continue
            if periods and begin <= periods[-1][1]:
                begin, end = periods[-1][0], max(periods.pop()[1], end)
            periods.append((begin, end))
        return periods

    def why_unavailable(self, engineer: Person, *, at: dt.datetime) -> str:
        """Return why an engineer is unavailable at an instant, or "" if they are available."""
        if engineer in self.inactive:
            return INACTIVE_TEXT
        absences = self.absences.get(engineer)
        if not absences:
            return ""
        current = [absence for absence in absences if absence.starts_at <= at < absence.ends_at]
        return max(current, key=lambda absence: absence.ends_at).reason if current else ""


class RotationSchedule:
    """The weeks, covers and rosters of one rotation, each in order, with everybody's availability."""

    def __init__(
        self,
        *,
        availability: Availability,
        weeks: Sequence[Week] = (),
        covers: Sequence[Cover] = (),
        rosters: Sequence[RosterVersion] = (),
    ) -> None:
        self.availability = availability
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
    def engineers(self) -> frozenset[Person]:
        """Everybody in a week, a cover or a roster of the rotation."""
        in_weeks = (person for week in self.weeks for person in (week.engineer, week.planned_engineer))
        in_covers = (person for cover in self.covers for person in (cover.engineer, cover.covered_engineer))
        return frozenset([*in_weeks, *in_covers, *(person for roster in self.rosters for person in roster.engineers)])

    def covers_between(self, begin: dt.datetime, end: dt.datetime) -> list[Cover]:
        """Return the covers that overlap the time from `begin` to `end`, in order."""
        first = bisect_right(self._cover_starts, begin)
        if first and self.covers[first - 1].ends_at > begin:
            first -= 1
        return self.covers[first : bisect_left(self._cover_starts, end)]

    def week_at(self, at: dt.datetime) -> Week | None:
        """Return the week at an instant, or None if no known week includes it."""
        index = bisect_right(self._week_starts, at) - 1
        return self.weeks[index] if index >= 0 and at < self.weeks[index].ends_at else None

    def cover_at(self, at: dt.datetime) -> Cover | None:
        """Return the active cover at an instant, or None."""
        index = bisect_right(self._cover_starts, at) - 1
        return self.covers[index] if index >= 0 and at < self.covers[index].ends_at else None

    def roster(self, week: Week) -> tuple[Person, ...]:
        """Return the engineers of the roster that plans a week, in order."""
        return roster_engineers(self.rosters, week=week.starts_on)

    def unattended(self, *, starts_at: dt.datetime, ends_at: dt.datetime) -> list[Period]:
        """Return the sorted periods of a window in which nobody on the active roster is available.

        Time outside the known weeks has no roster, so all of it is unattended.
        """
        periods: list[Period] = []
        at = starts_at
        for week in self.weeks:
            begin, end = max(week.starts_at, at), min(week.ends_at, ends_at)
            if begin >= end:
                continue
            if at < begin:
                periods.append((at, begin))
            periods += self.availability.all_away(self.roster(week), starts_at=begin, ends_at=end)
            at = end
        return [*periods, (at, ends_at)] if at < ends_at else periods

    def on_call_at(self, at: dt.datetime) -> Person | None:
        """Return the on-call engineer at an instant, available or not; a cover replaces the week's engineer."""
        week, cover = self.week_at(at), self.cover_at(at)
        return cover.engineer if week and cover else week.engineer if week else None

    def changes_after(self, at: dt.datetime, *, engineers: Iterable[Person] = ()) -> Iterator[dt.datetime]:
        """Yield, in order, the instants after `at` at which a week, a cover or an absence of `engineers` changes.

        Only the absences of `engineers` are read, so the cost does not grow with the number of users.
        """
        boundaries = self.boundaries[bisect_right(self.boundaries, at) :]
        edges = {edge for engineer in engineers for edge in self.availability.edges(engineer, after=at)}
        yield from merge(boundaries, sorted(edges.difference(boundaries)))


def chain_at(schedule: RotationSchedule, *, primary: Person, secondary: Person, at: dt.datetime) -> Chain:
    """Return the escalation chain of a pipeline at an instant, and when it next changes.

    The order is on-call engineer, primary owner, secondary owner, then the roster from the engineer after the week's. Each
    engineer appears once, in their first role.
    """
    chain = chain_without_end(schedule, primary=primary, secondary=secondary, at=at)
    until = next(
        (
            later
            # The chain's people do not change before one of these instants, so only their absences matter.
            for later in schedule.changes_after(at, engineers=(link.engineer for link in chain.links))
            if chain_without_end(schedule, primary=primary, secondary=secondary, at=later).facts != chain.facts
        ),
        None,
    )
    return Chain(at=at, links=chain.links, acting_owner=chain.acting_owner, until=until)


def chain_without_end(schedule: RotationSchedule, *, primary: Person, secondary: Person, at: dt.datetime) -> Chain:
    """Return the escalation chain of a pipeline at an instant, without the instant at which it next changes."""
    week = schedule.week_at(at)
    roles: list[tuple[Person | None, str]] = [
        (schedule.on_call_at(at), ON_CALL),
        (primary, PRIMARY),
        (secondary, SECONDARY),
    ]
    if week is not None:
        roster = schedule.roster(week)
        turn = roster.index(week.engineer) + 1 if week.engineer in roster else 0
        roles += [(engineer, ROTATION) for engineer in (*roster[turn:], *roster[:turn])]
    # By primary key, not by person: this is the code that runs most, and integers hash twice as fast.
    links: dict[int, Link] = {}
    for engineer, role in roles:
        if engineer is not None and engineer.id not in links:
            reason = schedule.availability.why_unavailable(engineer, at=at)
            links[engineer.id] = Link(engineer=engineer, role=role, available=not reason, reason=reason)
    acting_owner = next((owner for owner in (primary, secondary) if links[owner.id].available), None)
    return Chain(at=at, links=tuple(links.values()), acting_owner=acting_owner)


class Span(Protocol):
    """A week or a cover, as a domain object or as a row."""

    @property
    def engineer(self) -> Any: ...
    @property
    def starts_at(self) -> Any: ...
    @property
    def ends_at(self) -> Any: ...


W = TypeVar("W", bound=Span)
C = TypeVar("C", bound=Span)


class Assignment(NamedTuple, Generic[W, C]):
    """A period of a rotation with the week it belongs to and the active cover; without a week nobody is on call."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    week: W | None
    cover: C | None

    @property
    def engineer(self) -> Any:
        """The engineer of the cover, else of the week: a person or a user, as in the week; None without a week."""
        span = self.cover or self.week
        return span.engineer if span else None


def assignments(
    weeks: Iterable[W], covers: Iterable[C], *, starts_at: dt.datetime, ends_at: dt.datetime
) -> Iterator[Assignment[W, C]]:
    """Yield the contiguous assignments of a window, cut at every start and end of a week or cover.

    Weeks and covers are sorted, and neither overlap among themselves. A cover counts only within a week.
    """
    at, rows, place = starts_at, list(covers), 0
    for week in weeks:
        begin, end = max(week.starts_at, at), min(week.ends_at, ends_at)
        if begin >= end:
            continue
        if at < begin:
            yield Assignment(at, begin, None, None)
            at = begin
        # A cover that reaches into the next week is looked at again there.
        while place < len(rows) and rows[place].ends_at <= at:
            place += 1
        for cover in islice(rows, place, None):
            if cover.starts_at >= end:
                break
            start, stop = max(cover.starts_at, at), min(cover.ends_at, end)
            if at < start:
                yield Assignment(at, start, week, None)
            yield Assignment(start, stop, week, cover)
            at = stop
        if at < end:
            yield Assignment(at, end, week, None)
            at = end
    if at < ends_at:
        yield Assignment(at, ends_at, None, None)


class Interval(NamedTuple):
    """A period of a rotation and its on-call engineer.

    `because` is "week", "cover", or "away" if nobody is on call because the engineer is away.
    """

    starts_at: dt.datetime
    ends_at: dt.datetime
    engineer: Person | None
    because: str


def timeline(schedule: RotationSchedule, *, starts_at: dt.datetime, ends_at: dt.datetime) -> list[Interval]:
    """Return the contiguous intervals of a rotation between two instants; equal neighbours are merged.

    While the on-call engineer is away, the interval has `engineer` None and `because` "away": the responder then depends on
    each pipeline's owners. Use `chain_at` to find them.
    """
    covers = schedule.covers_between(starts_at, ends_at)
    intervals: list[Interval] = []
    for part in assignments(schedule.weeks, covers, starts_at=starts_at, ends_at=ends_at):
        for interval in _intervals(schedule.availability, part):
            last = intervals[-1] if intervals else None
            if last is not None and last.because == interval.because and last.engineer == interval.engineer:
                intervals[-1] = Interval(last.starts_at, interval.ends_at, interval.engineer, interval.because)
            else:
                intervals.append(interval)
    return intervals


def _intervals(availability: Availability, part: Assignment[Week, Cover]) -> Iterator[Interval]:
    """Split an assignment into the parts in which its engineer is available and the parts in which they are away."""
    engineer: Person | None = part.engineer
    if engineer is None:
        yield Interval(part.starts_at, part.ends_at, None, "week")
        return
    because = "cover" if part.cover else "week"
    if engineer not in availability.absences and engineer not in availability.inactive:
        yield Interval(part.starts_at, part.ends_at, engineer, because)
        return
    edges = availability.edges(engineer, after=part.starts_at, before=part.ends_at)
    for begin, end in pairwise([part.starts_at, *sorted(edges), part.ends_at]):
        if availability.why_unavailable(engineer, at=begin):
            yield Interval(begin, end, None, "away")
        else:
            yield Interval(begin, end, engineer, because)


def coverage_gaps(
    schedule: RotationSchedule,
    *,
    owners: Mapping[int, tuple[Person, Person]],
    starts_at: dt.datetime,
    ends_at: dt.datetime,
) -> list[tuple[int, dt.datetime, dt.datetime]]:
    """Return the coverage gaps between two instants as (pipeline, start, end), grouped by pipeline.

    `owners` maps each pipeline to its primary and secondary owner.
    """
    gaps: list[tuple[int, dt.datetime, dt.datetime]] = []
    away = {
        pipeline: schedule.availability.all_away(pair, starts_at=starts_at, ends_at=ends_at)
        for pipeline, pair in owners.items()
    }
    periods = [period for group in away.values() for period in group]
    if not periods:
        return gaps
    # An available owner or roster member always covers the pipeline, so check chains only in the remaining time.
    unattended = schedule.unattended(
        starts_at=min(begin for begin, _ in periods), ends_at=max(end for _, end in periods)
    )
    for pipeline, (primary, secondary) in owners.items():
        for begin, end in intersect(unattended, away[pipeline]):
            at: dt.datetime | None = begin
            while at is not None and at < end:
                chain = chain_at(schedule, primary=primary, secondary=secondary, at=at)
                if chain.responder is None:
                    until = min(chain.until or end, end)
                    continues = bool(gaps) and gaps[-1][0] == pipeline and gaps[-1][2] == at
                    gaps.append((pipeline, gaps.pop()[1] if continues else at, until))
                at = chain.until
    return gaps
