"""Send hand-off notifications: invitations, reminders, absences and missing signatures."""

import datetime as dt
from collections.abc import Iterable
from email.utils import parseaddr

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from handoffs.domain.ical import Address, Meeting, cancellation, invitation
from handoffs.models import Handoff
from handoffs.notifications import (
    HandoffCancellation,
    HandoffConflict,
    HandoffInvitation,
    HandoffReminder,
    HandoffSignatureReset,
    UnsignedHandoff,
    handoff_facts,
)
from handoffs.queries.handoffs import SIGNING_PERIOD, AttendeeAbsence, away_by_handoff, with_unreported_absences
from notifications.queries.outbox import absolute_url, organizer
from notifications.services.outbox import Invitation, enqueue
from people.models import User
from scheduling.loaders import to_absence

REMINDER_MINUTES = (24 * 60, 15)
# How long after the hand-off a reminder of a missing signature is still useful, for example after an outage.
UNSIGNED_LIFETIME = dt.timedelta(days=2)
# RFC 2606 reserves this domain: nothing is delivered there. It is used for people without an e-mail address.
NO_ADDRESS_DOMAIN = "oncall.invalid"


def invite(handoff: Handoff, *, at: dt.datetime) -> None:
    """Invite both engineers to the current meeting, and send a cancellation to anyone no longer in it.

    The caller must lock the row. Calling it again without changes sends nothing.
    """
    cancelled = handoff.cancelled_at is not None
    attendees = () if cancelled else handoff.people
    removed = list(User.objects.filter(pk__in=set(handoff.invited) - {user.pk for user in attendees}).order_by("pk"))
    times = {"due_at": at, "expires_at": handoff.meeting_ends_at}
    for user in removed:
        calendar = cancellation(_meeting(handoff, removed if cancelled else [user]), for_everyone=cancelled)
        cancelled_for_user = HandoffCancellation(**handoff_facts(handoff), for_everyone=cancelled)
        enqueue([user], cancelled_for_user, invitation=Invitation("CANCEL", calendar), **times)
    if attendees:
        calendar = invitation(_meeting(handoff, attendees))
        notification = HandoffInvitation(**handoff_facts(handoff))
        enqueue(attendees, notification, invitation=Invitation("REQUEST", calendar), **times)
        _schedule_reminders(handoff, at=at)
    Handoff.objects.filter(pk=handoff.pk).update(
        invited=sorted(user.pk for user in attendees), mailed_sequence=handoff.sequence
    )


def _meeting(handoff: Handoff, attendees: Iterable[User]) -> Meeting:
    name = parseaddr(settings.DEFAULT_FROM_EMAIL)[0]
    url = absolute_url(reverse("handoff", args=[handoff.pk]))
    return Meeting(
        uid=handoff.uid,
        sequence=handoff.sequence,
        stamped_at=handoff.stamped_at,
        starts_at=handoff.meeting_starts_at,
        ends_at=handoff.meeting_ends_at,
        summary=f"Hand-off: {handoff.outgoing} → {handoff.incoming} ({handoff.rotation})",
        description=f"{handoff.outgoing} hands {handoff.rotation} over to {handoff.incoming}.\n{url}",
        url=url,
        organizer=Address(name or "On call", organizer()),
        attendees=tuple(Address(str(user), user.email or f"{user.username}@{NO_ADDRESS_DOMAIN}") for user in attendees),
    )


def _schedule_reminders(handoff: Handoff, *, at: dt.datetime) -> None:
    """Schedule the reminders that are not due yet. Earlier ones are skipped, because the invitation has just been sent."""
    for minutes in REMINDER_MINUTES:
        due_at = handoff.meeting_starts_at - dt.timedelta(minutes=minutes)
        if due_at > at:
            reminder = HandoffReminder(**handoff_facts(handoff), minutes_before=minutes)
            enqueue(handoff.people, reminder, due_at=due_at, expires_at=handoff.meeting_starts_at)


def notify_absences(*, at: dt.datetime) -> int:
    """Notify both engineers and the admins once of each absence during an upcoming meeting; return the number of absences."""
    rows = with_unreported_absences(at=at)
    return sum(_notify_absences_at(row, away, at=at) for row, away in zip(rows, away_by_handoff(rows), strict=True))


@transaction.atomic
def _notify_absences_at(handoff: Handoff, absences: list[AttendeeAbsence], *, at: dt.datetime) -> int:
    """Send notifications of new absences. Record who is away, so that an absence that ends and returns is notified again."""
    keys = sorted({absence.block.engineer_id for absence in absences})
    same = Handoff.objects.filter(pk=handoff.pk, sequence=handoff.sequence, absence_notified=handoff.absence_notified)
    if same.update(absence_notified=keys) != 1:
        return 0
    new = [absence.block for absence in absences if absence.block.engineer_id not in handoff.absence_notified]
    for block in new:
        notification = HandoffConflict(
            **handoff_facts(handoff),
            absence_id=block.pk,
            engineer=str(block.engineer),
            reason=to_absence(block).reason,
        )
        recipients = [*handoff.people, *User.objects.get_queryset().admins()]
        enqueue(recipients, notification, due_at=at, expires_at=handoff.meeting_ends_at)
    return len(new)


def notify_cleared_signatures(handoff: Handoff, *, signers: Iterable[User], at: dt.datetime) -> None:
    """Notify those who signed and both current engineers that a change cleared the signatures."""
    recipients = list({user.pk: user for user in (*signers, *handoff.people)}.values())
    notification = HandoffSignatureReset(**handoff_facts(handoff))
    enqueue(recipients, notification, due_at=at, expires_at=handoff.at + UNSIGNED_LIFETIME)


def notify_unsigned(*, at: dt.datetime) -> int:
    """Remind both engineers once of a hand-off due an hour ago that lacks a signature; return how many hand-offs.

    If a missing signer has left, the admins are notified too: they can close it.
    """
    late = at - SIGNING_PERIOD
    rows = Handoff.objects.unsigned().filter(at__lte=late, at__gt=late - UNSIGNED_LIFETIME, unsigned_notified_at=None)
    return sum(_notify_unsigned_handoff(row, at=at) for row in rows.with_people().order_by("at"))


@transaction.atomic
def _notify_unsigned_handoff(handoff: Handoff, *, at: dt.datetime) -> int:
    if Handoff.objects.unsigned().filter(pk=handoff.pk, unsigned_notified_at=None).update(unsigned_notified_at=at) != 1:
        return 0
    notification = UnsignedHandoff(**handoff_facts(handoff))
    recipients = [*handoff.people, *(User.objects.get_queryset().admins() if handoff.has_lost_engineer else ())]
    enqueue(recipients, notification, due_at=at, expires_at=handoff.at + UNSIGNED_LIFETIME)
    return 1
