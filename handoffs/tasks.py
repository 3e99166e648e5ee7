"""What workers do for hand-offs."""

from celery import shared_task
from django.utils import timezone

from handoffs.services import meetings


@shared_task
def sync_handoffs() -> None:
    """Let the coming hand-offs follow the stored weeks, and tell whom it concerns."""
    meetings.sync_handoffs(at=timezone.now())
