"""Celery tasks of checks: a sweep claims the due ones, and each runs in its own task."""

import uuid

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from common.loops import PURGE_SECONDS, repeat
from validation.services.checks import purge_deleted_checks
from validation.services.folders import import_folders
from validation.services.retention import purge_reports as delete_old_reports
from validation.services.run_check import ClaimedCheck, claim_due_checks
from validation.services.run_check import run_check as run_claimed_check


@shared_task
def sweep_checks() -> None:
    """Claim the due checks and start a task for each. A lost task is claimed again when its lease ends."""
    for claimed in claim_due_checks(at=timezone.now()):
        run_check.delay(claimed.check, str(claimed.claim))


@shared_task
def purge_checks() -> None:
    """Delete for good what was deleted more than 30 days ago."""
    purge_deleted_checks(at=timezone.now())


@shared_task
def purge_reports() -> None:
    """Delete old runs and unmapped external checks in batches until none are left or the time is up."""
    repeat(lambda: delete_old_reports(at=timezone.now()), seconds=PURGE_SECONDS)


@shared_task
def import_dbt_folders() -> None:
    """Import the artifacts of dbt that changed in the folders of the settings."""
    import_folders(settings.DBT_FOLDERS, at=timezone.now())


@shared_task
def run_check(check: int, claim: str) -> None:
    """Run a claimed check."""
    run_claimed_check(ClaimedCheck(check, uuid.UUID(claim)), at=timezone.now())
