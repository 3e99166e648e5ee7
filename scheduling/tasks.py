"""What workers do for the schedule."""

from celery import shared_task
from django.utils import timezone

from scheduling import commands
from scheduling.models import Rotation


@shared_task
def keep_weeks() -> None:
    """Keep every rotation's weeks stored half a year ahead."""
    for rotation in Rotation.objects.order_by("pk"):
        commands.keep_weeks(rotation, today=timezone.now().date())


@shared_task
def keep_gaps() -> None:
    """Keep the moments that nobody covers in the next eight weeks stored."""
    commands.keep_gaps(at=timezone.now())


@shared_task
def expire_swaps() -> None:
    """Close swap requests whose time is over."""
    commands.expire_swaps(at=timezone.now())


@shared_task
def release_inactive() -> None:
    """Give to others what inactive people are still on call for."""
    commands.release_inactive(at=timezone.now())
