"""Who answers: the responder chain of a pipeline at an instant, with reasons, and until when it holds (product.md §3)."""

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from scheduling.engine.turns import RosterVersion, Week

ON_CALL = "on_call"
PRIMARY = "primary_owner"
SECONDARY = "secondary_owner"
ROTATION = "rotation"
INACTIVE = "no longer active"


@dataclass(frozen=True, slots=True)
class Absence:
    """A time in which an engineer is unavailable, and why, in words: "on holiday 21–25 Dec"."""

    engineer: int
    starts_at: dt.datetime
    ends_at: dt.datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Cover:
    """A time that one engineer takes over from another."""

    engineer: int
    covers: int
    starts_at: dt.datetime
    ends_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Link:
    """An engineer's place in a chain; `reason` says why they are passed over, "" where they are available."""

    engineer: int
    role: str
    available: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Chain:
    """Who answers for a pipeline at an instant, in order; `until` is the next instant any of it changes, if one is known."""

    at: dt.datetime
    links: tuple[Link, ...]
    acting_owner: int | None
    until: dt.datetime | None = field(default=None, compare=False)

    @property
    def responder(self) -> int | None:
        """The first who is available, None where nobody is: the pipeline is uncovered."""
        return next((link.engineer for link in self.links if link.available), None)

    @property
    def facts(self) -> tuple[tuple[Link, ...], int | None]:
        """All that the chain says but for its times."""
        return self.links, self.acting_owner


class People:
    """Who is available when: active engineers and everybody's absences, shared by all rotations."""

    def __init__(self, *, active: frozenset[int], absences: Sequence[Absence]) -> None:
        self.active = active
        self.absences: dict[int, list[Absence]] = {}
        for absence in sorted(absences, key=lambda one: (one.starts_at, one.ends_at, one.reason)):
            self.absences.setdefault(absence.engineer, []).append(absence)
        self.boundaries = sorted({at for one in absences for at in (one.starts_at, one.ends_at)})

    def why_unavailable(self, engineer: int, *, at: dt.datetime) -> str:
        """Return why an engineer is unavailable at an instant, "" where they are available."""
        if engineer not in self.active:
            return INACTIVE
        covering = [one for one in self.absences.get(engineer, ()) if one.starts_at <= at < one.ends_at]
        return max(covering, key=lambda one: one.ends_at).reason if covering else ""


class World:
    """All that decides who is on call in one rotation: its weeks and covers, in order, and its rosters."""

    def __init__(
        self,
        *,
        people: People,
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
        spans: list[Week | Cover] = [*self.weeks, *self.covers]
        self.boundaries = sorted({*people.boundaries, *(at for span in spans for at in (span.starts_at, span.ends_at))})

    def week_at(self, at: dt.datetime) -> Week | None:
        """Return the week that an instant falls into, None outside the weeks known."""
        place = bisect_right(self._week_starts, at) - 1
        return self.weeks[place] if place >= 0 and at < self.weeks[place].ends_at else None

    def cover_at(self, at: dt.datetime) -> Cover | None:
        """Return the cover in force at an instant, or None."""
        place = bisect_right(self._cover_starts, at) - 1
        return self.covers[place] if place >= 0 and at < self.covers[place].ends_at else None

    def roster_of(self, week: Week) -> tuple[int, ...]:
        """Return the engineers of the roster in force in a week, in order."""
        in_force = [version for version in self.rosters if version.starts_on <= week.starts_on]
        return in_force[-1].engineers if in_force else ()

    def on_call_at(self, at: dt.datetime) -> int | None:
        """Return who is on call at an instant, a cover replacing the week's engineer; available or not."""
        week, cover = self.week_at(at), self.cover_at(at)
        return cover.engineer if week and cover else week.engineer if week else None

    def after(self, at: dt.datetime) -> Iterator[dt.datetime]:
        """Yield the instants after `at` at which something of this world changes, in order."""
        yield from self.boundaries[bisect_right(self.boundaries, at) :]


def chain_at(world: World, *, primary: int, secondary: int, at: dt.datetime) -> Chain:
    """Return the responder chain of a pipeline at an instant, with the next instant at which any of it changes.

    On-call engineer → primary owner → secondary owner → the rest of the roster, starting after the week's engineer; each
    engineer once, in their first role.
    """
    chain = _chain(world, primary=primary, secondary=secondary, at=at)
    until = next(
        (
            later
            for later in world.after(at)
            if _chain(world, primary=primary, secondary=secondary, at=later).facts != chain.facts
        ),
        None,
    )
    return Chain(at=at, links=chain.links, acting_owner=chain.acting_owner, until=until)


def _chain(world: World, *, primary: int, secondary: int, at: dt.datetime) -> Chain:
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
    """A stretch of a rotation's time and who is on call in it: by the week, by a cover, or nobody since they are away."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    engineer: int | None
    because: str


def timeline(world: World, *, starts_at: dt.datetime, ends_at: dt.datetime) -> list[Interval]:
    """Return the unbroken intervals of a rotation from one instant to another; neighbours differ.

    Where the engineer whose turn it is is away, the rotation's lane is vacant (`engineer` None, because "away"): who steps in
    then is a matter of each pipeline's owners, which `chain_at` answers.
    """
    edges = [starts_at, *(at for at in world.after(starts_at) if at < ends_at), ends_at]
    intervals: list[Interval] = []
    for begin, end in pairwise(edges):
        engineer, because = _holder(world, begin)
        last = intervals[-1] if intervals else None
        if last is not None and (last.engineer, last.because) == (engineer, because):
            intervals[-1] = Interval(last.starts_at, end, engineer, because)
        elif begin < end:
            intervals.append(Interval(begin, end, engineer, because))
    return intervals


def _holder(world: World, at: dt.datetime) -> tuple[int | None, str]:
    week = world.week_at(at)
    if week is None:
        return None, "week"
    cover = world.cover_at(at)
    engineer = cover.engineer if cover else week.engineer
    if world.people.why_unavailable(engineer, at=at):
        return None, "away"
    return engineer, "cover" if cover else "week"


def uncovered(
    world: World, *, owners: Mapping[int, tuple[int, int]], starts_at: dt.datetime, ends_at: dt.datetime
) -> list[tuple[int, dt.datetime, dt.datetime]]:
    """Return the stretches in which nobody is available for a pipeline: (pipeline, from, until), by pipeline.

    `owners` gives each pipeline's primary and secondary owner.
    """
    found: list[tuple[int, dt.datetime, dt.datetime]] = []
    for pipeline, (primary, secondary) in owners.items():
        at: dt.datetime | None = starts_at
        while at is not None and at < ends_at:
            chain = chain_at(world, primary=primary, secondary=secondary, at=at)
            until = min(chain.until or ends_at, ends_at)
            if chain.responder is None:
                joins = bool(found) and found[-1][0] == pipeline and found[-1][2] == at
                begin = found.pop()[1] if joins else at
                found.append((pipeline, begin, until))
            at = chain.until
    return found
