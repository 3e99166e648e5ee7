"""What workers do for incidents."""

from celery import shared_task
from django.utils import timezone

from incidents import commands


@shared_task
def escalate() -> None:
    """Tell the next of every chain whose incident has waited its time."""
    commands.escalate_due(at=timezone.now())


@shared_task
def follow() -> None:
    """Let incidents follow what checks and alerts say."""
    at = timezone.now()
    commands.follow_checks(at=at)
    commands.follow_external_checks(at=at)
    commands.follow_alerts(at=at)
