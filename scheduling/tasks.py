"""What workers do for the schedule."""

import datetime as dt

from celery import shared_task
from django.utils import timezone

from scheduling import commands, queries

# One reading may take fifteen seconds; the task ends well before its hard limit, and the next one goes on.
READING = dt.timedelta(seconds=60)


@shared_task
def keep_weeks() -> None:
    """Keep every rotation's weeks stored half a year ahead."""
    today = timezone.now().date()
    for rotation in queries.rotations_short_of(today + commands.KEPT_AHEAD):
        commands.keep_weeks(rotation, today=today)


@shared_task
def keep_gaps() -> None:
    """Keep the moments that nobody covers in the next eight weeks stored."""
    commands.keep_gaps(at=timezone.now())


@shared_task
def expire_swaps() -> None:
    """Close swap requests whose time is over."""
    commands.expire_swaps(at=timezone.now())


@shared_task
def release_inactive() -> None:
    """Give to others what inactive people are still on call for."""
    commands.release_inactive(at=timezone.now())


@shared_task
def tell_of_schedule() -> None:
    """Tell of weeks that begin and end, and of holidays that fall into them."""
    commands.tell_of_weeks(at=timezone.now())
    commands.tell_of_holidays(at=timezone.now())


@shared_task
def read_links() -> None:
    """Read the linked calendars that were not read for an hour, each by one worker."""
    until = timezone.now() + READING
    for link in queries.links_due(at=timezone.now()):
        at = timezone.now()
        if at >= until:
            break
        if commands.claim_link(link, at=at):
            commands.read_link(link, at=at)
