"""What workers do for sign-in."""

from celery import shared_task
from django.utils import timezone

from people import commands


@shared_task
def forget_attempts() -> None:
    """Remove the attempts whose window is over."""
    commands.forget_attempts(at=timezone.now())
