"""Every change of state about messages."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.text import Truncator

from notifications.models import Message
from people.models import User

SUBJECT_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Invitation:
    """A calendar invitation: the method (REQUEST or CANCEL) and the iCalendar object."""

    method: str
    calendar: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What people are told: the kind of message, what happened to which thing, and when it is due and of no more use.

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


def tell(people: Iterable[User], *, notice: Notice) -> int:
    """Put a message to each person into the outbox, in the caller's transaction; return how many were not there yet.

    Whoever is not active is left out. A message whose key is there already is left as it is.
    """
    rows = [
        _row(person, notice=notice, channel=channel)
        for person in {person.pk: person for person in people if person.is_active}.values()
        for channel in (Message.Channel.EMAIL,)
    ]
    keys = [row.key for row in rows]
    known = set(Message.objects.filter(key__in=keys).values_list("key", flat=True))
    Message.objects.bulk_create([row for row in rows if row.key not in known], ignore_conflicts=True)
    return len(set(keys) - known)


def _row(person: User, *, notice: Notice, channel: str) -> Message:
    invitation = notice.invitation
    return Message(
        key=f"{notice.event}:{notice.occurrence}:{notice.offset}:{person.pk}:{channel}",
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
        due_at=notice.due_at,
        expires_at=notice.expires_at,
    )
