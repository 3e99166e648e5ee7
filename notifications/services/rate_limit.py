"""Limit the messages about incidents that one person gets, and summarize the rest."""

import datetime as dt

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from notifications.models import Message
from notifications.notifications import Summary
from notifications.queries.outbox import database_clock
from notifications.registry import rate_limited_types
from notifications.services.outbox import subject_line
from people.models import User

MAX_MESSAGES_PER_WINDOW = 10
RATE_LIMIT_WINDOW = dt.timedelta(minutes=10)
# Messages that come right after the limit is reached go into the same summary.
SUMMARY_DELAY = dt.timedelta(minutes=1)


def add_to_summary(message: Message) -> Message | None:
    """Return the summary that takes this message, or None if it is within the limit and is to be sent.

    The caller has claimed the message.
    """
    return _add_to_summary(message) if message.type in rate_limited_types() else None


@transaction.atomic
def _add_to_summary(message: Message) -> Message | None:
    """Lock the recipient's row, so that senders count one after another, and return the summary or None."""
    types = rate_limited_types()
    User.objects.select_for_update(no_key=True).get(pk=message.recipient_id)
    same = Message.objects.filter(
        recipient=message.recipient_id, channel=message.channel, contact_method=message.contact_method
    )
    limited = same.filter(type__in=types).exclude(pk=message.pk)
    recent = Q(state=Message.State.SENT, sent_at__gt=Now() - RATE_LIMIT_WINDOW)
    under_way = Q(state=Message.State.SENDING, lease_until__gt=Now())
    if limited.filter(recent | under_way).order_by().count() < MAX_MESSAGES_PER_WINDOW:
        return None
    summaries = same.filter(type=Summary.name)
    waiting = summaries.filter(state=Message.State.PENDING, attempts=0).select_for_update().order_by("pk").first()
    if waiting is None:
        last = summaries.filter(recent).order_by("-sent_at").first()
        at = database_clock()
        due_at = last.sent_at + RATE_LIMIT_WINDOW if last and last.sent_at else at + SUMMARY_DELAY
        waiting = Message(
            type=Summary.name,
            dedup_key=str(message.pk),
            recipient=message.recipient,
            channel=message.channel,
            contact_method=message.contact_method,
            urgent=True,
            due_at=due_at,
            expires_at=message.expires_at,
        )
    ids = {*waiting.context.get("message_ids", ()), message.pk}
    summary = Summary(message_ids=tuple(sorted(ids)))
    waiting.context = summary.context
    waiting.subject, waiting.text = subject_line(summary, message.recipient), summary.body(message.recipient)
    waiting.expires_at = max(waiting.expires_at, message.expires_at)
    waiting.save()
    return waiting
