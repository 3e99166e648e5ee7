"""Delivery of the rows of an outbox: claim, send and mark (docs/reliability.md).

Messages to people, to readers and to channels share it.

All instants are the database's: a worker whose clock is wrong sends nothing early and nothing twice (promise 11).
"""

import datetime as dt
import logging
import random
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.models import QuerySet
from django.db.models.functions import Now

from notifications.channels.exceptions import RetryLaterError, UndeliverableError, describe_error
from notifications.domain.backoff import MAX_ATTEMPTS, retry_delay
from notifications.models import LeasedRow
from notifications.outbox_row import OutboxRow, OutboxState
from notifications.services.claims import ClaimStatement

logger = logging.getLogger(__name__)

# A deliverer claims no further row after this time (5 s of 90); the next sweep continues.
DELIVERY_SECONDS = settings.MESSAGE_LEASE_SECONDS / 18
# Shorter than the lease, so that a row is claimed again only after its sender is gone; longer than a deliverer needs: its few
# seconds and one more row, which is given up at five sixths of the lease.
HARD_LIMIT_SECONDS = int(settings.MESSAGE_LEASE_SECONDS * 0.95)
# Share of the lease after which workers stop, before the task's hard limit and the end of the lease.
LEASE_SHARE = 5 / 6
MARK_PAUSE_SECONDS = 0.5
# If a service asks for a longer pause, it is tried again after this one.
MAX_RETRY_AFTER_SECONDS = 3600
CRASH_TEXT = "Every attempt ended in a crash of the worker."

Row = TypeVar("Row", bound=OutboxRow)
LeasedT = TypeVar("LeasedT", bound=LeasedRow)


@dataclass(frozen=True, slots=True)
class Claim(Generic[Row]):
    """A row claimed by this worker, with the claim time (database clock) and the local deadline."""

    row: Row
    at: dt.datetime
    held_until: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of an attempt: the new state and columns."""

    state: str
    problem: str = ""
    columns: Mapping[str, Any] = field(default_factory=dict)


def lease_first(claimable: QuerySet[LeasedT]) -> LeasedT | None:
    """Give the first of the rows a token and a lease; return it with its token, or None if there is none.

    The caller has a transaction. A row that another worker is claiming at the moment is skipped.
    """
    row = claimable.select_for_update(skip_locked=True, of=("self",)).first()
    if row is None:
        return None
    row.token = uuid.uuid4()
    lease = dt.timedelta(seconds=settings.MESSAGE_LEASE_SECONDS)
    type(row)._default_manager.filter(pk=row.pk).update(token=row.token, lease_until=Now() + lease)  # noqa: SLF001  # Django's API
    return row


def claim_row(statement: ClaimStatement[Row]) -> Claim[Row] | None:
    """Claim the first of the rows that can be sent now; return None if there is none."""
    started = time.monotonic()
    row = statement()
    if row is None:
        return None
    claimed_at: dt.datetime = getattr(row, "claimed_at")  # noqa: B009  # an annotation
    return Claim(row, claimed_at, started + settings.MESSAGE_LEASE_SECONDS * LEASE_SHARE)


def deliver_row(statement: ClaimStatement[Row], *, attempt: Callable[[Claim[Row]], Outcome]) -> Row | None:
    """Deliver one of the rows that can be sent now and return it as claimed; return None if there is none."""
    claim = claim_row(statement)
    if claim is None:
        return None
    if claim.row.attempts > MAX_ATTEMPTS:
        # Give up before the row crashes more workers.
        outcome = Outcome(OutboxState.FAILED, claim.row.problem or CRASH_TEXT)
    else:
        outcome = attempt(claim)
    mark(claim, outcome)
    return claim.row


def send_row(row: OutboxRow, send: Callable[[], Mapping[str, Any]]) -> Outcome:
    """Call `send`, which returns the columns to store, and return the outcome, including any error."""
    try:
        columns = send()
    except UndeliverableError as error:
        return Outcome(OutboxState.FAILED, describe_error(error))
    except Exception as error:  # noqa: BLE001  # whatever a server or a library raises, the row is retried
        logger.warning("%s %s, attempt %s: %s", type(row).__name__, row.pk, row.attempts, repr(error))
        return retry_or_fail(row, error)
    return Outcome(OutboxState.SENT, columns={"sent_at": Now(), **columns})


def retry_or_fail(row: OutboxRow, error: Exception) -> Outcome:
    """Return the outcome of an attempt that failed for now: a retry after a pause, or failure after the last one."""
    if row.attempts >= MAX_ATTEMPTS:
        return Outcome(OutboxState.FAILED, describe_error(error))
    pause = retry_pause(row.attempts, error=error)
    return Outcome(OutboxState.PENDING, describe_error(error), {"retry_at": Now() + pause})


def retry_pause(attempts: int, *, error: Exception) -> dt.timedelta:
    """Return the pause after this many attempts: the backoff, or longer if the service asked for it."""
    pause = retry_delay(attempts, jitter=random.random())  # noqa: S311  # nosec B311  # jitter, not a secret
    if isinstance(error, RetryLaterError):
        pause = max(pause, dt.timedelta(seconds=min(error.seconds, MAX_RETRY_AFTER_SECONDS)))
    return pause


def mark(claim: Claim[Row], outcome: Outcome) -> None:
    """Save the outcome under the claim's token, retrying during database outages until the lease is nearly over.

    A row that was sent but could not be marked is sent again with the same ID: better twice than never.
    """
    row = type(claim.row).objects.filter(pk=claim.row.pk, state=OutboxState.SENDING, token=claim.row.token)
    columns = {"retry_at": None, **outcome.columns, "state": outcome.state, "problem": outcome.problem}
    while True:
        try:
            if row.update(token=None, lease_until=None, **columns) != 1:
                logger.warning("%s %s was taken over by another worker", type(claim.row).__name__, claim.row.pk)
        except (DatabaseError, InterfaceError):
            if connection.in_atomic_block or time.monotonic() + MARK_PAUSE_SECONDS > claim.held_until:
                raise
            connection.close()
            time.sleep(MARK_PAUSE_SECONDS)
        else:
            return
