"""What workers do for incidents."""

from celery import shared_task
from django.utils import timezone

from incidents.services.alerts import sync_with_alerts
from incidents.services.escalation import escalate_due
from incidents.services.sync_checks import sync_with_checks, sync_with_external_checks


@shared_task
def escalate() -> None:
    """Tell the next of every chain whose incident has waited its time."""
    escalate_due(at=timezone.now())


@shared_task
def sync_incidents() -> None:
    """Let incidents follow what checks and alerts say."""
    at = timezone.now()
    sync_with_checks(at=at)
    sync_with_external_checks(at=at)
    sync_with_alerts(at=at)
