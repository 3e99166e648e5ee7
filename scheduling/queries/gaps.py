"""Reads about moments that nobody covers."""

import datetime as dt

from django.db.models import QuerySet

from pipelines.models import Pipeline
from scheduling.engine.world import uncovered
from scheduling.models import Rotation, UncoveredMoment
from scheduling.queries.effects import owners_by_rotation
from scheduling.worlds import (
    load_worlds,
)

UNCOVERED_AHEAD = dt.timedelta(weeks=8)


def uncovered_ahead(*, at: dt.datetime) -> list[tuple[int, dt.datetime, dt.datetime]]:
    """Return the moments of the next eight weeks in which nobody answers for a pipeline: (pipeline, from, until)."""
    ends_at = at + UNCOVERED_AHEAD
    worlds = load_worlds(Rotation.objects.all(), starts_at=at, ends_at=ends_at)
    return [
        gap
        for key, owners in owners_by_rotation(Pipeline.objects.all()).items()
        for gap in uncovered(worlds.of(key), owners=owners, starts_at=at, ends_at=ends_at)
    ]


def gaps(*, at: dt.datetime) -> QuerySet[UncoveredMoment]:
    """Return the stored moments that are not over in which nobody answers for a pipeline."""
    return UncoveredMoment.objects.filter(ends_at__gt=at).select_related("pipeline").order_by("starts_at", "pipeline")
