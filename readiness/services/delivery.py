"""Delivery of messages to readers, with the promises of the outbox (docs/reliability.md, A message).

A message is claimed with a token and a lease by the database's clock, checked, sent with a fixed Message-ID, and marked by its token. An
attempt that crashes is repeated when its lease ends: better twice than never.
"""

import datetime as dt
import logging
import random
import uuid
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from django.urls import reverse

from notifications.channels.deadline import within
from notifications.channels.email.mail import fixed_message_id, send_mail
from notifications.channels.exceptions import UndeliverableError, describe_error
from notifications.domain.backoff import MAX_ATTEMPTS, retry_delay
from readiness.models import ReaderMessage, ReaderNotification
from readiness.services.subscriptions import confirm_secret, leave_secret

logger = logging.getLogger(__name__)
FINISHED = (ReaderMessage.State.SENT, ReaderMessage.State.DROPPED)


@transaction.atomic
def _claim() -> ReaderMessage | None:
    rows = ReaderMessage.objects.claimable().select_for_update(skip_locked=True, of=("self",))
    row = rows.select_related("subscription__pipeline", "subscription__link").first()
    if row is None:
        return None
    row.token, row.attempts = uuid.uuid4(), row.attempts + 1
    lease = dt.timedelta(seconds=settings.MESSAGE_LEASE_SECONDS)
    ReaderMessage.objects.filter(pk=row.pk).update(
        state=ReaderMessage.State.SENDING, token=row.token, lease_until=Now() + lease, attempts=F("attempts") + 1
    )
    return row


def deliver_reader_message() -> ReaderMessage | None:
    """Deliver one message that is due and return it as claimed; None if none is due."""
    row = _claim()
    if row is None:
        return None
    columns = _attempt(row)
    _mark(row, columns=columns)
    return row


@transaction.atomic
def _mark(row: ReaderMessage, *, columns: dict[str, Any]) -> None:
    """Store the outcome of a message, and count the reader as notified if numbers are in doubt."""
    marked = ReaderMessage.objects.filter(pk=row.pk, token=row.token)
    if marked.update(token=None, lease_until=None, **columns) != 1:
        logger.warning("The message to a reader %s was taken over by another worker", row.pk)
    elif columns["state"] == ReaderMessage.State.SENT and row.kind == ReaderMessage.Kind.ALERT:
        notification = ReaderNotification(
            pipeline=row.subscription.pipeline, subscriber=row.subscription_id, at=row.due_at
        )
        ReaderNotification.objects.bulk_create([notification], ignore_conflicts=True)


def _attempt(row: ReaderMessage) -> dict[str, Any]:
    """Send a message if it is still relevant; return the columns of the outcome."""
    if not _is_relevant(row):
        return {"state": ReaderMessage.State.DROPPED, "problem": "Obsolete by the time it was due."}
    if row.attempts > MAX_ATTEMPTS:
        return {"state": ReaderMessage.State.FAILED}
    try:
        mail = build_reader_mail(row)
        within(settings.MESSAGE_SEND_SECONDS, lambda deadline: send_mail(mail, deadline=deadline))
    except UndeliverableError as error:
        return {"state": ReaderMessage.State.FAILED, "problem": describe_error(error)}
    except Exception as error:  # noqa: BLE001  # whatever a server or a library raises, the message is retried
        logger.warning("Message to a reader %s, attempt %s: %s", row.pk, row.attempts, describe_error(error))
        if row.attempts >= MAX_ATTEMPTS:
            return {"state": ReaderMessage.State.FAILED, "problem": describe_error(error)}
        delay = retry_delay(row.attempts, jitter=random.random())  # noqa: S311  # nosec B311  # it spreads load, no secret
        return {"state": ReaderMessage.State.PENDING, "problem": describe_error(error), "retry_at": Now() + delay}
    return {"state": ReaderMessage.State.SENT, "sent_at": Now(), "retry_at": None, "problem": ""}


def _is_relevant(row: ReaderMessage) -> bool:
    """Return True if a message may still be sent: the link works, and the news is the last that the subscriber is to get."""
    subscription = row.subscription
    if subscription.link.revoked_at is not None:
        return False
    if row.kind == ReaderMessage.Kind.CONFIRM:
        return subscription.confirmed_at is None
    return subscription.confirmed_at is not None and subscription.is_alerted == (row.kind == ReaderMessage.Kind.ALERT)


def build_reader_mail(row: ReaderMessage) -> EmailMultiAlternatives:
    """Return the e-mail of a message, in plain text, with the headers that end a subscription by one click (RFC 8058)."""
    subscription = row.subscription
    leave = settings.SITE_URL + reverse("leave_subscription", args=[leave_secret(subscription)])
    parts = [row.text]
    headers = {"Message-ID": _message_id(row), "Auto-Submitted": "auto-generated"}
    if row.kind == ReaderMessage.Kind.CONFIRM:
        parts.append(settings.SITE_URL + reverse("confirm_subscription", args=[confirm_secret(subscription)]))
    else:
        parts.append(f"-- \nLeave: {leave}")
        headers |= {"List-Unsubscribe": f"<{leave}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    return EmailMultiAlternatives(
        subject=row.subject,
        body="\n\n".join(parts) + "\n",
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[subscription.email],
        headers=headers,
    )


def _message_id(row: ReaderMessage) -> str:
    """Return the Message-ID, the same at every attempt so that a copy can be recognised."""
    return fixed_message_id(f"reader.{row.pk}", occurrence=f"{row.pk}:{row.kind}:{row.occurrence}")


def drop_expired() -> int:
    """Drop the messages that could not be sent in time; return how many."""
    waiting = ReaderMessage.objects.filter(state=ReaderMessage.State.PENDING, expires_at__lte=Now())
    return waiting.update(state=ReaderMessage.State.DROPPED, problem="Expired.")


def purge_finished() -> int:
    """Delete the messages that were finished long ago; return how many."""
    age = dt.timedelta(days=settings.MESSAGE_KEPT_DAYS)
    return ReaderMessage.objects.filter(state__in=FINISHED, expires_at__lte=Now() - age).delete()[0]
