"""Drills and their results."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from common.db import first_end
from incidents.models import Drill, DrillQuerySet, Incident
from scheduling.models import Rotation

# A drill that nobody acknowledged is shown on Now for this long.
SHOWN_AFTER_END = dt.timedelta(hours=24)
MAX_DRILL = dt.timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class RotationDrills:
    """A rotation with a weekly drill, and its latest drill, or None before the first."""

    rotation: Rotation
    newest: Drill | None


def all_drills() -> DrillQuerySet:
    """Return all drills with the rows that lists show, newest first."""
    people = ("engineer", "incident__acknowledged_by", "incident__resolved_by")
    return Drill.objects.select_related("rotation", "incident__pipeline", *people).order_by("-at", "-pk")


def current_drills(*, at: dt.datetime) -> DrillQuerySet:
    """Return the drills in progress, and those that nobody acknowledged in the last day, newest first."""
    in_progress = ~Q(incident__state=Incident.State.RESOLVED)
    missed = Q(
        incident__resolved_by=None, incident__acknowledged_by=None, incident__resolved_at__gt=at - SHOWN_AFTER_END
    )
    return all_drills().filter(in_progress | missed, incident__isnull=False)


def overlong_drills(*, at: dt.datetime) -> QuerySet[Incident]:
    """Return unresolved drills older than MAX_DRILL, which a sweep resolves."""
    return Incident.objects.unresolved().filter(source=Incident.Source.DRILL, opened_at__lte=at - MAX_DRILL)


def next_drill_end(*, at: dt.datetime, until: dt.datetime) -> dt.datetime:
    """Return the first instant after `at` at which a drill that has ended is no longer shown, at most `until`."""
    return first_end(Drill.objects.all(), "incident__resolved_at", after=SHOWN_AFTER_END, at=at, until=until)


def weekly_drills() -> list[RotationDrills]:
    """Return the active rotations with a weekly drill, by name, each with its latest drill."""
    rotations = list(Rotation.objects.active().filter(weekly_drill=True).order_by("name", "pk"))
    rows = all_drills().filter(rotation__in=rotations).order_by("rotation_id", "-at", "-pk").distinct("rotation_id")
    newest = {row.rotation_id: row for row in rows}
    return [RotationDrills(rotation, newest.get(rotation.pk)) for rotation in rotations]
