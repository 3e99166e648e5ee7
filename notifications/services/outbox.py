"""The outbox: messages are stored in the transaction of the change they report."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.text import Truncator

from notifications.models import Message, QuietHours
from notifications.queries.preferences import channels_for, quiet_until
from notifications.registry import Notification
from people.models import User

SUBJECT_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Invitation:
    """A calendar invitation: the method (REQUEST or CANCEL) and the iCalendar object."""

    method: str
    calendar: str


def enqueue(
    recipients: Iterable[User],
    notification: Notification,
    *,
    due_at: dt.datetime,
    expires_at: dt.datetime,
    invitation: Invitation | None = None,
) -> int:
    """Add a message for each recipient and channel to the outbox in the caller's transaction; return the number of new ones.

    People who may not receive the type are skipped, and so are those who have this occurrence already, by whatever channel: a
    preference that changed in between sends nothing twice. A message that is not urgent is due when quiet hours end.
    """
    people = {person.pk: person for person in recipients if notification.may_receive(person)}
    same = Message.objects.filter(
        type=notification.name, dedup_key=notification.dedup_key, recipient__in=list(people)
    ).values_list("recipient", flat=True)
    for key in same:
        people.pop(key, None)
    channels = channels_for(people.values(), cls=type(notification), has_invitation=invitation is not None)
    quiet = {row.person_id: row for row in QuietHours.objects.filter(person__in=list(people))}
    new = []
    for person in people.values():
        hours = None if notification.urgent else quiet.get(person.pk)
        due = quiet_until(person, at=due_at, hours=hours) if hours else None
        new += [
            Message(
                type=notification.name,
                dedup_key=notification.dedup_key,
                context=notification.context,
                recipient=person,
                channel=channel,
                subject=subject_line(notification, person),
                text=notification.body(person),
                calendar_method=invitation.method if invitation else "",
                calendar=invitation.calendar if invitation else "",
                urgent=notification.urgent,
                due_at=due or due_at,
                expires_at=expires_at,
            )
            for channel in channels[person.pk]
        ]
    Message.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)


def subject_line(notification: Notification, reader: User) -> str:
    """Return the subject as one line of at most `SUBJECT_LENGTH` characters."""
    return Truncator(" ".join(notification.subject(reader).split())).chars(SUBJECT_LENGTH)
