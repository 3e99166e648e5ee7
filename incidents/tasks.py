"""What workers do for incidents."""

from celery import shared_task
from django.utils import timezone

from incidents import commands


@shared_task
def escalate() -> None:
    """Tell the next of every chain whose incident has waited its time."""
    commands.escalate_due(at=timezone.now())
