"""Send hand-off notifications: invitations, reminders, absences and missing signatures."""

import datetime as dt
from collections.abc import Iterable
from email.utils import parseaddr

from django.conf import settings
from django.db import transaction
from django.urls import reverse

from handoffs.domain.ical import Address, Meeting, cancellation, invitation
from handoffs.models import Handoff
from handoffs.notifications import AWAY, INVITATION, REMINDER, UNSIGNED, occurrence_of
from handoffs.queries.handoffs import SIGNED_WITHIN, AttendeeAbsence, away_at
from notifications.queries.outbox import organizer
from notifications.services.outbox import Invitation, Notification, enqueue
from people.models import User
from scheduling.loaders import to_absence

REMINDED = (("1d", dt.timedelta(days=1)), ("15m", dt.timedelta(minutes=15)))
# How long after the hand-off a reminder of a missing signature is still useful, for example after an outage.
UNSIGNED_MATTERS = dt.timedelta(days=2)
# RFC 2606 reserves this domain: nothing is delivered there. It is used for people without an email address.
NOWHERE = "oncall.invalid"


def invite(handoff: Handoff, *, at: dt.datetime) -> None:
    """Invite both engineers to the current meeting, and send a cancellation to anyone no longer in it.

    The caller must lock the row. Raises nothing. Calling it again without changes sends nothing.
    """
    whole = handoff.cancelled_at is not None
    staying = () if whole else handoff.people
    leaving = list(User.objects.filter(pk__in=set(handoff.invited) - {one.pk for one in staying}).order_by("pk"))
    for one in leaving:
        asked = leaving if whole else [one]
        text = cancellation(_meeting(handoff, asked), whole=whole)
        why = "The week no longer changes hands." if whole else "Somebody else has taken your place in it."
        lines = [f"The meeting of {_when(handoff.meeting_starts_at, one)} is off for you. {why}"]
        _tell(handoff, one, subject="Off: " + _title(handoff), lines=lines, calendar=Invitation("CANCEL", text), at=at)
    for one in staying:
        text = invitation(_meeting(handoff, staying))
        lines = [_sentence(handoff), f"Meeting: {_span(handoff, one)}."]
        _tell(handoff, one, subject=_title(handoff), lines=lines, calendar=Invitation("REQUEST", text), at=at)
        _remind(handoff, one, at=at)
    Handoff.objects.filter(pk=handoff.pk).update(
        invited=sorted(one.pk for one in staying), mailed_sequence=handoff.sequence
    )


def _meeting(handoff: Handoff, attendees: Iterable[User]) -> Meeting:
    name = parseaddr(settings.DEFAULT_FROM_EMAIL)[0]
    url = page_of(handoff)
    return Meeting(
        uid=handoff.uid,
        sequence=handoff.sequence,
        stamped_at=handoff.stamped_at,
        starts_at=handoff.meeting_starts_at,
        ends_at=handoff.meeting_ends_at,
        summary=_title(handoff),
        description=f"{_sentence(handoff)}\n{url}",
        url=url,
        organizer=Address(name or "On call", organizer()),
        attendees=tuple(Address(str(one), one.email or f"{one.username}@{NOWHERE}") for one in attendees),
    )


def page_of(handoff: Handoff) -> str:
    """Return the URL of a hand-off's sheet."""
    return f"{settings.SITE_URL}{reverse('handoff', args=[handoff.pk])}"


def _title(handoff: Handoff) -> str:
    return f"Hand-off: {handoff.outgoing} to {handoff.incoming} ({handoff.rotation})"


def _sentence(handoff: Handoff) -> str:
    return f"{handoff.outgoing} hands {handoff.rotation} over to {handoff.incoming}."


def _when(instant: dt.datetime, reader: User) -> str:
    local = instant.astimezone(reader.zone)
    return f"{local:%A} {local.day} {local:%B %Y}, {local:%H:%M} ({reader.time_zone})"


def _span(handoff: Handoff, reader: User) -> str:
    minutes = (handoff.meeting_ends_at - handoff.meeting_starts_at).seconds // 60
    return f"{_when(handoff.meeting_starts_at, reader)}, {minutes} minutes"


def _tell(
    handoff: Handoff, reader: User, *, subject: str, lines: list[str], calendar: Invitation, at: dt.datetime
) -> None:
    notice = Notification(
        kind=INVITATION,
        event="handoff-invitation",
        occurrence=occurrence_of(handoff),
        offset=calendar.method.lower(),
        subject=subject,
        text="\n\n".join(lines),
        path=reverse("handoff", args=[handoff.pk]),
        due_at=at,
        expires_at=handoff.meeting_ends_at,
        invitation=calendar,
    )
    enqueue([reader], notice=notice)


def _remind(handoff: Handoff, reader: User, *, at: dt.datetime) -> None:
    """Schedule the reminders that are not due yet. Later ones are skipped because the invitation has just been sent."""
    for offset, before in REMINDED:
        due_at = handoff.meeting_starts_at - before
        if due_at <= at:
            continue
        notice = Notification(
            kind=REMINDER,
            event="handoff-reminder",
            occurrence=occurrence_of(handoff),
            offset=offset,
            subject=f"Soon: {_title(handoff)}" if offset == "15m" else f"Tomorrow: {_title(handoff)}",
            text=f"{_sentence(handoff)}\n\nMeeting: {_span(handoff, reader)}.",
            path=reverse("handoff", args=[handoff.pk]),
            due_at=due_at,
            expires_at=handoff.meeting_starts_at,
        )
        enqueue([reader], notice=notice)


def notify_absences(*, at: dt.datetime) -> int:
    """Notify both engineers and the admins once of each absence during an upcoming meeting; return how many were sent."""
    rows = list(Handoff.objects.not_cancelled().filter(meeting_ends_at__gt=at).with_people().order_by("at"))
    found: dict[int, list[AttendeeAbsence]] = {}
    for one in away_at(rows):
        found.setdefault(one.handoff.pk, []).append(one)
    told = 0
    for row in rows:
        away = found.get(row.pk, [])
        if sorted({one.block.engineer_id for one in away}) != row.absence_notified:
            told += _tell_away(row, away, at=at)
    return told


@transaction.atomic
def _tell_away(handoff: Handoff, away: list[AttendeeAbsence], *, at: dt.datetime) -> int:
    """Send notifications of new absences. Record who is away, so that an absence that ends and returns is notified again."""
    keys = sorted({one.block.engineer_id for one in away})
    same = Handoff.objects.filter(pk=handoff.pk, sequence=handoff.sequence, absence_notified=handoff.absence_notified)
    if same.update(absence_notified=keys) != 1:
        return 0
    new = [one for one in away if one.block.engineer_id not in handoff.absence_notified]
    for one in new:
        notice = Notification(
            kind=AWAY,
            event="handoff-away",
            occurrence=f"{occurrence_of(handoff)}-{one.block.pk}",
            subject=f"{one.block.engineer} is away at a hand-off",
            text=f"{one.block.engineer} is {to_absence(one.block).reason}, when {handoff.outgoing} is to hand "
            f"{handoff.rotation} over to {handoff.incoming}: {handoff.meeting_starts_at:%d %B %Y, %H:%M} UTC.\n\n"
            "Either of them, or an admin, can move the meeting.",
            path=reverse("handoff", args=[handoff.pk]),
            due_at=at,
            expires_at=handoff.meeting_ends_at,
        )
        enqueue([*handoff.people, *User.objects.get_queryset().admins()], notice=notice)
    return len(new)


def notify_unsigned(*, at: dt.datetime) -> int:
    """Remind both engineers once of a hand-off due an hour ago that lacks a signature; return how many hand-offs."""
    late = at - SIGNED_WITHIN
    rows = Handoff.objects.unsigned().filter(at__lte=late, at__gt=late - UNSIGNED_MATTERS, unsigned_told_at=None)
    return sum(_tell_unsigned(row, at=at) for row in rows.with_people().order_by("at"))


@transaction.atomic
def _tell_unsigned(handoff: Handoff, *, at: dt.datetime) -> int:
    if Handoff.objects.unsigned().filter(pk=handoff.pk, unsigned_told_at=None).update(unsigned_told_at=at) != 1:
        return 0
    missing = " and ".join(
        words
        for words, signed in (
            (f"{handoff.outgoing} has not signed “handed over”", handoff.signed_outgoing_at),
            (f"{handoff.incoming} has not signed “taken over”", handoff.signed_incoming_at),
        )
        if signed is None
    )
    notice = Notification(
        kind=UNSIGNED,
        event="handoff-unsigned",
        occurrence=occurrence_of(handoff),
        subject=f"Not signed: {_title(handoff)}",
        text=f"{missing}.",
        path=reverse("handoff", args=[handoff.pk]),
        due_at=at,
        expires_at=handoff.at + UNSIGNED_MATTERS,
    )
    enqueue(handoff.people, notice=notice)
    return 1
