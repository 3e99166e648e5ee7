"""The keeping of the coming moments that nobody covers."""

import datetime as dt

from django.db import transaction

from people.turns import wait_for_turn
from scheduling.models import UncoveredMoment
from scheduling.notices import tell_uncovered
from scheduling.queries.gaps import uncovered_ahead


@transaction.atomic
def keep_gaps(*, at: dt.datetime) -> int:
    """Store the coming moments nobody covers, and drop those that are solved; return how many there are.

    A gap that goes on is the same row, so that it is told once; one that is running keeps the instant it began at.
    """
    # Rotations stay free: what changes meanwhile is seen by the next sweep.
    wait_for_turn("keep_gaps")
    found = uncovered_ahead(at=at)
    stored = {(row.pipeline_id, row.starts_at): row for row in UncoveredMoment.objects.filter(ends_at__gt=at)}
    running = {row.pipeline_id: row for row in stored.values() if row.starts_at <= at}
    kept: list[UncoveredMoment] = []
    new: list[UncoveredMoment] = []
    for pipeline, starts_at, ends_at in found:
        row = stored.get((pipeline, starts_at)) or (running.get(pipeline) if starts_at == at else None)
        if row is None:
            new.append(UncoveredMoment(pipeline_id=pipeline, starts_at=starts_at, ends_at=ends_at))
        else:
            kept.append(row)
            row.ends_at = ends_at
    UncoveredMoment.objects.filter(ends_at__gt=at).exclude(pk__in=[row.pk for row in kept]).delete()
    UncoveredMoment.objects.bulk_update(kept, ["ends_at"])
    UncoveredMoment.objects.bulk_create(new)
    if new:
        made = UncoveredMoment.objects.filter(pk__in=[row.pk for row in new])
        tell_uncovered(list(made.select_related("pipeline").order_by("starts_at", "pk")), at=at)
    return len(found)
