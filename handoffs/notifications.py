"""Message kinds for hand-offs, with checks that a message is still valid when it is sent."""

import datetime as dt

from handoffs.models import Handoff
from notifications.models import Message
from notifications.registry import NotificationType

INVITATION, REMINDER = "handoff_invitation", "handoff_reminder"
AWAY, UNSIGNED = "handoff_away", "handoff_unsigned"


def occurrence_of(handoff: Handoff) -> str:
    """Return the occurrence key of this version of a hand-off."""
    return f"{handoff.pk}-{handoff.sequence}"


def _handoff(message: Message) -> tuple[Handoff | None, bool]:
    """Return the hand-off a message is about, and whether the message refers to its current version."""
    key, _, sequence = message.occurrence.partition("-")
    row = Handoff.objects.filter(pk=key).first()
    return row, row is not None and str(row.sequence) == sequence.partition("-")[0]


def _takes_part(message: Message, row: Handoff) -> bool:
    return row.cancelled_at is None and message.recipient_id in (row.outgoing_id, row.incoming_id)


def invitation_is_true(message: Message, at: dt.datetime) -> bool:
    """Return True if an invitation is the newest version, or if the recipient of a cancellation is still not in the meeting."""
    row, newest = _handoff(message)
    if row is None:
        return False
    if message.calendar_method == "CANCEL":
        return not _takes_part(message, row)
    return newest and _takes_part(message, row)


def reminder_is_true(message: Message, at: dt.datetime) -> bool:
    """Return True if the meeting is unchanged since the reminder was scheduled and the recipient is in it."""
    row, newest = _handoff(message)
    return row is not None and newest and _takes_part(message, row)


def away_is_true(message: Message, at: dt.datetime) -> bool:
    """Return True if the meeting is unchanged since the absence was found."""
    row, newest = _handoff(message)
    return row is not None and newest and row.cancelled_at is None


def unsigned_is_true(message: Message, at: dt.datetime) -> bool:
    """Return True if the hand-off still lacks a signature."""
    row, _ = _handoff(message)
    return row is not None and row.cancelled_at is None and not row.is_signed


KINDS = (
    NotificationType(INVITATION, "Hand-off meetings", is_still_relevant=invitation_is_true),
    NotificationType(REMINDER, "Reminders of hand-off meetings", is_still_relevant=reminder_is_true),
    NotificationType(AWAY, "Somebody is away at a hand-off", is_still_relevant=away_is_true),
    NotificationType(UNSIGNED, "A hand-off is not signed", is_still_relevant=unsigned_is_true),
)
