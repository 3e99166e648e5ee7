"""The nightly purge of OpenLineage's jobs and datasets."""

from celery import shared_task
from django.utils import timezone

from common.loops import PURGE_SECONDS, repeat
from lineage.services.openlineage import purge_unseen


@shared_task
def purge_openlineage() -> None:
    """Delete jobs and datasets without recent events in batches until none are left or the time is up."""
    repeat(lambda: purge_unseen(at=timezone.now()), seconds=PURGE_SECONDS)
