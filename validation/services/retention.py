"""Deletion of what other tools no longer report: runs of pipelines, and checks without a pipeline."""

import datetime as dt

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef

from validation.models import ExternalCheck, ExternalFinding, ReportedRun

# Rows per transaction. A check is deleted with all its results.
RUNS_PER_BATCH = 1_000
CHECKS_PER_BATCH = 100


@transaction.atomic
def purge_reports(*, at: dt.datetime) -> int:
    """Delete a batch of runs and unmapped checks that no tool has reported for REPORT_RETENTION_DAYS; return their number.

    Checks with a pipeline stay, with their results: they are its history.
    """
    until = at - dt.timedelta(days=settings.REPORT_RETENTION_DAYS)
    runs = list(
        ReportedRun.objects.filter(reported_at__lt=until).order_by("pk").values_list("pk", flat=True)[:RUNS_PER_BATCH]
    )
    ReportedRun.objects.filter(pk__in=runs, reported_at__lt=until).delete()
    recent = ExternalFinding.objects.filter(external_check=OuterRef("pk"), received_at__gte=until)
    unmapped = ExternalCheck.objects.unmapped().filter(~Exists(recent), created_at__lt=until).order_by("pk")
    checks = list(unmapped.select_for_update().values_list("pk", flat=True)[:CHECKS_PER_BATCH])
    ExternalCheck.objects.filter(pk__in=checks).delete()
    return len(runs) + len(checks)
