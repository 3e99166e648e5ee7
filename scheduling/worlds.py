"""Everything that decides who answers, read from the rows of a window into the engine's worlds."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from people.models import User
from pipelines.models import Pipeline
from scheduling.engine.clock import days_in_words
from scheduling.engine.turns import WEEK, Hours, RosterVersion, Week, planned_weeks
from scheduling.engine.world import Absence, Cover, People, World
from scheduling.models import Cover as CoverRow
from scheduling.models import HolidayBlock, PipelineRotation, RosterMember, Rotation, RotationWeek

# The columns of a week's row in the order of the engine's `Week`.
WEEK_COLUMNS = ("starts_on", "starts_at", "ends_at", "engineer", "planned_engineer")
REASONS = {"holiday": "on holiday", "sick": "sick", "training": "at a training", "other": "away"}


@dataclass(frozen=True, slots=True)
class Worlds:
    """Everything that decides who answers in a window: a world per rotation, and one for pipelines without any."""

    rotations: Mapping[int, World]
    alone: World
    placed: Mapping[int, int]

    def of(self, pipeline: Pipeline) -> World:
        """Return the world of a pipeline's rotation, or the one in which only its owners answer."""
        return self.rotations.get(self.placed.get(pipeline.pk, 0), self.alone)


def hours_of(rotation: Rotation) -> Hours:
    """Return when a rotation hands over."""
    return Hours(zone=rotation.time_zone, weekday=rotation.handoff_weekday, hour=rotation.handoff_time)


def versions_of(rotations: Iterable[Rotation]) -> dict[int, list[RosterVersion]]:
    """Return each rotation's rosters, by rotation, in one statement."""
    members: dict[tuple[int, dt.date], list[int]] = {}
    rows = RosterMember.objects.filter(roster__rotation__in=list(rotations)).order_by("roster__starts_on", "position")
    for rotation, starts_on, engineer in rows.values_list("roster__rotation", "roster__starts_on", "engineer"):
        members.setdefault((rotation, starts_on), []).append(engineer)
    versions: dict[int, list[RosterVersion]] = {}
    for (rotation, starts_on), engineers in members.items():
        versions.setdefault(rotation, []).append(RosterVersion(starts_on, tuple(engineers)))
    return versions


def weeks_of(
    rotation: Rotation, *, versions: list[RosterVersion], stored: list[Week], first: dt.date, until: dt.date
) -> list[Week]:
    """Return a rotation's weeks as stored, and beyond the last of them as planned, between two dates."""
    if stored:
        first = stored[-1].starts_on + WEEK
    return [*stored, *planned_weeks(hours_of(rotation), rosters=versions, first=first, until=until)]


def absence_of(block: HolidayBlock) -> Absence:
    """Return a holiday block as the engine sees it, with its reason in words."""
    days = days_in_words(block.starts_on, block.ends_on, start=block.starts_at_time, end=block.ends_at_time)
    return Absence(block.engineer_id, block.starts_at, block.ends_at, f"{REASONS[block.kind]} {days}")


def load_worlds(
    rotations: Iterable[Rotation], *, starts_at: dt.datetime, ends_at: dt.datetime, without: int | None = None
) -> Worlds:
    """Return all that decides who answers between two instants, in six statements that read only that window.

    `without` is a holiday block to leave out, as if it were not there.
    """
    chosen = list(rotations)
    window = {"starts_at": starts_at, "ends_at": ends_at}
    versions = versions_of(chosen)
    # Values, not model instances: a year of weeks and its covers are read for every timeline.
    weeks: dict[int, list[Week]] = {}
    week_rows = RotationWeek.objects.filter(rotation__in=chosen).touching(**window)
    for key, *values in week_rows.values_list("rotation", *WEEK_COLUMNS):
        weeks.setdefault(key, []).append(Week(*values))
    covers: dict[int, list[Cover]] = {}
    cover_rows = CoverRow.objects.filter(rotation__in=chosen).touching(**window)
    for key, *values in cover_rows.values_list("rotation", "engineer", "covers", "starts_at", "ends_at"):
        covers.setdefault(key, []).append(Cover(*values))
    blocks = HolidayBlock.objects.touching(**window).exclude(pk=without)
    people = People(
        active=frozenset(User.objects.filter(is_active=True).values_list("pk", flat=True)),
        absences=[absence_of(block) for block in blocks],
    )
    first, until = (starts_at - 2 * WEEK).date(), (ends_at + WEEK).date()
    return Worlds(
        rotations={
            rotation.pk: World(
                people=people,
                weeks=weeks_of(
                    rotation,
                    versions=versions.get(rotation.pk, []),
                    stored=weeks.get(rotation.pk, []),
                    first=first,
                    until=until,
                ),
                covers=covers.get(rotation.pk, ()),
                rosters=versions.get(rotation.pk, ()),
            )
            for rotation in chosen
        },
        alone=World(people=people),
        placed=dict(PipelineRotation.objects.values_list("pipeline", "rotation")),
    )


def with_absence(worlds: Worlds, *, absence: Absence) -> Worlds:
    """Return the worlds as they would be with one more absence."""
    old = worlds.alone.people
    people = People(active=old.active, absences=[*(one for ones in old.absences.values() for one in ones), absence])
    return Worlds(
        rotations={
            key: World(people=people, weeks=world.weeks, covers=world.covers, rosters=world.rosters)
            for key, world in worlds.rotations.items()
        },
        alone=World(people=people),
        placed=worlds.placed,
    )
