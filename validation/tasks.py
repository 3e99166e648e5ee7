"""What workers do for checks: a sweep hands out what is due, each in a task of its own."""

import uuid

from celery import shared_task
from django.utils import timezone

from validation.services import run_check as validation_run_check
from validation.services.run_check import ClaimedCheck, claim_due_checks


@shared_task
def sweep_checks() -> None:
    """Hand out the checks that are due; one that is lost is handed out again when its lease ends."""
    for handed in claim_due_checks(at=timezone.now()):
        run_check.delay(handed.check, str(handed.claim))


@shared_task
def run_check(check: int, claim: str) -> None:
    """Run one check that was handed out."""
    validation_run_check.run_check(ClaimedCheck(check, uuid.UUID(claim)), at=timezone.now())
