"""Delivery of messages to readers through the outbox (`notifications/services/leases.py`), with a fixed Message-ID."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.urls import reverse

from notifications.channels.email.mail import fixed_message_id, send_mail
from notifications.services.claims import ClaimStatement
from notifications.services.leases import Claim, Outcome, deliver_row, send_row
from readiness.models import ReaderMessage, ReaderNotification
from readiness.services.subscriptions import confirm_secret, leave_secret

claim_reader_message = ClaimStatement(
    lambda: ReaderMessage.objects.claimable().select_related("subscription__pipeline", "subscription__link")
)


def deliver_reader_message() -> ReaderMessage | None:
    """Deliver one message that is due and return it as claimed; None if none is due."""
    return deliver_row(claim_reader_message, attempt=_attempt)


def _attempt(claim: Claim[ReaderMessage]) -> Outcome:
    """Send a message if it is still relevant; return the outcome."""
    if not _is_relevant(claim.row):
        return Outcome(ReaderMessage.State.DROPPED, "Obsolete when it was due.")
    return send_row(claim.row, lambda: _send(claim.row))


def _send(row: ReaderMessage) -> Mapping[str, Any]:
    """Send a message. Record once that a reader was notified of doubtful or wrong numbers, even if it is sent again."""
    send_mail(build_reader_mail(row), seconds=settings.MESSAGE_SEND_SECONDS)
    if row.kind == ReaderMessage.Kind.ALERT:
        subscription = row.subscription
        notification = ReaderNotification(pipeline=subscription.pipeline, subscriber=subscription.pk, at=row.due_at)
        ReaderNotification.objects.bulk_create([notification], ignore_conflicts=True)
    return {}


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
        parts.append(f"-- \nUnsubscribe: {leave}")
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


def purge_finished() -> int:
    """Delete the messages that were finished long ago; return how many."""
    return ReaderMessage.objects.finished().expired_long_ago().delete()[0]
