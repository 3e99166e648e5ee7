"""Reads about the impact of an absence on the schedule."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from people.domain.person import Person
from pipelines.models import Pipeline
from scheduling.domain.impact import Change, find_responder_changes
from scheduling.domain.suggestions import Suggestion
from scheduling.domain.weeks import Week
from scheduling.loaders import ScheduleSnapshot, load_schedules, rotations_by_pipeline, to_absence, with_extra_absence
from scheduling.models import HolidayBlock, Rotation
from scheduling.queries.holidays import holidays_between
from scheduling.queries.suggestions import suggestions_in, upcoming_schedule

MAX_WEEKS_WITH_SUGGESTIONS, SUGGESTIONS_PER_WEEK = 4, 3


@dataclass(frozen=True, slots=True)
class AffectedWeek:
    """A week in which an absence overlaps its engineer's shift, and the part that overlaps."""

    rotation: Rotation
    week: Week
    starts_at: dt.datetime
    ends_at: dt.datetime


@dataclass(frozen=True, slots=True)
class HolidayImpact:
    """What an absence changes: affected weeks, changes of responder, who else is away, and suggested swaps."""

    weeks: list[AffectedWeek]
    changes: list[tuple[Pipeline, Change]]
    also_away: list[HolidayBlock]
    suggestions: list[tuple[AffectedWeek, list[Suggestion]]]

    @property
    def uncovered(self) -> list[tuple[Pipeline, Change]]:
        """The changes that leave a pipeline without a responder."""
        return [(pipeline, change) for pipeline, change in self.changes if change.after is None]


def holiday_impact(block: HolidayBlock, *, at: dt.datetime) -> HolidayImpact:
    """Return the impact of an absence, saved or not. See "Time off" in docs/rules.md."""
    rotations = {row.pk: row for row in Rotation.objects.active()}
    window = {"starts_at": block.starts_at, "ends_at": block.ends_at}
    before = load_schedules(rotations.values(), starts_at=block.starts_at, ends_at=block.ends_at, without=block.pk)
    after = with_extra_absence(before, absence=to_absence(block))
    pipelines = {row.pk: row for row in Pipeline.objects.all().with_owners()}
    changes = [
        (pipelines[change.pipeline], change)
        for key, owners in pipelines_affected_by(block.engineer.person, before, pipelines.values()).items()
        for change in find_responder_changes(before.schedule(key), after.schedule(key), owners=owners, **window)
    ]
    weeks = [
        AffectedWeek(rotations[key], week, max(week.starts_at, block.starts_at), min(week.ends_at, block.ends_at))
        for key, schedule in before.rotations.items()
        for week in schedule.weeks
        if week.engineer == block.engineer.person and week.starts_at < block.ends_at and week.ends_at > block.starts_at
    ]
    not_started = [affected for affected in weeks if affected.week.starts_at > at][:MAX_WEEKS_WITH_SUGGESTIONS]
    return HolidayImpact(
        weeks=weeks,
        changes=changes,
        also_away=list(holidays_between(**window).exclude(engineer=block.engineer_id)),
        suggestions=[(affected, _suggestions(affected, block, at=at)) for affected in not_started],
    )


def _suggestions(affected: AffectedWeek, block: HolidayBlock, *, at: dt.datetime) -> list[Suggestion]:
    """Return the best swaps of an affected week, with the absence in place."""
    schedule = upcoming_schedule(affected.rotation, at=at, without=block.pk, absence=to_absence(block))
    week = next((week for week in schedule.weeks if week.starts_on == affected.week.starts_on), None)
    return [] if week is None else suggestions_in(schedule, week=week, at=at, limit=SUGGESTIONS_PER_WEEK)


def pipelines_affected_by(
    engineer: Person, snapshot: ScheduleSnapshot, pipelines: Iterable[Pipeline]
) -> dict[int | None, dict[int, tuple[Person, Person]]]:
    """Return the owners of each pipeline whose chain an engineer can be in, by rotation."""
    return {
        key: {
            pipeline: pair
            for pipeline, pair in owners.items()
            if engineer in pair or engineer in snapshot.schedule(key).engineers
        }
        for key, owners in owners_by_rotation(pipelines).items()
    }


def owners_by_rotation(pipelines: Iterable[Pipeline]) -> dict[int | None, dict[int, tuple[Person, Person]]]:
    """Return each pipeline's primary and secondary owner, grouped by rotation; None groups those without a rotation.

    The pipelines come with their owners.
    """
    pipelines = list(pipelines)
    rotation_keys = rotations_by_pipeline(pipelines)
    owners: dict[int | None, dict[int, tuple[Person, Person]]] = {}
    for row in pipelines:
        owners.setdefault(rotation_keys.get(row.pk), {})[row.pk] = (
            row.primary_owner.person,
            row.secondary_owner.person,
        )
    return owners
