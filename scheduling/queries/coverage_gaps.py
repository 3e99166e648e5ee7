"""Reads about coverage gaps."""

import datetime as dt
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from pipelines.models import PipelineQuerySet
from scheduling.domain.responder_chain import coverage_gaps
from scheduling.loaders import load_schedules
from scheduling.models import CoverageGap, HolidayBlock, Rotation
from scheduling.queries.impact import owners_by_rotation
from scheduling.queries.on_call import with_both_owners_absent

GAP_LOOKAHEAD = dt.timedelta(weeks=8)


def find_coverage_gaps(*, at: dt.datetime) -> list[tuple[int, dt.datetime, dt.datetime]]:
    """Return the coverage gaps of the next eight weeks, computed from the schedule, as (pipeline, start, end)."""
    window: dict[str, Any] = {"starts_at": at, "ends_at": at + GAP_LOOKAHEAD}
    owners = owners_by_rotation(without_available_owner(**window).with_owners())
    rotations = Rotation.objects.filter(pk__in=[key for key in owners if key is not None])
    snapshot = load_schedules(rotations, **window)
    return [
        gap for key, pairs in owners.items() for gap in coverage_gaps(snapshot.schedule(key), owners=pairs, **window)
    ]


def without_available_owner(*, starts_at: dt.datetime, ends_at: dt.datetime) -> PipelineQuerySet:
    """Return the pipelines of which both owners are unavailable at some instant of a window.

    No other pipeline can be uncovered in it, so the rest need no further look, however many there are.
    """
    absences = HolidayBlock.objects.overlapping(starts_at=starts_at, ends_at=ends_at).order_by()
    meanwhile = absences.filter(
        engineer=OuterRef(OuterRef("secondary_owner")),
        starts_at__lt=OuterRef("ends_at"),
        ends_at__gt=OuterRef("starts_at"),
    )
    both_away = Exists(absences.filter(Exists(meanwhile), engineer=OuterRef("primary_owner")))
    inactive = Q(primary_owner__is_active=False) | Q(secondary_owner__is_active=False)
    return with_both_owners_absent(absences).filter(both_away | inactive)


def upcoming_gaps(*, at: dt.datetime) -> QuerySet[CoverageGap]:
    """Return the stored current and upcoming coverage gaps, with their pipelines."""
    return CoverageGap.objects.filter(ends_at__gt=at).select_related("pipeline").order_by("starts_at", "pipeline")
