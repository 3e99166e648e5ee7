"""Delivery of messages: claim, check, send and mark (docs/reliability.md).

All instants are the database's: a worker whose clock is wrong sends nothing early and nothing twice (promise 11).
"""

import datetime as dt
import logging
import random
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from common.exceptions import DomainError, NotAllowedError
from notifications.channels.exceptions import RetryLaterError, UndeliverableError, describe_error
from notifications.channels.sending import send
from notifications.domain.backoff import MAX_ATTEMPTS, retry_delay
from notifications.models import Message
from notifications.queries.outbox import database_clock, is_still_relevant
from notifications.queries.preferences import quiet_until
from notifications.registry import load
from notifications.services.outbox import subject_line
from notifications.services.rate_limit import hold_back
from people.models import User

logger = logging.getLogger(__name__)

# Workers stop after this share of the lease, before the task's hard limit and the lease's end.
LEASE_SHARE = 5 / 6
MARK_PAUSE_SECONDS = 0.5
# A service that asks for a longer pause is tried again after this one.
MAX_RETRY_AFTER_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message claimed by this worker, with the claim time (database clock) and the local deadline."""

    message: Message
    at: dt.datetime
    held_until: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of an attempt: the new state and columns."""

    state: str
    problem: str = ""
    columns: dict[str, Any] = field(default_factory=dict)


@transaction.atomic
def claim() -> Claimed | None:
    """Claim the most urgent message that can be sent now; return None if there is none."""
    started = time.monotonic()
    row = (
        Message.objects.claimable()
        .select_for_update(skip_locked=True, of=("self",))
        .select_related("recipient")
        .first()
    )
    if row is None:
        return None
    row.token = uuid.uuid4()
    row.attempts += 1
    lease = dt.timedelta(seconds=settings.MESSAGE_LEASE_SECONDS)
    Message.objects.filter(pk=row.pk).update(
        state=Message.State.SENDING, token=row.token, lease_until=Now() + lease, attempts=F("attempts") + 1
    )
    return Claimed(row, database_clock(), started + settings.MESSAGE_LEASE_SECONDS * LEASE_SHARE)


def deliver_one() -> Message | None:
    """Deliver one due message and return it as claimed; return None if none is due."""
    claimed = claim()
    if claimed is None:
        return None
    outcome = _outcome_without_sending(claimed) or _send(claimed)
    _mark(claimed, outcome)
    return claimed.message


def _outcome_without_sending(claimed: Claimed) -> Outcome | None:
    """Return the outcome of a message that must not be sent now, or None."""
    message, at = claimed.message, claimed.at
    if message.attempts > MAX_ATTEMPTS:
        # Every attempt ended in a crash: stop before it takes down more workers.
        return Outcome(Message.State.FAILED, message.problem or "Every attempt ended in a crash of the worker.")
    if not message.recipient.is_active:
        return Outcome(Message.State.DROPPED, f"{message.recipient} is no longer active.")
    try:
        if not is_still_relevant(message, at=at):
            return Outcome(Message.State.DROPPED, "Obsolete by the time it was due.")
    except Exception as error:
        logger.exception("The relevance of message %s could not be determined", message.pk)
        return _retry_or_fail(message, error)
    until = None if message.urgent else quiet_until(message.recipient, at=at)
    if until is not None:
        return Outcome(Message.State.PENDING, columns={"due_at": until, "attempts": message.attempts - 1})
    summary = hold_back(message)
    return Outcome(Message.State.MERGED, columns={"merged_into": summary}) if summary else None


def _send(claimed: Claimed) -> Outcome:
    """Send a message and return the outcome, including any error."""
    message = claimed.message
    try:
        stored = _write_text(message)
        send(message, at=claimed.at)
    except UndeliverableError as error:
        return Outcome(Message.State.FAILED, describe_error(error))
    except Exception as error:  # noqa: BLE001  # whatever a server or a library raises, the message is retried
        logger.warning("Message %s, attempt %s: %s", message.pk, message.attempts, describe_error(error))
        return _retry_or_fail(message, error)
    columns = {"sent_at": Now(), "subject": message.subject, "text": stored, "provider_id": message.provider_id}
    return Outcome(Message.State.SENT, columns=columns)


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


def _retry_or_fail(message: Message, error: Exception) -> Outcome:
    if message.attempts >= MAX_ATTEMPTS:
        return Outcome(Message.State.FAILED, describe_error(error))
    delay = retry_delay(message.attempts, jitter=random.random())  # noqa: S311  # nosec B311  # it spreads load, no secret
    if isinstance(error, RetryLaterError):
        delay = max(delay, dt.timedelta(seconds=min(error.seconds, MAX_RETRY_AFTER_SECONDS)))
    return Outcome(Message.State.PENDING, describe_error(error), {"retry_at": Now() + delay})


def _mark(claimed: Claimed, outcome: Outcome) -> None:
    """Save the outcome under the claim's token, retrying during database outages until the lease is nearly over.

    A message that was sent but could not be marked is sent again with the same Message-ID: better twice than never.
    """
    row = Message.objects.filter(pk=claimed.message.pk, state=Message.State.SENDING, token=claimed.message.token)
    columns = {"retry_at": None, **outcome.columns, "state": outcome.state, "problem": outcome.problem}
    while True:
        try:
            if row.update(token=None, lease_until=None, **columns) != 1:
                logger.warning("Message %s was taken over by another worker", claimed.message.pk)
        except (DatabaseError, InterfaceError):
            if connection.in_atomic_block or time.monotonic() + MARK_PAUSE_SECONDS > claimed.held_until:
                raise
            connection.close()
            time.sleep(MARK_PAUSE_SECONDS)
        else:
            return


def retry_message(message: Message, *, by: User) -> None:
    """Retry a failed message; raise NotAllowedError for non-admins, DomainError if it has not failed or has expired."""
    if not by.is_staff:
        raise NotAllowedError("Only an admin can retry a message.")
    failed = Message.objects.filter(pk=message.pk, state=Message.State.FAILED)
    if failed.filter(expires_at__lte=Now()).exists():
        raise DomainError("This message has expired.")
    if failed.update(state=Message.State.PENDING, attempts=0, retry_at=Now(), problem="") != 1:
        raise DomainError("Only a failed message can be retried.")
