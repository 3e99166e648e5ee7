"""The nightly purge of OpenLineage's jobs and datasets."""

from celery import shared_task
from django.utils import timezone

from common.loops import repeat
from lineage.services.openlineage import purge_unseen

# Well before the task's hard limit. The rest is deleted the next night.
PURGE_SECONDS = 60


@shared_task
def purge_openlineage() -> None:
    """Delete jobs and datasets without recent events in batches until none are left or the time is up."""
    repeat(lambda: purge_unseen(at=timezone.now()), seconds=PURGE_SECONDS)
