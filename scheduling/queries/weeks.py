"""Reads about the weeks of rotations."""

import datetime as dt
import functools
import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    DateTimeField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from common.datetimes import EARLIEST, LATEST
from common.db import PreparedStatement, sql_parameter, sql_with_values
from people.models import User
from scheduling.domain.weeks import WEEK, Week, planned_weeks
from scheduling.loaders import roster_versions, rotation_hours, stored_weeks
from scheduling.models import Cover as CoverRow
from scheduling.models import PipelineRotation, RosterMember, Rotation, RotationWeek

DAY = dt.timedelta(days=1)
MAX_NEXT_SHIFTS = 2


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


def pipeline_rotations(pipelines: Iterable[int]) -> dict[int, tuple[int, str]]:
    """Return the primary key and name of each pipeline's rotation, by the pipeline's primary key."""
    rows = PipelineRotation.objects.filter(pipeline__in=list(pipelines)).order_by()
    return {key: (rotation, name) for key, rotation, name in rows.values_list("pipeline", "rotation", "rotation__name")}


def weeks_held(engineer: User, *, at: dt.datetime, limit: int = 8) -> list[RotationWeek]:
    """Return an engineer's current and upcoming weeks, with their rotations."""
    rows = RotationWeek.objects.filter(engineer=engineer, ends_at__gt=at).select_related("rotation")
    return list(rows.order_by("starts_at")[:limit])


def covers_held(engineer: User, *, at: dt.datetime, limit: int = 8) -> list[CoverRow]:
    """Return the current and upcoming covers that an engineer has taken on, with whom they cover and the rotation."""
    rows = CoverRow.objects.filter(engineer=engineer, ends_at__gt=at).select_related("rotation", "covered_engineer")
    return list(rows.order_by("starts_at", "pk")[:limit])


@dataclass(frozen=True, slots=True)
class Shift:
    """A week that an engineer has, or a cover; `covered_engineer` is the name of whom they cover, None for a week."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    covered_engineer: str | None


def _next_shifts_sql() -> str:
    engineer, at = sql_parameter(1, BigIntegerField()), sql_parameter(2, DateTimeField())
    weeks = RotationWeek.objects.filter(engineer=engineer, ends_at__gt=at).order_by("starts_at")
    covers = CoverRow.objects.filter(engineer=engineer, ends_at__gt=at).order_by("starts_at", "pk")
    nobody = Value(None, output_field=TextField())
    rows = weeks.values_list("starts_at", "ends_at", nobody)[:MAX_NEXT_SHIFTS]
    others = covers.values_list("starts_at", "ends_at", "covered_engineer__display_name")[:MAX_NEXT_SHIFTS]
    return f"({sql_with_values(rows)}) UNION ALL ({sql_with_values(others)})"


NEXT_SHIFTS = PreparedStatement("find_next_shifts", types=("bigint", "timestamptz"), sql=_next_shifts_sql)


def next_shifts(engineer: User, *, at: dt.datetime) -> tuple[list[Shift], list[Shift]]:
    """Return an engineer's current and next weeks, and the covers that they have taken on: two of each at most."""
    shifts = sorted((Shift(*row) for row in NEXT_SHIFTS.fetch_all(engineer.pk, at)), key=lambda shift: shift.starts_at)
    weeks = [shift for shift in shifts if shift.covered_engineer is None]
    return weeks, [shift for shift in shifts if shift.covered_engineer is not None]


def requested_period(
    params: Mapping[str, str], *, rotation: Rotation, at: dt.datetime
) -> tuple[dt.datetime, dt.datetime]:
    """Return the period that a link to a form names, from now on, in the current time zone and without seconds.

    The query parameters are `from` and `to`, two instants, or `week`, a start date. Without them, or if they are invalid, it is the rest
    of the running week, or a day if there is none.
    """
    begin, end = _instant(params.get("from", "")), _instant(params.get("to", ""))
    try:
        starts_on = parse_date(params.get("week", ""))
    except ValueError:
        starts_on = None
    week = rotation.weeks.filter(starts_on=starts_on).first() if starts_on else None
    week = week or rotation.weeks.filter(starts_at__lte=begin or at, ends_at__gt=begin or at).first()
    begin = max(begin or (week.starts_at if week else at), at)
    end = end or (week.ends_at if week else begin + DAY)
    return timezone.localtime(begin).replace(second=0, microsecond=0), timezone.localtime(end)


def _instant(text: str) -> dt.datetime | None:
    try:
        value = parse_datetime(text)
    except ValueError:
        return None
    if value is None or not EARLIEST <= value.date() < LATEST:
        return None
    return value if timezone.is_aware(value) else timezone.make_aware(value)


def upcoming_week_dates(rotation: Rotation, *, at: dt.datetime, limit: int = 26) -> list[dt.date]:
    """Return the start dates of the weeks that have not started."""
    rows = rotation.weeks.filter(starts_at__gt=at).order_by("starts_on")
    return list(rows.values_list("starts_on", flat=True)[:limit])


def rotations_to_extend(until: dt.date) -> QuerySet[Rotation]:
    """Return the active rotations whose stored weeks end before a date, by primary key."""
    newest = RotationWeek.objects.filter(rotation=OuterRef("pk")).order_by("-starts_on").values("starts_on")[:1]
    rows = Rotation.objects.active().annotate(newest=Subquery(newest))
    return rows.filter(Q(newest=None) | Q(newest__lt=until - WEEK)).order_by("pk")


def rotations_for(reader: Any, *, at: dt.datetime | None = None) -> QuerySet[Rotation]:
    """Return the active rotations, or those that were active at `at` or later, starting with those of the reader."""
    mine = rotations_with(reader).order_by().values("pk")
    return Rotation.objects.active(at=at).order_by(Case(When(pk__in=mine, then=0), default=1), "pk")


def _first_rotations_sql() -> str:
    rows = rotations_for(sql_parameter(1, BigIntegerField())).values_list("pk")
    return f"{sql_with_values(rows)} LIMIT $2"


FIRST_ROTATIONS = PreparedStatement("find_first_rotations", types=("bigint", "bigint"), sql=_first_rotations_sql)


def first_rotations(reader: User, *, limit: int) -> list[int]:
    """Return the primary keys of the first rotations of `rotations_for`."""
    return [key for (key,) in FIRST_ROTATIONS.fetch_all(reader.pk, limit)]


def rotations_with(engineer: Any) -> QuerySet[Rotation]:
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
