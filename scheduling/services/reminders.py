"""Send time-based reminders: shifts that start or end, and time off during on-call weeks."""

import datetime as dt

from django.db import transaction
from django.db.models import F, Q

from notifications.queries.outbox import occurrences_told
from scheduling.domain.weeks import WEEK
from scheduling.models import HolidayBlock, RotationWeek
from scheduling.notifications import notify_absence_in_week, notify_shift_ended, notify_shift_started

# Messages enter the outbox this long before they are due, so that a late sweep does not delay them.
AHEAD = dt.timedelta(hours=2)
HALF_DAY = dt.timedelta(hours=12)
HITS_AHEAD = 26 * WEEK


@transaction.atomic
def notify_shift_changes(*, at: dt.datetime) -> None:
    """Queue notifications of shifts that start or end soon, once each, however often this runs."""
    window = {"starts_at__gt": at - HALF_DAY, "starts_at__lte": at + AHEAD}
    beginning = list(RotationWeek.objects.filter(**window).select_related("rotation", "engineer").order_by("pk"))
    begun = occurrences_told("week-begins", among=[f"{week.pk}@{week.starts_at.isoformat()}" for week in beginning])
    for week in beginning:
        if f"{week.pk}@{week.starts_at.isoformat()}" not in begun:
            notify_shift_started(week)
    _tell_of_ends(beginning)


def _tell_of_ends(beginning: list[RotationWeek]) -> None:
    """Queue a notification of the end of each week that another engineer's week follows."""
    following = {(week.rotation_id, week.starts_at): week for week in beginning}
    ending = RotationWeek.objects.filter(
        rotation__in={week.rotation_id for week in beginning}, ends_at__in={week.starts_at for week in beginning}
    ).select_related("rotation", "engineer")
    told = occurrences_told("week-ends", among=[f"{week.pk}@{week.ends_at.isoformat()}" for week in ending])
    for week in ending:
        after = following.get((week.rotation_id, week.ends_at))
        if after is None or after.engineer_id == week.engineer_id:
            continue
        if f"{week.pk}@{week.ends_at.isoformat()}" not in told:
            notify_shift_ended(week, following=after.engineer)


@transaction.atomic
def notify_absences_in_weeks(*, at: dt.datetime) -> None:
    """Notify about time off during a current or upcoming on-call week, once for each absence.

    This sweep finds new blocks, blocks from linked calendars, and weeks that were swapped into an absence.
    """
    blocks = HolidayBlock.objects.filter(
        Q(engineer__weeks__ends_at__gt=at),
        ends_at__gt=at,
        starts_at__lt=at + HITS_AHEAD,
        engineer__weeks__starts_at__lt=F("ends_at"),
        engineer__weeks__ends_at__gt=F("starts_at"),
    )
    pairs = list(blocks.order_by("pk").values_list("pk", "engineer__weeks__pk"))
    told = occurrences_told("holiday-hits", among=[f"{block}.{week}" for block, week in pairs])
    new = [(block, week) for block, week in pairs if f"{block}.{week}" not in told]
    blocks_by_key = HolidayBlock.objects.in_bulk([block for block, _ in new])
    weeks = RotationWeek.objects.select_related("rotation", "engineer").in_bulk([week for _, week in new])
    for block, week in new:
        notify_absence_in_week(weeks[week], blocks_by_key[block], at=at)
