"""What a block of dates would do to the schedule, and the best ways out."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from people.models import User
from pipelines.models import Pipeline
from scheduling.domain.impact import Change, changes_of_responder
from scheduling.domain.suggestions import Suggestion
from scheduling.domain.weeks import Week
from scheduling.loaders import ScheduleSnapshot, load_schedules, rotations_by_pipeline, to_absence, with_extra_absence
from scheduling.models import HolidayBlock, Rotation
from scheduling.queries.holidays import holidays_between
from scheduling.queries.suggestions import suggestions_in, upcoming_schedule

WEEKS_SUGGESTED_FOR, SUGGESTED = 4, 3


@dataclass(frozen=True, slots=True)
class AffectedWeek:
    """A part of an on-call week that a block takes away."""

    rotation: Rotation
    week: Week
    starts_at: dt.datetime
    ends_at: dt.datetime


@dataclass(frozen=True, slots=True)
class HolidayImpact:
    """What a holiday block does: weeks hit, who steps in per pipeline (None: nobody), who else is away, the best swaps."""

    weeks: list[AffectedWeek]
    changes: list[tuple[Pipeline, Change]]
    also_away: list[HolidayBlock]
    suggestions: list[tuple[AffectedWeek, list[Suggestion]]]
    people: Mapping[int, User]

    @property
    def uncovered(self) -> list[tuple[Pipeline, Change]]:
        """The stretches in which nobody would be available for a pipeline."""
        return [(pipeline, change) for pipeline, change in self.changes if change.after is None]


def holiday_impact(block: HolidayBlock, *, at: dt.datetime) -> HolidayImpact:
    """Return what a block, saved or not, does to the schedule (product.md §4)."""
    rotations = {row.pk: row for row in Rotation.objects.all()}
    window = {"starts_at": block.starts_at, "ends_at": block.ends_at}
    before = load_schedules(rotations.values(), starts_at=block.starts_at, ends_at=block.ends_at, without=block.pk)
    after = with_extra_absence(before, absence=to_absence(block))
    pipelines = {row.pk: row for row in Pipeline.objects.all().with_owners()}
    changes = [
        (pipelines[change.pipeline], change)
        for key, owners in pipelines_affected_by(block.engineer_id, before, pipelines.values()).items()
        for change in changes_of_responder(before.of(key), after.of(key), owners=owners, **window)
    ]
    weeks = [
        AffectedWeek(rotations[key], week, max(week.starts_at, block.starts_at), min(week.ends_at, block.ends_at))
        for key, world in before.rotations.items()
        for week in world.weeks
        if week.engineer == block.engineer_id and week.starts_at < block.ends_at and week.ends_at > block.starts_at
    ]
    others = holidays_between(**window).exclude(engineer=block.engineer_id)
    return HolidayImpact(
        weeks=weeks,
        changes=changes,
        also_away=list(others),
        suggestions=[(hit, _suggested(hit, block, at=at)) for hit in weeks if hit.week.starts_at > at][
            :WEEKS_SUGGESTED_FOR
        ],
        people=User.objects.in_bulk(),
    )


def _suggested(hit: AffectedWeek, block: HolidayBlock, *, at: dt.datetime) -> list[Suggestion]:
    """Return the best swaps of a week that a block hits, the block in force."""
    world = upcoming_schedule(hit.rotation, at=at, without=block.pk, absence=to_absence(block))
    week = next((one for one in world.weeks if one.starts_on == hit.week.starts_on), None)
    return [] if week is None else suggestions_in(world, week=week, at=at, limit=SUGGESTED)


def pipelines_affected_by(
    engineer: int, worlds: ScheduleSnapshot, pipelines: Iterable[Pipeline]
) -> dict[int | None, dict[int, tuple[int, int]]]:
    """Return the owners of the pipelines in whose chain an engineer may stand, by rotation: no other one is affected."""
    return {
        key: {
            pipeline: pair
            for pipeline, pair in owners.items()
            if engineer in pair or engineer in worlds.of(key).engineers
        }
        for key, owners in owners_by_rotation(pipelines).items()
    }


def owners_by_rotation(pipelines: Iterable[Pipeline]) -> dict[int | None, dict[int, tuple[int, int]]]:
    """Return each pipeline's primary and secondary owner, by the rotation it belongs to; None for those in none."""
    rows = list(pipelines)
    placed = rotations_by_pipeline(rows)
    owners: dict[int | None, dict[int, tuple[int, int]]] = {}
    for row in rows:
        owners.setdefault(placed.get(row.pk), {})[row.pk] = (row.primary_owner_id, row.secondary_owner_id)
    return owners
