"""The roster that a handbook plans, and its effect on the shifts."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from handbook.queries.export import handbook_engineers
from people.models import User
from runbooks.domain.handbook_model import RotationPart
from scheduling.domain.weeks import WEEK, RosterVersion, active_roster, current_week, week_start
from scheduling.loaders import roster_versions, rotation_hours
from scheduling.models import Rotation
from scheduling.queries.rosters import RosterChange, newest_roster, roster_engineers


@dataclass(frozen=True, slots=True)
class RosterPlan:
    """The engineers of a roster in the order of their shifts, and the date of the first shift."""

    engineers: tuple[User, ...]
    starts_on: dt.date


@dataclass(frozen=True, slots=True)
class RosterEffect:
    """A roster that an import sets. `change` is None for a new rotation."""

    rotation: str
    plan: RosterPlan
    change: RosterChange | None


def roster_plan(
    part: RotationPart, rotation: Rotation, *, engineers: Sequence[User], at: dt.datetime
) -> RosterPlan | None:
    """Return the roster that the handbook plans for a rotation, or None if nothing changes.

    A new rotation starts this week. A change starts next week, so that the engineer on call now stays on call, and continues
    with the engineer after them. A table with dates says whose turn it is.
    """
    today = at.astimezone(ZoneInfo(rotation.time_zone)).date()
    current = current_week(rotation_hours(rotation), at=at)
    newest = newest_roster(rotation)
    first_day = part.first_day.nearest_date(today) if part.first_day else None
    anchor = week_start(first_day, weekday=rotation.handoff_weekday) if first_day else None
    if newest is None:
        starts_on = max(anchor or current, current)
        return RosterPlan(_turn_order(engineers, anchor=anchor or starts_on, to=starts_on), starts_on)
    starts_on = current + WEEK
    planned = roster_engineers(newest)
    if anchor is not None:
        later = max(starts_on, newest.starts_on)
        same = _turn_order(planned, anchor=newest.starts_on, to=later) == _turn_order(
            engineers, anchor=anchor, to=later
        )
        return None if same else RosterPlan(_turn_order(engineers, anchor=anchor, to=starts_on), starts_on)
    if _is_cycle(planned, engineers):
        return None
    turn = _next_position(engineers, before=_order_before(rotation, starts_on))
    return RosterPlan((*engineers[turn:], *engineers[:turn]), starts_on)


def is_handbook_order(rotation: Rotation, *, engineers: Sequence[User]) -> bool:
    """Return True if an export would list these engineers in this order."""
    newest = newest_roster(rotation)
    return newest is not None and handbook_engineers(rotation, newest) == list(engineers)


def _turn_order(engineers: Sequence[User], *, anchor: dt.date, to: dt.date) -> tuple[User, ...]:
    """Return the engineers from the shift that starts on `to`, if the first takes the one that starts on `anchor`."""
    turn = (to - anchor).days // WEEK.days % len(engineers)
    return (*engineers[turn:], *engineers[:turn])


def _is_cycle(planned: Sequence[User], engineers: Sequence[User]) -> bool:
    """Return True if both lists are the same order, apart from which engineer is first."""
    turns = range(len(planned))
    return any([*planned[turn:], *planned[:turn]] == list(engineers) for turn in turns)


def _order_before(rotation: Rotation, starts_on: dt.date) -> tuple[int, ...]:
    """Return the engineers of the shift before a date and of those that the roster would have continued with."""
    versions: list[RosterVersion] = roster_versions([rotation]).get(rotation.pk, [])
    active = active_roster(versions, week=starts_on - WEEK)
    return tuple(person.id for person in active.order_from(starts_on - WEEK)) if active else ()


def _next_position(engineers: Sequence[User], *, before: tuple[int, ...]) -> int:
    """Return the place of the engineer who continues a rotation: after the one on call, else the next who stays."""
    keys = [engineer.pk for engineer in engineers]
    if before and before[0] in keys:
        return (keys.index(before[0]) + 1) % len(keys)
    return next((keys.index(key) for key in before if key in keys), 0)
