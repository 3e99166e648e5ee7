"""Worker tasks of incidents."""

from celery import shared_task
from django.utils import timezone

from incidents.services.alerts import sync_with_alerts
from incidents.services.drills import end_old_drills
from incidents.services.escalation import escalate_due
from incidents.services.triggers import sync_with_all_checks


@shared_task
def escalate() -> None:
    """Escalate the incidents that are due, and end old drills."""
    at = timezone.now()
    escalate_due(at=at)
    end_old_drills(at=at)


@shared_task
def sync_incidents() -> None:
    """Open and resolve incidents to match checks and alerts."""
    at = timezone.now()
    sync_with_all_checks(at=at)
    sync_with_alerts(at=at)
