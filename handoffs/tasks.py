"""Celery tasks for hand-offs."""

from celery import shared_task
from django.utils import timezone

from handoffs.services import meetings


@shared_task
def sync_handoffs() -> None:
    """Sync upcoming hand-offs with the stored weeks and notify the engineers."""
    meetings.sync_handoffs(at=timezone.now())
