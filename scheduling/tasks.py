"""Celery tasks of the schedule."""

import datetime as dt

from celery import shared_task
from django.utils import timezone

from common.loops import IsolatedSteps
from scheduling.queries.calendar_links import links_due
from scheduling.queries.weeks import rotations_to_extend
from scheduling.services import cover_requests, coverage_gaps, offboarding, swaps, weeks
from scheduling.services.calendar_links import claim_link, sync_link
from scheduling.services.reminders import notify_shift_changes, notify_time_off_conflicts
from scheduling.services.weeks import STORED_PERIOD

# One sync can take fifteen seconds. The task ends well before its hard limit, and the next run continues.
SYNC_BUDGET = dt.timedelta(seconds=60)


@shared_task
def ensure_weeks() -> None:
    """Store the next 30 weeks of every rotation."""
    today = timezone.now().date()
    with IsolatedSteps() as attempt:
        for rotation in rotations_to_extend(today + STORED_PERIOD):
            attempt(weeks.ensure_weeks, rotation, today=today)


@shared_task
def sync_coverage_gaps() -> None:
    """Store the coverage gaps of the next eight weeks."""
    coverage_gaps.sync_coverage_gaps(at=timezone.now())


@shared_task
def expire_swaps() -> None:
    """Close expired swap requests."""
    swaps.expire_swaps(at=timezone.now())


@shared_task
def expire_cover_requests() -> None:
    """Close expired cover requests."""
    cover_requests.expire_cover_requests(at=timezone.now())


@shared_task
def reassign_inactive() -> None:
    """Reassign the on-call time of inactive people."""
    offboarding.reassign_inactive(at=timezone.now())


@shared_task
def notify_schedule_changes() -> None:
    """Notify engineers of weeks that start and end, and of absences in them."""
    with IsolatedSteps() as attempt:
        attempt(notify_shift_changes, at=timezone.now())
        attempt(notify_time_off_conflicts, at=timezone.now())


@shared_task
def sync_calendar_links() -> None:
    """Sync the linked calendars that are due, each by one worker."""
    until = timezone.now() + SYNC_BUDGET
    for link in links_due(at=timezone.now()):
        at = timezone.now()
        if at >= until:
            break
        if claim_link(link, at=at):
            sync_link(link, at=at)
