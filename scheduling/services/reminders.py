"""Notify engineers when their shifts start and end, and of time off during a shift or cover."""

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise

from django.db import transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Greatest

from common.loops import IsolatedSteps
from notifications.queries.outbox import enqueued_keys
from scheduling.domain.weeks import WEEK
from scheduling.models import Cover, HolidayBlock, Rotation, RotationWeek
from scheduling.notifications import (
    SHIFT_CHANGE_LIFETIME,
    ShiftEnd,
    ShiftStart,
    TimeOffConflict,
    conflict_key,
    notify_shift_ended,
    notify_shift_started,
    notify_time_off_conflict,
    shift_change_key,
)
from scheduling.queries.stints import Stint, stints_by_rotation

# Messages enter the outbox this long before they are due, so that a late sweep does not delay them.
REMINDER_LOOKAHEAD = dt.timedelta(hours=2)
CONFLICT_LOOKAHEAD = 26 * WEEK


def notify_shift_changes(*, at: dt.datetime) -> None:
    """Queue a notification for everyone who starts or stops being on call soon, once each, however often this runs.

    Shifts and covers both count: a cover ends the covered engineer's shift, and its end starts it again. Each rotation has its own
    transaction; the first error is raised after all of them.
    """
    window = (at - SHIFT_CHANGE_LIFETIME, at + REMINDER_LOOKAHEAD)
    weeks = RotationWeek.objects.filter(starts_at__range=window).order_by().values("rotation")
    edges = Q(starts_at__range=window) | Q(ends_at__range=window)
    covers = Cover.objects.filter(edges).order_by().values("rotation")
    rotations = list(Rotation.objects.filter(Q(pk__in=weeks) | Q(pk__in=covers)).order_by("pk"))
    starts, ends = _changes_to_notify(rotations, starts_at=window[0], ends_at=window[1])
    due = {stint.rotation for stint in starts} | {before.rotation for before, _ in ends}
    with IsolatedSteps() as attempt:
        for rotation in rotations:
            if rotation in due:
                attempt(_notify_changes_in, rotation, starts_at=window[0], ends_at=window[1])


@transaction.atomic
def _notify_changes_in(rotation: Rotation, *, starts_at: dt.datetime, ends_at: dt.datetime) -> None:
    """Queue the notifications of a rotation's changes of engineer between two instants."""
    starts, ends = _changes_to_notify([rotation], starts_at=starts_at, ends_at=ends_at)
    for stint in starts:
        notify_shift_started(stint)
    for before, after in ends:
        notify_shift_ended(before, next_engineer=after.engineer)


def _changes_to_notify(
    rotations: Sequence[Rotation], *, starts_at: dt.datetime, ends_at: dt.datetime
) -> tuple[list[Stint], list[tuple[Stint, Stint]]]:
    """Return stints whose start still needs a notification, and pairs of the stint that ends and the next one; runs four statements."""
    stints = stints_by_rotation(rotations, starts_at=starts_at, ends_at=ends_at).values()
    keys = {
        shift_change_key(stint.rotation, instant)
        for rows in stints
        for stint in rows
        for instant in (stint.starts_at, stint.ends_at)
    }
    started, ended = enqueued_keys(ShiftStart, among=keys), enqueued_keys(ShiftEnd, among=keys)
    # The first stint is cut off at the start of the window, unless it is the rotation's first.
    starts = [
        stint
        for rows in stints
        for stint in rows
        if stint.starts_at > starts_at
        and (shift_change_key(stint.rotation, stint.starts_at), stint.engineer.pk) not in started
    ]
    ends = [
        (before, after)
        for rows in stints
        for before, after in pairwise(rows)
        if after.engineer != before.engineer
        and (shift_change_key(before.rotation, before.ends_at), before.engineer.pk) not in ended
    ]
    return starts, ends


def notify_time_off_conflicts(*, at: dt.datetime) -> None:
    """Notify about time off during a current or upcoming shift or cover, once for each absence.

    The sweep also finds blocks from linked calendars, and shifts that were swapped or covered into an absence. Each conflict has its own
    transaction; the first error is raised after all of them.
    """
    by_week, by_cover = absences_on_call(at=at)
    keys = [conflict_key(block, week_id=week) for block, week in by_week]
    keys += [conflict_key(block, cover_id=cover) for block, cover in by_cover]
    notified = {key for key, _ in enqueued_keys(TimeOffConflict, among=keys)}
    new_weeks = [(block, week) for block, week in by_week if conflict_key(block, week_id=week) not in notified]
    new_covers = [(block, cover) for block, cover in by_cover if conflict_key(block, cover_id=cover) not in notified]
    if not new_weeks and not new_covers:
        return
    blocks = HolidayBlock.objects.in_bulk([block for block, _ in [*new_weeks, *new_covers]])
    weeks = RotationWeek.objects.select_related("rotation", "engineer").in_bulk([key for _, key in new_weeks])
    covers = Cover.objects.select_related("rotation", "engineer").in_bulk([key for _, key in new_covers])
    conflicts = [(weeks.get(key), blocks.get(block)) for block, key in new_weeks]
    conflicts += [(covers.get(key), blocks.get(block)) for block, key in new_covers]
    with IsolatedSteps() as attempt:
        for shift, absence in conflicts:
            # Either may have been deleted since.
            if shift is not None and absence is not None:
                attempt(_notify_conflict, shift, absence, at=at)


def absences_on_call(*, at: dt.datetime) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    """Return time off during current and upcoming shifts, and during covers, as pairs of its primary key and that of the shift or cover."""
    absences = HolidayBlock.objects.filter(ends_at__gt=at, starts_at__lt=at + CONFLICT_LOOKAHEAD).order_by("pk")
    by_week = list(
        absences.filter(
            engineer__weeks__ends_at__gt=Greatest(F("starts_at"), Value(at)),
            engineer__weeks__starts_at__lt=F("ends_at"),
        ).values_list("pk", "engineer__weeks__pk")
    )
    by_cover = list(
        absences.filter(
            engineer__covers__ends_at__gt=Greatest(F("starts_at"), Value(at)),
            engineer__covers__starts_at__lt=F("ends_at"),
        ).values_list("pk", "engineer__covers__pk")
    )
    return by_week, by_cover


@transaction.atomic
def _notify_conflict(shift: RotationWeek | Cover, absence: HolidayBlock, *, at: dt.datetime) -> None:
    notify_time_off_conflict(shift, absence, at=at)
