"""Sync hand-offs with on-call shifts, and move their meetings."""

import datetime as dt

from django.db import transaction

from common.db import lock_rows
from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from common.loops import IsolatedSteps
from handoffs.domain.boundaries import meeting_before
from handoffs.models import MAX_MEETING_DISTANCE, Handoff, HandoffPolicy
from handoffs.queries.handoffs import (
    DEFAULT_MEETING_MINUTES,
    HandoffChange,
    changes_due,
    meeting_minutes,
    rotations_to_sync,
    same_handoff,
)
from handoffs.services.mails import invite, notify_absences, notify_cleared_signatures, notify_unsigned
from people.models import User
from runbooks.domain.handbook_model import MIN_MEETING_MINUTES
from scheduling.models import Rotation
from scheduling.services.locks import lock_rotation


def sync_handoffs(*, at: dt.datetime) -> int:
    """Sync upcoming hand-offs with the stored shifts and notify the engineers; return how many changed.

    Scheduling does not depend on this app: this sweep finds shifts changed by swaps, roster updates or departures. It is
    idempotent and can run concurrently with itself.
    """
    with IsolatedSteps() as attempt:
        rotations = attempt(rotations_to_sync, at=at) or ()
        changed = sum(attempt(sync_rotation, row, at=at) or 0 for row in rotations)
        attempt(invite_due, at=at)
        attempt(notify_absences, at=at)
        attempt(notify_unsigned, at=at)
        return changed


@transaction.atomic
def sync_rotation(rotation: Rotation, *, at: dt.datetime) -> int:
    """Sync a rotation's upcoming hand-offs with its stored shifts; return how many changed."""
    lock_rotation(rotation)
    # Lock in primary key order before reading: a concurrent request may sign or move the meeting.
    list(rotation.handoffs.filter(at__gt=at).select_for_update(no_key=True).order_by("pk"))
    due = changes_due(rotation, at=at)
    for change in due:
        _apply_change(rotation, change, at=at)
    return len(due)


def _apply_change(rotation: Rotation, due: HandoffChange, *, at: dt.datetime) -> None:
    """Create, update or cancel a hand-off.

    An update to other engineers or another time clears signatures, and notifies those affected.
    """
    row = due.handoff or Handoff(rotation=rotation, sequence=-1)
    # Read before the engineers change: a signer who is replaced is notified too.
    signers = [user for user in row.people if user not in row.missing_signers] if row.pk else []
    boundary = due.boundary
    if boundary is None:
        row.cancelled_at = at
    elif row.cancelled_at is not None or not same_handoff(row, boundary):
        row.week, row.at = boundary.week, boundary.at
        row.outgoing_id, row.incoming_id = boundary.outgoing.id, boundary.incoming.id
        row.signed_outgoing_at = row.signed_incoming_at = row.frozen = row.cancelled_at = None
        row.moved = False
    row.meeting_starts_at, row.meeting_ends_at = due.meeting
    row.sequence, row.stamped_at, row.absence_notified = row.sequence + 1, at, []
    row.save()
    if signers and not row.signed_outgoing_at and not row.signed_incoming_at:
        notify_cleared_signatures(Handoff.objects.with_people().get(pk=row.pk), signers=signers, at=at)


def invite_due(*, at: dt.datetime) -> int:
    """Send the invitations and cancellations that are due; return for how many hand-offs."""
    rows = list(Handoff.objects.due_for_mail(at=at).values_list("pk", flat=True))
    for key in rows:
        with transaction.atomic():
            row = Handoff.objects.due_for_mail(at=at).select_for_update(no_key=True).filter(pk=key).first()
            if row is not None:
                invite(row, at=at)
    return len(rows)


@transaction.atomic
def move_meeting(
    handoff: Handoff,
    *,
    by: User,
    at: dt.datetime,
    starts_at: dt.datetime | None = None,
    ends_at: dt.datetime | None = None,
) -> Handoff:
    """Move a hand-off's meeting and return the row. If only one instant is given, the length stays the same.

    Raise NotAllowedError unless `by` attends or is an admin, DomainError if the hand-off is signed or cancelled, and
    InvalidInputError for invalid times.
    """
    row = lock_open(handoff)
    if by not in row.people and not by.is_staff:
        raise NotAllowedError(
            "Only the outgoing engineer, the incoming engineer or an admin can reschedule this meeting."
        )
    old = (row.meeting_starts_at, row.meeting_ends_at)
    length = old[1] - old[0]
    if starts_at is None:
        starts_at = ends_at - length if ends_at else old[0]
    new = (starts_at, ends_at or starts_at + length)
    if new == old:
        return row
    _check_time(row, new, at=at)
    row.meeting_starts_at, row.meeting_ends_at = new
    row.moved = new != meeting_before(row.at, minutes=meeting_minutes(row.rotation))
    row.sequence, row.stamped_at, row.absence_notified = row.sequence + 1, at, []
    row.save()
    if Handoff.objects.due_for_mail(at=at).filter(pk=row.pk).exists():
        invite(row, at=at)
    return row


def _check_time(row: Handoff, new: tuple[dt.datetime, dt.datetime], *, at: dt.datetime) -> None:
    starts_at, ends_at = new
    policy = HandoffPolicy.objects.filter(rotation=row.rotation_id).first()
    shortest = dt.timedelta(minutes=policy.minutes_min if policy else MIN_MEETING_MINUTES)
    longest = dt.timedelta(minutes=policy.minutes_max if policy else DEFAULT_MEETING_MINUTES)
    if not shortest <= ends_at - starts_at <= longest:
        expected = _minutes(shortest, longest)
        raise InvalidInputError({"meeting_ends_at": [f"The meeting must last {expected} (handbook)."]})
    if starts_at < at:
        raise InvalidInputError({"meeting_starts_at": ["Start time must be in the future."]})
    if starts_at < row.at - MAX_MEETING_DISTANCE or ends_at > row.at + MAX_MEETING_DISTANCE:
        raise InvalidInputError({"meeting_starts_at": ["Choose a time within 7 days of the hand-off."]})


def _minutes(shortest: dt.timedelta, longest: dt.timedelta) -> str:
    low, high = shortest.seconds // 60, longest.seconds // 60
    return f"{low} minutes" if low == high else f"{low}–{high} minutes"


def lock_handoff(handoff: Handoff) -> Handoff:
    """Lock a hand-off until the transaction ends; return its current row with its rotation and people."""
    return lock_rows(Handoff.objects.filter(pk=handoff.pk).with_people(), no_key=True).get()


def lock_open(handoff: Handoff) -> Handoff:
    """Lock and return a hand-off's current row. Raise DomainError if it is cancelled or signed by both engineers."""
    row = lock_handoff(handoff)
    if row.cancelled_at is not None:
        raise DomainError("This hand-off is cancelled because the on-call engineer no longer changes.")
    if row.is_signed:
        raise DomainError("Both engineers have signed. The notes are locked.")
    if row.closed_at is not None:
        raise DomainError("This hand-off is closed. The notes are locked.")
    return row
