"""What workers do for hand-offs."""

from celery import shared_task
from django.utils import timezone

from handoffs import commands


@shared_task
def keep_handoffs() -> None:
    """Let the coming hand-offs follow the stored weeks, and tell whom it concerns."""
    commands.keep_handoffs(at=timezone.now())


@shared_task
def keep_feeds() -> None:
    """Bring the events of calendar feeds up to date."""
    commands.keep_feeds(at=timezone.now())
