"""What workers do for checks: a sweep hands out what is due, each in a task of its own."""

import uuid

from celery import shared_task
from django.utils import timezone

from validation import commands
from validation.commands import HandedOut


@shared_task
def sweep_checks() -> None:
    """Hand out the checks that are due; one that is lost is handed out again when its lease ends."""
    for handed in commands.hand_out_due(at=timezone.now()):
        run_check.delay(handed.check, str(handed.claim))


@shared_task
def run_check(check: int, claim: str) -> None:
    """Run one check that was handed out."""
    commands.run_check(HandedOut(check, uuid.UUID(claim)), at=timezone.now())
