"""Reads about how evenly on-call time is shared."""

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

PAST, UPCOMING = dt.timedelta(weeks=52), dt.timedelta(weeks=26)


@dataclass(frozen=True, slots=True)
class Fairness:
    """An engineer's workload in a rotation: the past 52 weeks and the next 26."""

    engineer: User
    past: Workload
    coming: Workload


def rotation_fairness(rotations: Iterable[Rotation], *, at: dt.datetime) -> list[tuple[Rotation, list[Fairness]]]:
    """Return the past and upcoming workload of each engineer of each rotation, by the engineer's name."""
    rotations = list(rotations)
    schedules = load_schedules(rotations, starts_at=at - PAST, ends_at=at + UPCOMING, owners=()).rotations
    involved = {key for schedule in schedules.values() for key in _on_call_engineers(schedule)}
    people = {user.pk: user for user in User.objects.filter(pk__in=involved).order_by("display_name", "pk")}
    return [(rotation, _rows(schedules[rotation.pk], people=people, at=at)) for rotation in rotations]


def _rows(schedule: RotationSchedule, *, people: dict[int, User], at: dt.datetime) -> list[Fairness]:
    on_call = _on_call_engineers(schedule)
    engineers = {key: user for key, user in people.items() if key in on_call}
    years = range((at - PAST).year, (at + UPCOMING).year + 1)
    facts: dict[str, Any] = {
        "zones": {key: user.zone for key, user in engineers.items()},
        "public_holidays": {
            key: frozenset(day for year in years for day in public_holidays(user.country, user.subdivision, year))
            for key, user in engineers.items()
        },
    }
    noon = at.replace(hour=12, minute=0, second=0, microsecond=0)
    day = dt.timedelta(days=1)
    past = workloads(schedule, noons=[noon - day * number for number in range(1, PAST.days + 1)], **facts)
    upcoming = workloads(schedule, noons=[noon + day * number for number in range(UPCOMING.days)], **facts)
    return [Fairness(user, past.get(key, Workload()), upcoming.get(key, Workload())) for key, user in engineers.items()]


def _on_call_engineers(schedule: RotationSchedule) -> set[int]:
    return {week.engineer for week in schedule.weeks} | {cover.engineer for cover in schedule.covers}
