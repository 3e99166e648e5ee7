"""The outbox: messages are stored in the transaction of the change they report."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.text import Truncator

from notifications.models import Message, QuietHours
from notifications.queries.preferences import channels_for, quiet_until
from notifications.registry import notification_type
from people.models import User

SUBJECT_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Invitation:
    """A calendar invitation: the method (REQUEST or CANCEL) and the iCalendar object."""

    method: str
    calendar: str


@dataclass(frozen=True, slots=True)
class Notification:
    """Content of a notification: its type, subject, event, due time and expiry.

    `event`, `occurrence` and `offset` make the key under which nobody is told the same twice: ("swap-accepted", "42"), or
    ("handoff-reminder", "7", "15m").
    """

    kind: str
    event: str
    occurrence: str
    subject: str
    text: str
    path: str
    due_at: dt.datetime
    expires_at: dt.datetime
    offset: str = ""
    invitation: Invitation | None = None


def enqueue(people: Iterable[User], *, notice: Notification) -> int:
    """Add a message for each user to the outbox in the caller's transaction; return the number of new ones.

    Each is told by the channels they chose for the kind; what is not urgent waits until their quiet hours end. Whoever is not
    active is left out. A message whose key is there already is left as it is.
    """
    named = {person.pk: person for person in people if person.is_active}
    channels = channels_for(named.values(), kind=notice.kind, invites=notice.invitation is not None)
    quiet = {row.person_id: row for row in QuietHours.objects.filter(person__in=list(named))}
    rows = [
        _row(person, notice=notice, channel=channel, quiet=quiet.get(person.pk))
        for person in named.values()
        for channel in channels[person.pk]
    ]
    # Whoever was told by one channel is not told again by another, since they chose otherwise in between.
    told = set(
        Message.objects.filter(
            event=notice.event, occurrence=notice.occurrence, key__in=_keys(named.values(), notice=notice)
        ).values_list("recipient", flat=True)
    )
    new = [row for row in rows if row.recipient_id not in told]
    Message.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)


def _keys(people: Iterable[User], *, notice: Notification) -> list[str]:
    """Return every key under which these people may have been told of an occurrence."""
    return [_key(person, notice=notice, channel=channel) for person in people for channel in Message.Channel.values]


def _key(person: User, *, notice: Notification, channel: str) -> str:
    return f"{notice.event}:{notice.occurrence}:{notice.offset}:{person.pk}:{channel}"


def _due(person: User, *, notice: Notification, quiet: QuietHours | None) -> dt.datetime:
    """Return when a notice is due for a person: for what is not urgent, not before their quiet hours end."""
    if quiet is None or notification_type(notice.kind).urgent:
        return notice.due_at
    return quiet_until(person, at=notice.due_at, hours=quiet) or notice.due_at


def _row(person: User, *, notice: Notification, channel: str, quiet: QuietHours | None) -> Message:
    invitation = notice.invitation
    return Message(
        key=_key(person, notice=notice, channel=channel),
        kind=notice.kind,
        event=notice.event,
        occurrence=notice.occurrence,
        recipient=person,
        channel=channel,
        subject=Truncator(" ".join(notice.subject.split())).chars(SUBJECT_LENGTH),
        text=notice.text,
        path=notice.path,
        calendar_method=invitation.method if invitation else "",
        calendar=invitation.calendar if invitation else "",
        urgent=notification_type(notice.kind).urgent,
        due_at=_due(person, notice=notice, quiet=quiet),
        expires_at=notice.expires_at,
    )
