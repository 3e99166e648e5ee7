"""Load the rows of a window into the domain's schedules."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from people.domain.person import Person
from pipelines.models import Pipeline
from scheduling.domain.responder_chain import Absence, Availability, Cover, RotationSchedule
from scheduling.domain.wall_time import format_days
from scheduling.domain.weeks import WEEK, Hours, RosterVersion, Week, planned_weeks
from scheduling.models import HolidayBlock, PipelineRotation, RosterMember, Rotation, RotationWeek
from scheduling.models.absences import ABSENCE_REASONS

PERSON_COLUMNS = ("pk", "username", "display_name", "colour")


@dataclass(frozen=True, slots=True)
class ScheduleSnapshot:
    """Everything in a window that decides who responds: the schedule of each rotation, and one for pipelines in none.

    `people` has the owners and everyone in the rotations, by primary key.
    """

    rotations: Mapping[int, RotationSchedule]
    without_rotation: RotationSchedule
    people: Mapping[int, Person]

    def schedule(self, rotation: int | None) -> RotationSchedule:
        """Return the schedule of a rotation, or for None the one in which only owners respond."""
        return self.rotations.get(rotation or 0, self.without_rotation)


def rotation_hours(rotation: Rotation) -> Hours:
    """Return when a rotation hands off."""
    return Hours(zone=rotation.time_zone, weekday=rotation.handoff_weekday, hour=rotation.handoff_time)


def roster_versions(rotations: Iterable[Rotation]) -> dict[int, list[RosterVersion]]:
    """Return the rosters of each rotation, oldest first, by the rotation's primary key; runs one statement."""
    members: dict[tuple[int, dt.date], list[Person]] = {}
    rows = RosterMember.objects.filter(roster__rotation__in=list(rotations)).order_by("roster__starts_on", "position")
    columns = ("roster__rotation", "roster__starts_on", *person_columns("engineer"))
    for rotation, starts_on, *engineer in rows.values_list(*columns):
        members.setdefault((rotation, starts_on), []).append(Person(*engineer))
    versions: dict[int, list[RosterVersion]] = {}
    for (rotation, starts_on), engineers in members.items():
        versions.setdefault(rotation, []).append(RosterVersion(starts_on, tuple(engineers)))
    return versions


def person_columns(field: str) -> list[str]:
    """Return the columns of a user, a field of another row, in the order of the fields of `Person`."""
    return [f"{field}__{column}" for column in PERSON_COLUMNS]


def stored_weeks(rows: QuerySet[RotationWeek]) -> list[Week]:
    """Return the weeks of these rows; runs one statement."""
    columns = ("starts_on", "starts_at", "ends_at", *person_columns("engineer"), *person_columns("planned_engineer"))
    size = len(PERSON_COLUMNS)
    return [
        Week(starts_on, starts_at, ends_at, Person(*people[:size]), Person(*people[size:]))
        for starts_on, starts_at, ends_at, *people in rows.values_list(*columns)
    ]


def to_absence(block: HolidayBlock) -> Absence:
    """Return an absence's row as a domain object, with its reason in words."""
    return Absence(block.engineer.person, block.starts_at, block.ends_at, block.reason)


# One hand-written statement, because every page and API call runs it: to build five querysets costs Django more time than
# PostgreSQL needs to answer them. Instants are selected as microseconds, which parse faster than text. The columns are: kind of
# row, rotation or primary key, engineer, second engineer, position or colour, two dates, two instants, two times, two texts.
# It starts with SELECT, because before any other statement django-pghistory would first send the request's context.
SCHEDULE_SQL = """
SELECT * FROM (WITH week AS (
  SELECT rotation_id, engineer_id, planned_engineer_id, starts_on, starts_at, ends_at FROM scheduling_rotationweek
   WHERE rotation_id = ANY(%(rotations)s) AND starts_at < %(ends_at)s AND ends_at > %(starts_at)s
), cover AS (
  SELECT rotation_id, engineer_id, covered_engineer_id, starts_at, ends_at FROM scheduling_cover
   WHERE rotation_id = ANY(%(rotations)s) AND starts_at < %(ends_at)s AND ends_at > %(starts_at)s
), member AS (
  SELECT roster.rotation_id, member.engineer_id, member.position, roster.starts_on
    FROM scheduling_rostermember member JOIN scheduling_roster roster ON roster.id = member.roster_id
   WHERE %(with_rosters)s AND roster.rotation_id = ANY(%(rotations)s)
), person AS MATERIALIZED (
  SELECT %(owners)s::bigint[] || ARRAY(SELECT engineer_id FROM member UNION ALL SELECT engineer_id FROM week
         UNION ALL SELECT planned_engineer_id FROM week UNION ALL SELECT engineer_id FROM cover
         UNION ALL SELECT covered_engineer_id FROM cover) AS ids
)
SELECT 1, rotation_id, engineer_id, planned_engineer_id, starts_on, NULL::date,
       (extract(epoch FROM starts_at) * 1000000)::bigint, (extract(epoch FROM ends_at) * 1000000)::bigint,
       NULL::time, NULL::time, NULL::text, NULL::text
  FROM week
UNION ALL
SELECT 2, rotation_id, engineer_id, covered_engineer_id, NULL, NULL,
       (extract(epoch FROM starts_at) * 1000000)::bigint, (extract(epoch FROM ends_at) * 1000000)::bigint, NULL, NULL, NULL, NULL
  FROM cover
UNION ALL
SELECT 3, id, engineer_id, NULL, starts_on, ends_on,
       (extract(epoch FROM starts_at) * 1000000)::bigint, (extract(epoch FROM ends_at) * 1000000)::bigint,
       starts_at_time, ends_at_time, kind, NULL
  FROM scheduling_holidayblock
 WHERE starts_at < %(ends_at)s AND ends_at > %(starts_at)s
   AND (%(everyone)s OR engineer_id = ANY((SELECT ids FROM person)::bigint[]))
UNION ALL
SELECT 4, is_active::int, id, colour, NULL, NULL, NULL, NULL, NULL, NULL, username, display_name
  FROM people_user WHERE %(everyone)s OR id = ANY((SELECT ids FROM person)::bigint[])
UNION ALL
SELECT 5, rotation_id, engineer_id, position, starts_on, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM member
) row
"""
WEEK_ROW, COVER_ROW, ABSENCE_ROW, PERSON_ROW, MEMBER_ROW = range(1, 6)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class _Window:
    """The rows of a window, grouped by what they are."""

    def __init__(
        self,
        rotations: list[int],
        *,
        starts_at: dt.datetime,
        ends_at: dt.datetime,
        owners: Iterable[int] | None,
        with_rosters: bool = True,
    ) -> None:
        params: dict[str, Any] = {"rotations": rotations, "starts_at": starts_at, "ends_at": ends_at}
        params |= {"everyone": owners is None, "owners": list(set(owners or ())), "with_rosters": with_rosters}
        with connection.cursor() as cursor:
            cursor.execute(SCHEDULE_SQL, params)
            rows = cursor.fetchall()
        self.weeks: dict[int, list[Week]] = {}
        self.covers: dict[int, list[Cover]] = {}
        self.absences: dict[int, Absence] = {}
        self.people = {row[2]: Person(row[2], row[10], row[11], row[3]) for row in rows if row[0] == PERSON_ROW}
        self.inactive = {self.people[row[2]] for row in rows if row[0] == PERSON_ROW and not row[1]}
        self.members: dict[tuple[int, dt.date], list[tuple[int, Person]]] = {}
        for kind, key, engineer_id, second, first_day, last_day, begin, end, start, stop, text, _ in rows:
            engineer = self.people[engineer_id]
            if kind == COVER_ROW:
                cover = Cover(engineer, self.people[second], _instant(begin), _instant(end))
                self.covers.setdefault(key, []).append(cover)
            elif kind == WEEK_ROW:
                week = Week(first_day, _instant(begin), _instant(end), engineer, self.people[second])
                self.weeks.setdefault(key, []).append(week)
            elif kind == ABSENCE_ROW:
                reason = f"{ABSENCE_REASONS[text]} {format_days(first_day, last_day, start=start, end=stop)}"
                self.absences[key] = Absence(engineer, _instant(begin), _instant(end), reason)
            elif kind == MEMBER_ROW:
                self.members.setdefault((key, first_day), []).append((second, engineer))

    def versions(self) -> dict[int, list[RosterVersion]]:
        """Return the rosters of each rotation, oldest first, by the rotation's primary key."""
        versions: dict[int, list[RosterVersion]] = {}
        for (rotation, starts_on), members in sorted(self.members.items()):
            engineers = tuple(engineer for _, engineer in sorted(members))
            versions.setdefault(rotation, []).append(RosterVersion(starts_on, engineers))
        return versions


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
    """Return the schedules of rotations between two instants, with one statement that reads only that window.

    Weeks beyond the last stored one are planned from the rosters, except for archived rotations. `without` is the primary key of an absence to leave out.
    With `owners`, only their absences and those of people in the rotations are read; without it, everybody's.
    """
    rotations = list(rotations)
    window = _Window([rotation.pk for rotation in rotations], starts_at=starts_at, ends_at=ends_at, owners=owners)
    absences = [absence for key, absence in window.absences.items() if key != without]
    availability = Availability(inactive=frozenset(window.inactive), absences=absences)
    versions = window.versions()
    schedules = {}
    for rotation in rotations:
        rosters = versions.get(rotation.pk, [])
        weeks = sorted(window.weeks.get(rotation.pk, []), key=lambda week: week.starts_at)
        if rotation.archived_at is None:
            first = weeks[-1].starts_on + WEEK if weeks else (starts_at - 2 * WEEK).date()
            hours, until = rotation_hours(rotation), (ends_at + WEEK).date()
            weeks += planned_weeks(hours, rosters=rosters, first=first, until=until)
        schedules[rotation.pk] = RotationSchedule(
            availability=availability, weeks=weeks, covers=window.covers.get(rotation.pk, ()), rosters=rosters
        )
    return ScheduleSnapshot(schedules, RotationSchedule(availability=availability), window.people)


def load_schedules_at(rotations: Iterable[int], *, at: dt.datetime, owners: Iterable[int]) -> ScheduleSnapshot:
    """Return the week, the cover and the absences of rotations at one instant, without rosters, in one statement.

    A rotation without a stored week at that instant is left out: only its roster says whether a week is planned.
    """
    window = _Window(
        list(rotations), starts_at=at, ends_at=at + dt.timedelta.resolution, owners=owners, with_rosters=False
    )
    availability = Availability(inactive=frozenset(window.inactive), absences=list(window.absences.values()))
    schedules = {
        key: RotationSchedule(availability=availability, weeks=weeks, covers=window.covers.get(key, ()))
        for key, weeks in window.weeks.items()
    }
    return ScheduleSnapshot(schedules, RotationSchedule(availability=availability), window.people)


def rotations_by_pipeline(pipelines: Iterable[Pipeline]) -> dict[int, int]:
    """Return the rotation of each pipeline that is in one, both by primary key."""
    rows = PipelineRotation.objects.filter(pipeline__in=[pipeline.pk for pipeline in pipelines])
    return dict(rows.values_list("pipeline", "rotation"))


def with_extra_absence(snapshot: ScheduleSnapshot, *, absence: Absence) -> ScheduleSnapshot:
    """Return a snapshot with one more absence."""
    old = snapshot.without_rotation.availability
    absences = [absence, *(row for rows in old.absences.values() for row in rows)]
    availability = Availability(inactive=old.inactive, absences=absences)
    schedules = {
        key: RotationSchedule(
            availability=availability, weeks=schedule.weeks, covers=schedule.covers, rosters=schedule.rosters
        )
        for key, schedule in snapshot.rotations.items()
    }
    return replace(snapshot, rotations=schedules, without_rotation=RotationSchedule(availability=availability))
