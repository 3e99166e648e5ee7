"""Reads about who is on a rotation, and what another roster would do."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from people.models import User
from scheduling.domain.wall_time import format_day
from scheduling.domain.weeks import WEEK, AcceptedSwap, Move, RosterVersion, planned_weeks, reapply_swaps
from scheduling.loaders import roster_versions, rotation_hours
from scheduling.models import Roster, Rotation, RotationWeek, SwapRequest


def newest_roster(rotation: Rotation) -> Roster | None:
    """Return the roster that was decided on last; it may hold from a coming week only."""
    return rotation.rosters.order_by("-starts_on").first()


def roster_engineers(roster: Roster) -> list[User]:
    """Return a roster's engineers in order."""
    return [member.engineer for member in roster.members.select_related("engineer").order_by("position")]


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """A stored week and who is to hold it, once planned anew."""

    week: RotationWeek
    planned_engineer: int
    engineer: int


@dataclass(frozen=True, slots=True)
class Replan:
    """What planning anew makes of the stored weeks, and the accepted swaps that cannot be honoured any more, with why."""

    weeks: list[PlannedRow]
    lost: list[tuple[SwapRequest, str]]


def planned_replan(rotation: Rotation, *, versions: list[RosterVersion], first: dt.date) -> Replan:
    """Return the stored weeks from a date on as these rosters plan them, with the swaps that still hold made again."""
    rows = {row.starts_on: row for row in rotation.weeks.filter(starts_on__gte=first).select_related("engineer")}
    until = max(rows, default=first) + WEEK
    weeks = planned_weeks(rotation_hours(rotation), rosters=versions, first=first, until=until)
    planned = {week.starts_on: week.engineer for week in weeks if week.starts_on in rows}
    made = {
        swap.pk: swap
        for swap in rotation.swaps.accepted()
        .touching_weeks(planned)
        .select_related("requester", "counterpart", "third")
    }
    exchanges = [AcceptedSwap(swap.pk, swap.moves()) for swap in made.values()]
    inactive = frozenset(User.objects.filter(is_active=False).values_list("pk", flat=True))
    holders, lost = reapply_swaps(planned, exchanges=exchanges, inactive=inactive)
    people = User.objects.in_bulk(set(holders.values()) | {move.taker for move in lost.values()})
    reasons = [(made[key], _lost_ground(move, holders=holders, people=people)) for key, move in lost.items()]
    return Replan([PlannedRow(rows[day], planned[day], holders[day]) for day in planned], reasons)


def _lost_ground(move: Move, *, holders: Mapping[dt.date, int], people: Mapping[int, User]) -> str:
    if not people[move.taker].is_active:
        return f"{people[move.taker]} is no longer active."
    return f"The week of {format_day(move.week)} is now {people[holders[move.week]]}’s by the roster."


@dataclass(frozen=True, slots=True)
class RosterChange:
    """What a new roster does: the weeks that get another engineer, how many each gains and loses, the swaps it ends."""

    weeks: list[tuple[dt.date, User, User]]
    gained: dict[User, int]
    lost: dict[User, int]
    swaps_lost: list[tuple[SwapRequest, str]]


def roster_change(rotation: Rotation, *, engineers: list[User], starts_on: dt.date) -> RosterChange:
    """Return who gains and loses which of the weeks stored, were these engineers on the roster from that week on."""
    kept = [one for one in roster_versions([rotation]).get(rotation.pk, []) if one.starts_on < starts_on]
    wanted = RosterVersion(starts_on, tuple(engineer.pk for engineer in engineers))
    plan = planned_replan(rotation, versions=[*kept, wanted], first=starts_on)
    people = User.objects.in_bulk({row.engineer for row in plan.weeks})
    moved = [
        (row.week.starts_on, row.week.engineer, people[row.engineer])
        for row in plan.weeks
        if row.engineer != row.week.engineer_id
    ]
    gained, lost = Counter(new for _, _, new in moved), Counter(old for _, old, _ in moved)
    return RosterChange(moved, dict(gained), dict(lost), plan.lost)
