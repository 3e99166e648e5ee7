"""Worker tasks of runbooks."""

from celery import shared_task
from django.utils import timezone

from runbooks.services import purge_deleted_runbooks


@shared_task
def purge_runbooks() -> None:
    """Delete for good what was deleted more than 30 days ago."""
    purge_deleted_runbooks(at=timezone.now())
