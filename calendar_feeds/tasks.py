"""Celery tasks of calendar feeds."""

from celery import shared_task
from django.utils import timezone

from calendar_feeds import services


@shared_task
def sync_feeds() -> None:
    """Bring the events of calendar feeds up to date."""
    services.sync_feeds(at=timezone.now())
