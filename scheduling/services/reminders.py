"""Telling what no single change brings about: that weeks begin and end, and that holidays fall into them."""

import datetime as dt

from django.db import transaction
from django.db.models import F, Q

from notifications.queries.outbox import occurrences_told
from scheduling.domain.weeks import WEEK
from scheduling.models import HolidayBlock, RotationWeek
from scheduling.notifications import notify_absence_in_week, notify_shift_ended, notify_shift_started

# Messages are in the outbox so long before they are due, so that a sweep that comes late makes none late.
AHEAD = dt.timedelta(hours=2)
HALF_DAY = dt.timedelta(hours=12)
HITS_AHEAD = 26 * WEEK


@transaction.atomic
def notify_shift_changes(*, at: dt.datetime) -> None:
    """Put into the outbox that weeks begin or end, a little ahead; once each, however often this runs."""
    window = {"starts_at__gt": at - HALF_DAY, "starts_at__lte": at + AHEAD}
    beginning = list(RotationWeek.objects.filter(**window).select_related("rotation", "engineer").order_by("pk"))
    begun = occurrences_told("week-begins", among=[f"{week.pk}@{week.starts_at.isoformat()}" for week in beginning])
    for week in beginning:
        if f"{week.pk}@{week.starts_at.isoformat()}" not in begun:
            notify_shift_started(week)
    _tell_of_ends(beginning)


def _tell_of_ends(beginning: list[RotationWeek]) -> None:
    """Tell of the end of each week that is followed by another engineer's."""
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
    """Tell of every holiday that takes away a part of a running or coming on-call week, once each.

    A sweep sees them all: a block that is new, one from a linked calendar, and a week that was swapped into a holiday.
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
