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
from notifications.channels.exceptions import UndeliverableError
from notifications.channels.sending import send
from notifications.domain.backoff import MOST, retry_delay
from notifications.models import Message
from notifications.queries.outbox import database_clock
from notifications.queries.preferences import quiet_until
from notifications.registry import notification_type
from people.models import User

logger = logging.getLogger(__name__)

# Workers stop after this share of the lease, before the task's hard limit and the lease's end.
HELD_SHARE = 5 / 6
MARK_PAUSE_SECONDS = 0.5
PROBLEM_LENGTH = 500


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
    began = time.monotonic()
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
    return Claimed(row, database_clock(), began + settings.MESSAGE_LEASE_SECONDS * HELD_SHARE)


def deliver_one() -> Message | None:
    """Deliver one due message and return it as claimed; return None if none is due."""
    claimed = claim()
    if claimed is None:
        return None
    outcome = _looked_at(claimed) or _sent(claimed)
    _mark(claimed, outcome)
    return claimed.message


def _looked_at(claimed: Claimed) -> Outcome | None:
    """Return the outcome of a message that must not be sent now, or None."""
    message, at = claimed.message, claimed.at
    kind = notification_type(message.kind)
    if message.attempts > MOST:
        # Every attempt ended in a crash: stop before it takes down more workers.
        return Outcome(Message.State.FAILED, message.problem or "Nobody who tried to send it came back.")
    if not message.recipient.is_active:
        return Outcome(Message.State.DROPPED, f"{message.recipient} is no longer active.")
    try:
        if not kind.is_still_relevant(message, at):
            return Outcome(Message.State.DROPPED, "It was no longer true.")
    except Exception as error:
        logger.exception("Whether message %s is still true could not be told", message.pk)
        return _again(message, error)
    until = None if message.urgent else quiet_until(message.recipient, at=at)
    if until is not None:
        return Outcome(Message.State.PENDING, columns={"due_at": until, "attempts": message.attempts - 1})
    return None


def _sent(claimed: Claimed) -> Outcome:
    """Send a message and return the outcome, including any error."""
    message = claimed.message
    try:
        send(message, at=claimed.at)
    except UndeliverableError as error:
        return Outcome(Message.State.FAILED, _in_words(error))
    except Exception as error:  # noqa: BLE001  # whatever a server or a library does, the message is tried again
        logger.warning("Message %s, try %s: %s", message.pk, message.attempts, _in_words(error))
        return _again(message, error)
    return Outcome(Message.State.SENT, columns={"sent_at": Now()})


def _again(message: Message, error: Exception) -> Outcome:
    if message.attempts >= MOST:
        return Outcome(Message.State.FAILED, _in_words(error))
    wait = retry_delay(message.attempts, share=random.random())  # noqa: S311  # nosec B311  # it spreads load and hides nothing
    return Outcome(Message.State.PENDING, _in_words(error), {"retry_at": Now() + wait})


def _in_words(error: Exception) -> str:
    return (str(error) or type(error).__name__).replace("\0", "")[:PROBLEM_LENGTH]


def _mark(claimed: Claimed, outcome: Outcome) -> None:
    """Save the outcome under the claim's token, retrying during database outages until the lease is nearly over.

    What was sent and could not be marked is sent again, under the same Message-ID: better twice than never.
    """
    mine = Message.objects.filter(pk=claimed.message.pk, state=Message.State.SENDING, token=claimed.message.token)
    columns = {"retry_at": None, **outcome.columns, "state": outcome.state, "problem": outcome.problem}
    while True:
        try:
            if mine.update(token=None, lease_until=None, **columns) != 1:
                logger.warning("Message %s was taken over by another worker", claimed.message.pk)
        except (DatabaseError, InterfaceError):
            if connection.in_atomic_block or time.monotonic() + MARK_PAUSE_SECONDS > claimed.held_until:
                raise
            connection.close()
            time.sleep(MARK_PAUSE_SECONDS)
        else:
            return


def send_again(message: Message, *, by: User) -> None:
    """Retry a failed message; raise NotAllowedError for non-admins, DomainError if it has not failed or has expired."""
    if not by.is_staff:
        raise NotAllowedError("Only an admin sends a message again.")
    failed = Message.objects.filter(pk=message.pk, state=Message.State.FAILED)
    if failed.filter(expires_at__lte=Now()).exists():
        raise DomainError("It is of no more use: its time is over.")
    if failed.update(state=Message.State.PENDING, attempts=0, retry_at=Now(), problem="") != 1:
        raise DomainError("Only what failed is sent again.")
