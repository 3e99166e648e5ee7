"""Reads about how evenly the rotation weighs."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from people.models import User
from people.queries import public_holidays
from scheduling.domain.responder_chain import RotationSchedule
from scheduling.domain.workload import Workload, workloads
from scheduling.loaders import load_schedules
from scheduling.models import Rotation

PAST, COMING = dt.timedelta(weeks=52), dt.timedelta(weeks=26)


@dataclass(frozen=True, slots=True)
class Fairness:
    """An engineer's share of a rotation: the past year and the half year to come."""

    engineer: User
    past: Workload
    coming: Workload


def rotation_fairness(rotations: Iterable[Rotation], *, at: dt.datetime) -> list[tuple[Rotation, list[Fairness]]]:
    """Return what each engineer of each rotation carried in the past 52 weeks and carries in the next 26, by name."""
    chosen = list(rotations)
    worlds = load_schedules(chosen, starts_at=at - PAST, ends_at=at + COMING, owners=()).rotations
    involved = {key for world in worlds.values() for key in _involved(world)}
    people = {user.pk: user for user in User.objects.filter(pk__in=involved).order_by("display_name", "pk")}
    return [(rotation, _shares(worlds[rotation.pk], people=people, at=at)) for rotation in chosen]


def _shares(world: RotationSchedule, *, people: dict[int, User], at: dt.datetime) -> list[Fairness]:
    on_it = _involved(world)
    mine = {key: user for key, user in people.items() if key in on_it}
    years = range((at - PAST).year, (at + COMING).year + 1)
    facts: dict[str, Any] = {
        "zones": {key: user.zone for key, user in mine.items()},
        "public_holidays": {
            key: frozenset(day for year in years for day in public_holidays(user.country, user.subdivision, year))
            for key, user in mine.items()
        },
    }
    noon = at.replace(hour=12, minute=0, second=0, microsecond=0)
    day = dt.timedelta(days=1)
    past = workloads(world, noons=[noon - day * number for number in range(1, PAST.days + 1)], **facts)
    coming = workloads(world, noons=[noon + day * number for number in range(COMING.days)], **facts)
    return [Fairness(user, past.get(key, Workload()), coming.get(key, Workload())) for key, user in mine.items()]


def _involved(world: RotationSchedule) -> set[int]:
    return {week.engineer for week in world.weeks} | {cover.engineer for cover in world.covers}
