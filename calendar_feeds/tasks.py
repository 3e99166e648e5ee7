"""Celery tasks for calendar feeds."""

from celery import shared_task
from django.utils import timezone

from calendar_feeds import services


@shared_task
def sync_feeds() -> None:
    """Update the stored events of all calendar feeds."""
    services.sync_feeds(at=timezone.now())
