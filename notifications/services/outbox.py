"""The outbox: messages are stored in the transaction of the change they report."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.text import Truncator

from common.db import CompiledQuery
from notifications.domain.rules import Step
from notifications.models import Message, QuietHours
from notifications.queries.preferences import (
    ANY_PERSON,
    ANY_TYPE,
    quiet_hours_by_user,
    quiet_until,
    routes_by_user,
    steps_for,
)
from notifications.registry import Notification
from people.models import User

MAX_SUBJECT_LENGTH = 200
# The users who already have an occurrence.
RECIPIENTS_QUERY = CompiledQuery(
    lambda: Message.objects.filter(type=ANY_TYPE, dedup_key="key", recipient__in=[ANY_PERSON]).values_list("recipient"),
    placeholders=(ANY_TYPE, "key", ANY_PERSON),
)


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
    """Add a message for each recipient, step of their rules and contact method to the outbox; return the number of new ones.

    It is in the caller's transaction.

    People who may not receive the type are skipped, and so are those who have this occurrence already, by whatever channel: a
    preference that changed in between sends nothing twice. A message that is not urgent is due when quiet hours end.
    """
    people = {person.pk: person for person in recipients if notification.may_receive(person)}
    if not people:
        return 0
    for (key,) in RECIPIENTS_QUERY.fetch_all(notification.name, notification.dedup_key, list(people)):
        people.pop(key, None)
    routes = routes_by_user(people.values())
    steps = steps_for(routes, cls=type(notification), has_invitation=invitation is not None)
    quiet = {} if notification.urgent else quiet_hours_by_user(people.values())
    new = [
        _message(
            notification, person, step, due_at=due_at, expires_at=expires_at, hours=quiet.get(person.pk), method=method
        )
        for person in people.values()
        for step in steps[person.pk]
        for method in routes[person.pk].methods.get(step.channel, [0])
    ]
    if invitation:
        for row in new:
            row.calendar_method, row.calendar = invitation.method, invitation.calendar
    Message.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)


def _message(
    notification: Notification,
    person: User,
    step: Step,
    *,
    due_at: dt.datetime,
    expires_at: dt.datetime,
    hours: QuietHours | None,
    method: int,
) -> Message:
    due_at += dt.timedelta(minutes=step.delay_minutes)
    quiet_end = quiet_until(person, at=due_at, hours=hours) if hours and not notification.urgent else None
    return Message(
        type=notification.name,
        dedup_key=notification.dedup_key,
        context=notification.context,
        recipient=person,
        channel=step.channel,
        contact_method=method,
        delay_minutes=step.delay_minutes,
        subject=subject_line(notification, person),
        text=notification.body(person),
        urgent=notification.urgent,
        due_at=quiet_end or due_at,
        expires_at=expires_at,
    )


def subject_line(notification: Notification, reader: User) -> str:
    """Return the subject as one line of at most `MAX_SUBJECT_LENGTH` characters."""
    return Truncator(" ".join(notification.subject(reader).split())).chars(MAX_SUBJECT_LENGTH)
