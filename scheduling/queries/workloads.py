"""Reads about how evenly on-call time is shared, for the Fairness page."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from people.domain.person import Person
from people.models import User
from people.queries import public_holidays
from scheduling.domain.responder_chain import RotationSchedule
from scheduling.domain.workload import Workload, workloads
from scheduling.loaders import load_schedules
from scheduling.models import Rotation

PAST, UPCOMING = dt.timedelta(weeks=52), dt.timedelta(weeks=26)


@dataclass(frozen=True, slots=True)
class WorkloadRow:
    """An engineer's workload in a rotation: the past 52 weeks and the next 26."""

    engineer: Person
    past: Workload
    upcoming: Workload


def rotation_workloads(rotations: Iterable[Rotation], *, at: dt.datetime) -> list[tuple[Rotation, list[WorkloadRow]]]:
    """Return the past and upcoming workload of each engineer of each rotation, by the engineer's name."""
    rotations = list(rotations)
    schedules = load_schedules(rotations, starts_at=at - PAST, ends_at=at + UPCOMING, owners=()).rotations
    involved = {person.id for schedule in schedules.values() for person in _on_call_engineers(schedule)}
    users = list(User.objects.filter(pk__in=involved).order_by("display_name", "pk"))
    return [(rotation, _rows(schedules[rotation.pk], users=users, at=at)) for rotation in rotations]


def _rows(schedule: RotationSchedule, *, users: Iterable[User], at: dt.datetime) -> list[WorkloadRow]:
    on_call = _on_call_engineers(schedule)
    engineers = {user.person: user for user in users if user.person in on_call}
    years = range((at - PAST).year, (at + UPCOMING).year + 1)
    facts: dict[str, Any] = {
        "zones": {person: user.zone for person, user in engineers.items()},
        "public_holidays": {
            person: frozenset(day for year in years for day in public_holidays(user.country, user.subdivision, year))
            for person, user in engineers.items()
        },
    }
    noon = at.replace(hour=12, minute=0, second=0, microsecond=0)
    day = dt.timedelta(days=1)
    past = workloads(schedule, noons=[noon - day * number for number in range(1, PAST.days + 1)], **facts)
    upcoming = workloads(schedule, noons=[noon + day * number for number in range(UPCOMING.days)], **facts)
    return [WorkloadRow(person, past.get(person, Workload()), upcoming.get(person, Workload())) for person in engineers]


def _on_call_engineers(schedule: RotationSchedule) -> set[Person]:
    return {week.engineer for week in schedule.weeks} | {cover.engineer for cover in schedule.covers}
