"""What workers do for the schedule."""

import datetime as dt

from celery import shared_task
from django.utils import timezone

from scheduling.queries.calendar_links import links_due
from scheduling.queries.weeks import rotations_short_of
from scheduling.services import coverage_gaps, offboarding, swaps, weeks
from scheduling.services.calendar_links import claim_link, sync_link
from scheduling.services.reminders import notify_shift_changes, notify_time_off_conflicts
from scheduling.services.weeks import KEPT_AHEAD

# One reading may take fifteen seconds; the task ends well before its hard limit, and the next one goes on.
READING = dt.timedelta(seconds=60)


@shared_task
def ensure_weeks() -> None:
    """Keep every rotation's weeks stored half a year ahead."""
    today = timezone.now().date()
    for rotation in rotations_short_of(today + KEPT_AHEAD):
        weeks.ensure_weeks(rotation, today=today)


@shared_task
def sync_coverage_gaps() -> None:
    """Keep the moments that nobody covers in the next eight weeks stored."""
    coverage_gaps.sync_coverage_gaps(at=timezone.now())


@shared_task
def expire_swaps() -> None:
    """Close swap requests whose time is over."""
    swaps.expire_swaps(at=timezone.now())


@shared_task
def reassign_inactive() -> None:
    """Give to others what inactive people are still on call for."""
    offboarding.reassign_inactive(at=timezone.now())


@shared_task
def notify_schedule_changes() -> None:
    """Tell of weeks that begin and end, and of holidays that fall into them."""
    notify_shift_changes(at=timezone.now())
    notify_time_off_conflicts(at=timezone.now())


@shared_task
def sync_calendar_links() -> None:
    """Read the linked calendars that were not read for an hour, each by one worker."""
    until = timezone.now() + READING
    for link in links_due(at=timezone.now()):
        at = timezone.now()
        if at >= until:
            break
        if claim_link(link, at=at):
            sync_link(link, at=at)
