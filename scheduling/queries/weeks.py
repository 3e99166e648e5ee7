"""Reads about the weeks of rotations."""

import datetime as dt
import functools
import operator
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Case, OuterRef, Q, QuerySet, Subquery, When

from people.domain.person import Person
from people.models import User
from scheduling.domain.responder_chain import Cover
from scheduling.domain.weeks import WEEK, Week, planned_weeks
from scheduling.loaders import load_schedules, roster_versions, rotation_hours, stored_weeks
from scheduling.models import Cover as CoverRow
from scheduling.models import HolidayBlock, PipelineRotation, RosterMember, Rotation, RotationWeek
from scheduling.queries.holidays import holidays_between


def weeks_between(rotation: Rotation, *, first: dt.date, last: dt.date) -> list[Week]:
    """Return a rotation's weeks that start between two dates, inclusive; beyond the stored weeks, the planned ones."""
    versions = roster_versions([rotation]).get(rotation.pk, [])
    rows = rotation.weeks.filter(starts_on__gte=first, starts_on__lte=last).order_by("starts_on")
    newest = rotation.weeks.order_by("-starts_on").first()
    stored = stored_weeks(rows)
    if rotation.archived_at is not None:
        return stored
    begin = max(first, newest.starts_on + WEEK) if newest else first
    until = last + dt.timedelta(days=1)
    return [*stored, *planned_weeks(rotation_hours(rotation), rosters=versions, first=begin, until=until)]


@dataclass(frozen=True, slots=True)
class UpcomingWeeks:
    """The current and upcoming weeks of a rotation, their covers, and the absences of everyone in the rotation."""

    rotation: Rotation
    weeks: list[Week]
    covers: list[Cover]
    blocks: list[HolidayBlock]

    @property
    def engineers(self) -> list[Person]:
        """Everybody with a week, a planned week or a cover in these weeks, by name."""
        in_weeks = {person for week in self.weeks for person in (week.engineer, week.planned_engineer)}
        people = in_weeks.union(cover.engineer for cover in self.covers)
        return sorted(people, key=lambda person: (person.name.casefold(), person.id))


def upcoming_weeks(rotations: Iterable[Rotation], *, at: dt.datetime, weeks: int) -> list[UpcomingWeeks]:
    """Return `weeks` weeks of each rotation that has any, from the current one on; runs two statements."""
    rotations = list(rotations)
    ends_at = at + (weeks + 1) * WEEK
    schedules = load_schedules(rotations, starts_at=at, ends_at=ends_at, owners=()).rotations
    engineers = {person.id for schedule in schedules.values() for person in schedule.engineers}
    blocks = list(holidays_between(starts_at=at - WEEK, ends_at=ends_at).filter(engineer__in=engineers))
    upcoming = []
    for rotation in rotations:
        schedule = schedules[rotation.pk]
        rows = [week for week in schedule.weeks if week.ends_at > at][:weeks]
        if rows:
            covers = schedule.covers_between(rows[0].starts_at, rows[-1].ends_at)
            upcoming.append(UpcomingWeeks(rotation, rows, covers, blocks))
    return upcoming


def weeks_held(engineer: User, *, at: dt.datetime, limit: int = 8) -> list[RotationWeek]:
    """Return an engineer's current and upcoming weeks, with their rotations."""
    rows = RotationWeek.objects.filter(engineer=engineer, ends_at__gt=at).select_related("rotation")
    return list(rows.order_by("starts_at")[:limit])


def upcoming_week_dates(rotation: Rotation, *, at: dt.datetime, limit: int = 26) -> list[dt.date]:
    """Return the start dates of the weeks that have not started."""
    rows = rotation.weeks.filter(starts_at__gt=at).order_by("starts_on")
    return list(rows.values_list("starts_on", flat=True)[:limit])


def rotations_to_extend(until: dt.date) -> QuerySet[Rotation]:
    """Return the active rotations whose stored weeks end before a date, by primary key."""
    newest = RotationWeek.objects.filter(rotation=OuterRef("pk")).order_by("-starts_on").values("starts_on")[:1]
    rows = Rotation.objects.active().annotate(newest=Subquery(newest))
    return rows.filter(Q(newest=None) | Q(newest__lt=until - WEEK)).order_by("pk")


def rotations_for(reader: User) -> QuerySet[Rotation]:
    """Return the active rotations, starting with those of the reader."""
    mine = rotations_with(reader).order_by().values("pk")
    return Rotation.objects.active().order_by(Case(When(pk__in=mine, then=0), default=1), "pk")


def rotations_with(engineer: User) -> QuerySet[Rotation]:
    """Return the rotations in which an engineer is on a roster, has a week or a cover, or owns a pipeline."""
    # One subquery per table: a join would multiply weeks, covers and roster places with one another.
    rotations = (
        RotationWeek.objects.filter(engineer=engineer).values("rotation"),
        CoverRow.objects.filter(engineer=engineer).values("rotation"),
        RosterMember.objects.filter(engineer=engineer).values("roster__rotation"),
        PipelineRotation.objects.filter(pipeline__primary_owner=engineer).values("rotation"),
        PipelineRotation.objects.filter(pipeline__secondary_owner=engineer).values("rotation"),
    )
    return Rotation.objects.filter(functools.reduce(operator.or_, (Q(pk__in=keys) for keys in rotations))).order_by(
        "pk"
    )
