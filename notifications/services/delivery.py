"""Delivery of messages to people (`services/leases.py`): check that one is still relevant, write its text, send it."""

import logging
from collections.abc import Mapping
from typing import Any

from django.db.models.functions import Now

from common.exceptions import DomainError, NotAllowedError
from notifications.channels.sending import send
from notifications.models import Message
from notifications.queries.outbox import is_still_relevant
from notifications.queries.preferences import quiet_until
from notifications.registry import load
from notifications.services.claims import ClaimStatement
from notifications.services.leases import Claim, Outcome, deliver_row, retry_or_fail, send_row
from notifications.services.outbox import subject_line
from notifications.services.rate_limit import add_to_summary
from people.models import User

logger = logging.getLogger(__name__)

claim_message = ClaimStatement(
    lambda: Message.objects.claimable().select_related("recipient__quiet_hours", "recipient__email_rejection")
)


def deliver_one() -> Message | None:
    """Deliver one due message and return it as claimed; return None if none is due."""
    return deliver_row(claim_message, attempt=_attempt)


def _attempt(claim: Claim[Message]) -> Outcome:
    return _outcome_without_sending(claim) or send_row(claim.row, lambda: _send(claim))


def _outcome_without_sending(claim: Claim[Message]) -> Outcome | None:
    """Return the outcome of a message that must not be sent now, or None."""
    message, at = claim.row, claim.at
    if not message.recipient.is_active:
        return Outcome(Message.State.DROPPED, f"{message.recipient} is no longer active.")
    try:
        if not is_still_relevant(message, at=at):
            return Outcome(Message.State.DROPPED, "Obsolete when it was due.")
    except Exception as error:
        logger.exception("The relevance of message %s could not be determined", message.pk)
        return retry_or_fail(message, error)
    hours = getattr(message.recipient, "quiet_hours", None)
    until = None if message.urgent or hours is None else quiet_until(message.recipient, at=at, hours=hours)
    if until is not None:
        return Outcome(Message.State.PENDING, columns={"due_at": until, "attempts": message.attempts - 1})
    summary = add_to_summary(message)
    return Outcome(Message.State.MERGED, columns={"merged_into": summary}) if summary else None


def _send(claim: Claim[Message]) -> Mapping[str, Any]:
    """Send a message; return the columns to store."""
    message = claim.row
    stored = _write_text(message)
    send(message, at=claim.at)
    return {"subject": message.subject, "text": stored, "provider_id": message.provider_id}


def _write_text(message: Message) -> str:
    """Write subject and text for the recipient's present time zone; return the text to store, which holds no secret.

    They were first written when the message was enqueued.
    """
    notification = load(message.type, message.context)
    if notification is None:
        return message.text
    message.subject = subject_line(notification, message.recipient)
    message.text = notification.delivery_body(message.recipient)
    return notification.body(message.recipient)


def retry_message(message: Message, *, by: User) -> None:
    """Retry a failed message; raise NotAllowedError for non-admins, DomainError if it has not failed or has expired."""
    if not by.is_staff:
        raise NotAllowedError("Only an admin can retry a message.")
    failed = Message.objects.filter(pk=message.pk, state=Message.State.FAILED)
    if failed.filter(expires_at__lte=Now()).exists():
        raise DomainError("This message has expired.")
    if failed.update(state=Message.State.PENDING, attempts=0, retry_at=Now(), problem="") != 1:
        raise DomainError("Only a failed message can be retried.")
