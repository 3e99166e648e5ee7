"""Reads about the shared calendar, and what a block of dates would do."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import holidays
from django.db.models import QuerySet

from people.models import User
from pipelines.models import Pipeline
from scheduling.engine.effects import Change, changes_of_responder
from scheduling.engine.turns import Week
from scheduling.models import HolidayBlock, Rotation
from scheduling.worlds import (
    absence_of,
    load_worlds,
    rotations_of,
    with_absence,
)


def holidays_between(*, starts_at: dt.datetime, ends_at: dt.datetime) -> QuerySet[HolidayBlock]:
    """Return everybody's holiday blocks that share an instant with a window, with their engineers."""
    return HolidayBlock.objects.touching(starts_at=starts_at, ends_at=ends_at).select_related("engineer")


def holidays_of(engineer: User, *, at: dt.datetime) -> QuerySet[HolidayBlock]:
    """Return an engineer's holiday blocks that are not over."""
    return HolidayBlock.objects.filter(engineer=engineer, ends_at__gt=at).order_by("starts_at")


@lru_cache(maxsize=512)
def public_holidays(country: str, subdivision: str, year: int) -> dict[dt.date, str]:
    """Return the public holidays of a country and subdivision in a year, by date; none for an unknown country."""
    if not country:
        return {}
    return dict(holidays.country_holidays(country, subdiv=subdivision or None, years=year))


@dataclass(frozen=True, slots=True)
class Hit:
    """A part of an on-call week that a block takes away."""

    rotation: Rotation
    week: Week
    starts_at: dt.datetime
    ends_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Effects:
    """What a holiday block does: weeks hit, who steps in per pipeline (None: nobody), and who else is away."""

    weeks: list[Hit]
    changes: list[tuple[Pipeline, Change]]
    also_away: list[HolidayBlock]
    people: Mapping[int, User]

    @property
    def uncovered(self) -> list[tuple[Pipeline, Change]]:
        """The stretches in which nobody would be available for a pipeline."""
        return [(pipeline, change) for pipeline, change in self.changes if change.after is None]


def effects_of(block: HolidayBlock) -> Effects:
    """Return what a block, saved or not, does to the schedule (product.md §4)."""
    rotations = {row.pk: row for row in Rotation.objects.all()}
    window = {"starts_at": block.starts_at, "ends_at": block.ends_at}
    before = load_worlds(rotations.values(), **window, without=block.pk)
    after = with_absence(before, absence=absence_of(block))
    pipelines = {row.pk: row for row in Pipeline.objects.all().with_owners()}
    changes = [
        (pipelines[change.pipeline], change)
        for key, owners in owners_by_rotation(pipelines.values()).items()
        for change in changes_of_responder(before.of(key), after.of(key), owners=owners, **window)
    ]
    weeks = [
        Hit(rotations[key], week, max(week.starts_at, block.starts_at), min(week.ends_at, block.ends_at))
        for key, world in before.rotations.items()
        for week in world.weeks
        if week.engineer == block.engineer_id and week.starts_at < block.ends_at and week.ends_at > block.starts_at
    ]
    others = holidays_between(**window).exclude(engineer=block.engineer_id)
    return Effects(weeks=weeks, changes=changes, also_away=list(others), people=User.objects.in_bulk())


def owners_by_rotation(pipelines: Iterable[Pipeline]) -> dict[int | None, dict[int, tuple[int, int]]]:
    """Return each pipeline's primary and secondary owner, by the rotation it belongs to; None for those in none."""
    rows = list(pipelines)
    placed = rotations_of(rows)
    owners: dict[int | None, dict[int, tuple[int, int]]] = {}
    for row in rows:
        owners.setdefault(placed.get(row.pk), {})[row.pk] = (row.primary_owner_id, row.secondary_owner_id)
    return owners
