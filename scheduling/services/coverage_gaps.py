"""Store upcoming coverage gaps."""

import datetime as dt

from django.db import transaction

from common.db import advisory_lock
from scheduling.models import CoverageGap
from scheduling.notifications import notify_coverage_gaps
from scheduling.queries.coverage_gaps import find_coverage_gaps


@transaction.atomic
def sync_coverage_gaps(*, at: dt.datetime) -> int:
    """Store upcoming coverage gaps and delete those that are resolved; return how many remain.

    A continuing gap keeps its row, so that it is notified once. A gap that has started keeps its start.
    """
    # Rotations are not locked: the next sweep picks up changes made in the meantime.
    advisory_lock("sync_coverage_gaps")
    gaps = find_coverage_gaps(at=at)
    stored = {(row.pipeline_id, row.starts_at): row for row in CoverageGap.objects.filter(ends_at__gt=at)}
    running = {row.pipeline_id: row for row in stored.values() if row.starts_at <= at}
    continuing: list[CoverageGap] = []
    new: list[CoverageGap] = []
    for pipeline, starts_at, ends_at in gaps:
        row = stored.get((pipeline, starts_at)) or (running.get(pipeline) if starts_at == at else None)
        if row is None:
            new.append(CoverageGap(pipeline_id=pipeline, starts_at=starts_at, ends_at=ends_at))
        else:
            continuing.append(row)
            row.ends_at = ends_at
    CoverageGap.objects.filter(ends_at__gt=at).exclude(pk__in=[row.pk for row in continuing]).delete()
    CoverageGap.objects.bulk_update(continuing, ["ends_at"])
    CoverageGap.objects.bulk_create(new)
    if new:
        rows = CoverageGap.objects.filter(pk__in=[row.pk for row in new])
        notify_coverage_gaps(list(rows.select_related("pipeline").order_by("starts_at", "pk")), at=at)
    return len(gaps)
