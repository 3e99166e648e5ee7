"""Leases for rows that follow a state, such as a message in Slack: one worker claims a row at a time, by the database's clock.

Messages that are sent once are rows of an outbox instead (`services/leases.py`).
"""

import logging
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from notifications.channels.exceptions import describe_error
from notifications.domain.backoff import MAX_ATTEMPTS
from notifications.models import LeasedRow
from notifications.services.leases import lease_first, retry_pause

logger = logging.getLogger(__name__)

T = TypeVar("T", bound=LeasedRow)


@transaction.atomic
def claim(rows: QuerySet[T]) -> T | None:
    """Claim the first of these claimable rows and return it; return None if there is none."""
    return lease_first(rows)


def finish(row: LeasedRow, **columns: Any) -> bool:
    """Save the outcome of a claimed row and release it; return False if another worker has taken it over."""
    fields = {"attempts": 0, "retry_at": None, "problem": "", **columns, "token": None, "lease_until": None}  # nosec B105
    rows = type(row)._default_manager.filter(pk=row.pk, token=row.token)  # noqa: SLF001  # Django's API
    if rows.update(**fields) == 1:
        return True
    logger.warning("%s %s was taken over by another worker", type(row).__name__, row.pk)
    return False


def delete(row: LeasedRow) -> None:
    """Delete a claimed row, unless another worker has taken it over."""
    type(row)._default_manager.filter(pk=row.pk, token=row.token).delete()  # noqa: SLF001  # Django's API


def retry_later(row: LeasedRow, error: Exception) -> bool:
    """Release a claimed row until its next attempt; return False after too many attempts, which leaves it claimed."""
    if row.attempts + 1 >= MAX_ATTEMPTS:
        return False
    pause = retry_pause(row.attempts + 1, error=error)
    finish(row, attempts=row.attempts + 1, retry_at=Now() + pause, problem=describe_error(error))
    return True
