"""Catch-up after an outage: expired messages are dropped, the rest merged into one digest per user, channel and contact method."""

import datetime as dt
from itertools import groupby

from django.db import transaction
from django.db.models.functions import Now

from notifications.models import Message
from notifications.notifications import Digest
from notifications.queries.outbox import database_clock, is_worth_listing
from notifications.registry import notification_type
from notifications.services.outbox import subject_line
from people.models import User


def merge_overdue() -> int:
    """Merge overdue messages that were never attempted into digests; return the number of users.

    Obsolete messages are dropped. A single one is sent as it is.
    """
    recipients = list(Message.objects.late().order_by("recipient").values_list("recipient", flat=True).distinct())
    for recipient in recipients:
        _merge_overdue_messages(recipient)
    return len(recipients)


@transaction.atomic
def _merge_overdue_messages(recipient: int) -> None:
    """Merge one user's messages. The user's row is locked so that two workers do not make two digests."""
    person = User.objects.select_for_update(no_key=True).get(pk=recipient)
    at = database_clock()
    rows = Message.objects.late().filter(recipient=person).select_for_update()
    rows = rows.order_by("channel", "contact_method", "due_at", "pk")
    for _, group in groupby(rows, key=lambda row: (row.channel, row.contact_method)):
        relevant = [row for row in group if _drop_unless_relevant(row, person=person, at=at)]
        mergeable = [row for row in relevant if not _is_private(row)]
        single = relevant
        if len(mergeable) > 1:
            _merge(mergeable, person=person, at=at)
            single = [row for row in relevant if row not in mergeable]
        Message.objects.filter(pk__in=[row.pk for row in single]).update(retry_at=Now())


def _is_private(message: Message) -> bool:
    """Return True if the message's link is a secret, which must not get into a digest's row."""
    cls = notification_type(message.type)
    return cls is not None and cls.private


def _drop_unless_relevant(message: Message, *, person: User, at: dt.datetime) -> bool:
    """Return True if an overdue message is still relevant; drop it otherwise."""
    message.recipient = person
    if is_worth_listing(message, at=at):
        return True
    Message.objects.filter(pk=message.pk).update(
        state=Message.State.DROPPED, problem="Obsolete by the time delivery resumed."
    )
    return False


def _merge(messages: list[Message], *, person: User, at: dt.datetime) -> None:
    digest = Digest(message_ids=tuple(row.pk for row in messages))
    row = Message.objects.create(
        type=digest.name,
        dedup_key=digest.dedup_key,
        context=digest.context,
        recipient=person,
        channel=messages[0].channel,
        contact_method=messages[0].contact_method,
        urgent=any(row.urgent for row in messages),
        subject=subject_line(digest, person),
        text=digest.body(person),
        due_at=at,
        expires_at=max(row.expires_at for row in messages),
    )
    Message.objects.filter(pk__in=[message.pk for message in messages]).update(
        state=Message.State.MERGED, merged_into=row, problem=""
    )
