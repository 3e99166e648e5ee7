"""Catch-up after downtime: expired messages are dropped, the rest merged into one message per user."""

import datetime as dt
import logging
from itertools import groupby

from django.db import transaction
from django.db.models.functions import Now

from notifications.models import CATCH_UP, Message
from notifications.queries.outbox import database_clock
from notifications.registry import notification_type
from people.models import User

logger = logging.getLogger(__name__)


def drop_expired() -> int:
    """Drop expired messages that are not being sent; return their number."""
    return (
        Message.objects.unclaimed()
        .filter(expires_at__lte=Now())
        .update(
            state=Message.State.DROPPED,
            token=None,
            lease_until=None,
            problem="Its time was over before it could be sent.",
        )
    )


def merge_overdue() -> int:
    """Merge overdue, unattempted messages into one per user and channel; return the number of users.

    What is no longer true is dropped. A single one is sent as it is.
    """
    late = Message.objects.late().order_by("recipient").values_list("recipient", flat=True).distinct()
    for recipient in list(late):
        _merge_late_of(recipient)
    return len(late)


@transaction.atomic
def _merge_late_of(recipient: int) -> None:
    """Merge one user's messages. The user's row is locked to prevent duplicates by another worker."""
    person = User.objects.select_for_update(no_key=True).get(pk=recipient)
    at = database_clock()
    rows = Message.objects.late().filter(recipient=person).select_for_update().order_by("channel", "due_at", "pk")
    for channel, group in groupby(rows, key=lambda row: row.channel):
        useful = [row for row in group if _of_use(row, person=person, at=at)]
        # A private message's page must not appear in any row, so it is not merged.
        common = [row for row in useful if not notification_type(row.kind).private]
        alone = useful
        if len(common) > 1:
            _merge(common, person=person, channel=channel, at=at)
            alone = [row for row in useful if row not in common]
        Message.objects.filter(pk__in=[row.pk for row in alone]).update(retry_at=Now())


def _of_use(message: Message, *, person: User, at: dt.datetime) -> bool:
    """Return True if a late message is still relevant; drop it otherwise."""
    try:
        true = person.is_active and notification_type(message.kind).is_still_relevant(message, at)
    except Exception:
        logger.exception("Whether message %s is still true could not be told", message.pk)
        true = True
    if not true:
        Message.objects.filter(pk=message.pk).update(
            state=Message.State.DROPPED, problem="It was no longer true when the site came back."
        )
    return true


def _merge(messages: list[Message], *, person: User, channel: str, at: dt.datetime) -> None:
    parts = [f"{row.subject}\n\n{row.text.strip()}" for row in messages]
    made = Message.objects.create(
        key=f"{CATCH_UP}:{messages[-1].pk}::{person.pk}:{channel}",
        kind=CATCH_UP,
        event=CATCH_UP,
        occurrence=str(messages[-1].pk),
        recipient=person,
        channel=channel,
        urgent=any(row.urgent for row in messages),
        subject=f"{len(messages)} messages that could not be sent in time",
        text="The on-call site could not send for a while. This is what still holds.\n\n" + "\n\n\n".join(parts),
        path="/me/messages/",
        due_at=at,
        expires_at=max(row.expires_at for row in messages),
    )
    Message.objects.filter(pk__in=[row.pk for row in messages]).update(
        state=Message.State.MERGED, merged_into=made, problem=""
    )
