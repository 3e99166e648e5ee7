"""Everything that decides who answers, read from the rows of a window into the engine's worlds."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

from pipelines.models import Pipeline
from scheduling.domain.responder_chain import Absence, Availability, Cover, RotationSchedule
from scheduling.domain.wall_time import format_days
from scheduling.domain.weeks import WEEK, Hours, RosterVersion, Week, planned_weeks
from scheduling.models import HolidayBlock, PipelineRotation, RosterMember, Rotation

# The columns of a week's row in the order of the engine's `Week`.
WEEK_COLUMNS = ("starts_on", "starts_at", "ends_at", "engineer", "planned_engineer")
REASONS = {"holiday": "on holiday", "sick": "sick", "training": "at a training", "other": "away"}


@dataclass(frozen=True, slots=True)
class ScheduleSnapshot:
    """Everything that decides who answers in a window: a world per rotation, and one for pipelines without any.

    `usernames` are those of the owners asked about and of who has a part in the rotations, by key.
    """

    rotations: Mapping[int, RotationSchedule]
    alone: RotationSchedule
    usernames: Mapping[int, str]

    def of(self, rotation: int | None) -> RotationSchedule:
        """Return the world of a rotation, or, for none, the one in which only owners answer."""
        return self.rotations.get(rotation or 0, self.alone)


def rotation_hours(rotation: Rotation) -> Hours:
    """Return when a rotation hands over."""
    return Hours(zone=rotation.time_zone, weekday=rotation.handoff_weekday, hour=rotation.handoff_time)


def roster_versions(rotations: Iterable[Rotation]) -> dict[int, list[RosterVersion]]:
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
    return [*stored, *planned_weeks(rotation_hours(rotation), rosters=versions, first=first, until=until)]


def to_absence(block: HolidayBlock) -> Absence:
    """Return a holiday block as the engine sees it, with its reason in words."""
    return Absence(block.engineer_id, block.starts_at, block.ends_at, f"{REASONS[block.kind]} {block.days}")


# One statement for all that decides in a window, written by hand: it stands behind every page and every call, and putting five
# queries together costs Django more than PostgreSQL needs to answer them. Instants come as microseconds, which are quicker to
# read than text. The columns: what it is, rotation or key, engineer, another engineer or a place, dates, instants, hours, a word.
# It begins with SELECT, since before anything else the history of changes would first tell the database who asks.
WINDOW = """
SELECT * FROM (WITH week AS (
  SELECT rotation_id, engineer_id, planned_engineer_id, starts_on, starts_at, ends_at FROM scheduling_rotationweek
   WHERE rotation_id = ANY(%(rotations)s) AND starts_at < %(ends_at)s AND ends_at > %(starts_at)s
), cover AS (
  SELECT rotation_id, engineer_id, covered_engineer_id, starts_at, ends_at FROM scheduling_cover
   WHERE rotation_id = ANY(%(rotations)s) AND starts_at < %(ends_at)s AND ends_at > %(starts_at)s
), member AS (
  SELECT roster.rotation_id, place.engineer_id, place.position, roster.starts_on
    FROM scheduling_rostermember place JOIN scheduling_roster roster ON roster.id = place.roster_id
   WHERE roster.rotation_id = ANY(%(rotations)s)
), person AS MATERIALIZED (
  SELECT %(owners)s::bigint[] || ARRAY(SELECT engineer_id FROM member UNION ALL SELECT engineer_id FROM week
         UNION ALL SELECT planned_engineer_id FROM week UNION ALL SELECT engineer_id FROM cover) AS ids
)
SELECT 1, rotation_id, engineer_id, planned_engineer_id, starts_on, NULL::date,
       (extract(epoch FROM starts_at) * 1000000)::bigint, (extract(epoch FROM ends_at) * 1000000)::bigint,
       NULL::time, NULL::time, NULL::text
  FROM week
UNION ALL
SELECT 2, rotation_id, engineer_id, covered_engineer_id, NULL, NULL,
       (extract(epoch FROM starts_at) * 1000000)::bigint, (extract(epoch FROM ends_at) * 1000000)::bigint, NULL, NULL, NULL
  FROM cover
UNION ALL
SELECT 3, id, engineer_id, NULL, starts_on, ends_on,
       (extract(epoch FROM starts_at) * 1000000)::bigint, (extract(epoch FROM ends_at) * 1000000)::bigint,
       starts_at_time, ends_at_time, kind
  FROM scheduling_holidayblock
 WHERE starts_at < %(ends_at)s AND ends_at > %(starts_at)s
   AND (%(everyone)s OR engineer_id = ANY((SELECT ids FROM person)::bigint[]))
UNION ALL
SELECT 4, is_active::int, id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, username
  FROM people_user WHERE id = ANY((SELECT ids FROM person)::bigint[]) OR (%(everyone)s AND NOT is_active)
UNION ALL
SELECT 5, rotation_id, engineer_id, position, starts_on, NULL, NULL, NULL, NULL, NULL, NULL FROM member
) found
"""
WEEK_ROW, COVER_ROW, BLOCK_ROW, PERSON_ROW, MEMBER_ROW = range(1, 6)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class _Window:
    """The rows of a window, sorted by what they are."""

    def __init__(
        self, rotations: list[int], *, starts_at: dt.datetime, ends_at: dt.datetime, owners: Iterable[int] | None
    ) -> None:
        given: dict[str, Any] = {"rotations": rotations, "starts_at": starts_at, "ends_at": ends_at}
        given |= {"everyone": owners is None, "owners": list(set(owners or ()))}
        with connection.cursor() as cursor:
            cursor.execute(WINDOW, given)
            rows = cursor.fetchall()
        self.weeks: dict[int, list[Week]] = {}
        self.covers: dict[int, list[Cover]] = {}
        self.absences: dict[int, Absence] = {}
        self.usernames: dict[int, str] = {}
        self.inactive: set[int] = set()
        self.members: dict[tuple[int, dt.date], list[tuple[int, int]]] = {}
        for what, key, engineer, other, first, last, begin, end, start, stop, word in rows:
            if what == COVER_ROW:
                self.covers.setdefault(key, []).append(Cover(engineer, other, _instant(begin), _instant(end)))
            elif what == WEEK_ROW:
                self.weeks.setdefault(key, []).append(Week(first, _instant(begin), _instant(end), engineer, other))
            elif what == BLOCK_ROW:
                reason = f"{REASONS[word]} {format_days(first, last, start=start, end=stop)}"
                self.absences[key] = Absence(engineer, _instant(begin), _instant(end), reason)
            elif what == PERSON_ROW:
                self.usernames[engineer] = word
                if not key:
                    self.inactive.add(engineer)
            else:
                self.members.setdefault((key, first), []).append((other, engineer))

    def versions(self) -> dict[int, list[RosterVersion]]:
        """Return each rotation's rosters, by rotation, oldest first."""
        found: dict[int, list[RosterVersion]] = {}
        for (rotation, starts_on), members in sorted(self.members.items()):
            engineers = tuple(engineer for _, engineer in sorted(members))
            found.setdefault(rotation, []).append(RosterVersion(starts_on, engineers))
        return found


def _instant(microseconds: int) -> dt.datetime:
    return EPOCH + dt.timedelta(microseconds=microseconds)


def load_schedules(
    rotations: Iterable[Rotation],
    *,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    without: int | None = None,
    owners: Iterable[int] | None = None,
) -> ScheduleSnapshot:
    """Return all that decides who answers between two instants, in one statement that reads only that window.

    `without` is a holiday block to leave out, as if it were not there. With `owners`, only their absences are read and those of
    who has a part in the rotations; without, everybody's.
    """
    chosen = list(rotations)
    window = _Window([rotation.pk for rotation in chosen], starts_at=starts_at, ends_at=ends_at, owners=owners)
    absences = [absence for key, absence in window.absences.items() if key != without]
    people = Availability(inactive=frozenset(window.inactive), absences=absences)
    versions = window.versions()
    first, until = (starts_at - 2 * WEEK).date(), (ends_at + WEEK).date()
    worlds = {}
    for rotation in chosen:
        rosters = versions.get(rotation.pk, [])
        stored = sorted(window.weeks.get(rotation.pk, []), key=lambda week: week.starts_at)
        weeks = weeks_of(rotation, versions=rosters, stored=stored, first=first, until=until)
        worlds[rotation.pk] = RotationSchedule(
            people=people, weeks=weeks, covers=window.covers.get(rotation.pk, ()), rosters=rosters
        )
    return ScheduleSnapshot(rotations=worlds, alone=RotationSchedule(people=people), usernames=window.usernames)


def rotations_by_pipeline(pipelines: Iterable[Pipeline]) -> dict[int, int]:
    """Return the rotation each pipeline belongs to, by key; those in none are left out."""
    placed = PipelineRotation.objects.filter(pipeline__in=[pipeline.pk for pipeline in pipelines])
    return dict(placed.values_list("pipeline", "rotation"))


def with_extra_absence(worlds: ScheduleSnapshot, *, absence: Absence) -> ScheduleSnapshot:
    """Return the worlds as they would be with one more absence."""
    old = worlds.alone.people
    people = Availability(
        inactive=old.inactive, absences=[*(one for ones in old.absences.values() for one in ones), absence]
    )
    return ScheduleSnapshot(
        rotations={
            key: RotationSchedule(people=people, weeks=world.weeks, covers=world.covers, rosters=world.rosters)
            for key, world in worlds.rotations.items()
        },
        alone=RotationSchedule(people=people),
        usernames=worlds.usernames,
    )
