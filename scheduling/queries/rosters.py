"""Reads about rosters and the effect of changing one."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from people.domain.person import Person
from people.models import User
from scheduling.domain.swaps import AcceptedSwap, reapply_swaps
from scheduling.domain.weeks import WEEK, Move, RosterVersion, planned_weeks
from scheduling.loaders import roster_versions, rotation_hours
from scheduling.models import Roster, Rotation, RotationWeek, SwapRequest
from scheduling.queries.swaps import SWAP_PEOPLE


def newest_rosters(rotations: Iterable[Rotation]) -> dict[int, Roster]:
    """Return the roster with the latest start date by rotation ID, with its engineers; it may start in the future."""
    rows = (
        Roster.objects.filter(rotation__in=list(rotations))
        .order_by("rotation_id", "-starts_on")
        .distinct("rotation_id")
    )
    return {roster.rotation_id: roster for roster in rows.prefetch_related("members__engineer")}


def newest_roster(rotation: Rotation) -> Roster | None:
    """Return the roster of a rotation with the latest start date."""
    return newest_rosters([rotation]).get(rotation.pk)


def roster_engineers(roster: Roster) -> list[User]:
    """Return a roster's engineers in order."""
    return [member.engineer for member in sorted(roster.members.all(), key=lambda member: member.position)]


def aligned_order(engineers: Sequence[User], *, newest: Roster | None, size: int, starts_on: dt.date) -> list[User]:
    """Return engineers in an order that starts at the place whose turn it is in a week of the newest roster, of `size` places.

    So each place keeps its weeks. A roster of another size keeps its order.
    """
    if newest is None or size != len(engineers) or starts_on < newest.starts_on:
        return list(engineers)
    turn = (starts_on - newest.starts_on) // WEEK % size
    return [*engineers[turn:], *engineers[:turn]]


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """A stored week with its planned engineer and its engineer after a replan."""

    week: RotationWeek
    planned_engineer: Person
    engineer: Person


@dataclass(frozen=True, slots=True)
class Replan:
    """The stored weeks after a replan, and the accepted swaps that no longer apply, with the reason."""

    weeks: list[PlannedRow]
    lost: list[tuple[SwapRequest, str]]


def planned_replan(rotation: Rotation, *, versions: list[RosterVersion], first: dt.date) -> Replan:
    """Return the stored weeks from a date on as these rosters plan them, with accepted swaps reapplied."""
    rows = {row.starts_on: row for row in rotation.weeks.filter(starts_on__gte=first).select_related("engineer")}
    until = max(rows, default=first) + WEEK
    weeks = planned_weeks(rotation_hours(rotation), rosters=versions, first=first, until=until)
    planned = {week.starts_on: week.engineer for week in weeks if week.starts_on in rows}
    accepted = rotation.swaps.accepted().touching_weeks(planned).select_related(*SWAP_PEOPLE)
    requests = {swap.pk: swap for swap in accepted}
    swaps = [AcceptedSwap(swap.pk, swap.moves()) for swap in requests.values()]
    inactive = {user.person for user in User.objects.filter(is_active=False)}
    after, lost = reapply_swaps(planned, swaps=swaps, inactive=inactive)
    weeks_after = [PlannedRow(rows[day], planned[day], after[day]) for day in planned]
    return Replan(weeks_after, [(requests[key], reason) for key, reason in lost.items()])


@dataclass(frozen=True, slots=True)
class RosterChange:
    """The effect of a new roster: the weeks that change engineer, gains and losses, and the swaps it ends."""

    weeks: list[Move]
    gained: dict[Person, int]
    lost: dict[Person, int]
    swaps_lost: list[tuple[SwapRequest, str]]


def roster_change(rotation: Rotation, *, engineers: list[User], starts_on: dt.date) -> RosterChange:
    """Return the effect on the stored weeks of a roster of these engineers from a start date on."""
    earlier = [roster for roster in roster_versions([rotation]).get(rotation.pk, []) if roster.starts_on < starts_on]
    roster = RosterVersion(starts_on, tuple(engineer.person for engineer in engineers))
    replan = planned_replan(rotation, versions=[*earlier, roster], first=starts_on)
    moved = [
        Move(row.week.starts_on, row.week.engineer.person, row.engineer)
        for row in replan.weeks
        if row.engineer.id != row.week.engineer_id
    ]
    gained, lost = Counter(move.taker for move in moved), Counter(move.giver for move in moved)
    return RosterChange(moved, dict(gained), dict(lost), replan.lost)
