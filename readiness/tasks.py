"""Worker tasks of readiness."""

from celery import shared_task
from django.utils import timezone

from readiness.services.publication import sweep_publications


@shared_task
def sync_publications() -> None:
    """Publish the days that are safe, and record how published values changed."""
    sweep_publications(at=timezone.now())
