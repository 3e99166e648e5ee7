"""Reads about moments that nobody covers."""

import datetime as dt
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from pipelines.models import Pipeline
from scheduling.engine.world import uncovered
from scheduling.models import HolidayBlock, Rotation, UncoveredMoment
from scheduling.queries.answers import owners_in
from scheduling.queries.effects import owners_by_rotation
from scheduling.worlds import load_worlds

UNCOVERED_AHEAD = dt.timedelta(weeks=8)


def uncovered_ahead(*, at: dt.datetime) -> list[tuple[int, dt.datetime, dt.datetime]]:
    """Return the moments of the next eight weeks in which nobody answers for a pipeline: (pipeline, from, until)."""
    window: dict[str, Any] = {"starts_at": at, "ends_at": at + UNCOVERED_AHEAD}
    owners = owners_by_rotation(ownerless_within(**window))
    worlds = load_worlds(Rotation.objects.filter(pk__in=[key for key in owners if key is not None]), **window)
    return [gap for key, pairs in owners.items() for gap in uncovered(worlds.of(key), owners=pairs, **window)]


def ownerless_within(*, starts_at: dt.datetime, ends_at: dt.datetime) -> QuerySet[Pipeline]:
    """Return the pipelines both of whose owners are unavailable at some instant of a window.

    No other pipeline can be uncovered in it, so that the others are not looked at, however many they are.
    """
    absences = HolidayBlock.objects.touching(starts_at=starts_at, ends_at=ends_at).order_by()
    meanwhile = absences.filter(
        engineer=OuterRef(OuterRef("secondary_owner")),
        starts_at__lt=OuterRef("ends_at"),
        ends_at__gt=OuterRef("starts_at"),
    )
    together = Exists(absences.filter(Exists(meanwhile), engineer=OuterRef("primary_owner")))
    gone = Q(primary_owner__is_active=False) | Q(secondary_owner__is_active=False)
    return owners_in(absences).filter(together | gone)


def gaps(*, at: dt.datetime) -> QuerySet[UncoveredMoment]:
    """Return the stored moments that are not over in which nobody answers for a pipeline."""
    return UncoveredMoment.objects.filter(ends_at__gt=at).select_related("pipeline").order_by("starts_at", "pipeline")
