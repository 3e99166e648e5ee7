"""Celery tasks of checks: a sweep claims the due ones, and each runs in its own task."""

import uuid

from celery import shared_task
from django.utils import timezone

from validation.services.run_check import ClaimedCheck, claim_due_checks
from validation.services.run_check import run_check as run_claimed_check


@shared_task
def sweep_checks() -> None:
    """Claim the due checks and start a task for each. A lost task is claimed again when its lease ends."""
    for claimed in claim_due_checks(at=timezone.now()):
        run_check.delay(claimed.check, str(claimed.claim))


@shared_task
def run_check(check: int, claim: str) -> None:
    """Run a claimed check."""
    run_claimed_check(ClaimedCheck(check, uuid.UUID(claim)), at=timezone.now())
