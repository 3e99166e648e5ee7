"""Rules of swap requests and cover requests: limits, locking, answering, withdrawing and closing."""

import datetime as dt
from collections.abc import Callable, Collection, Iterable
from typing import Any, TypeVar

from django.db import transaction

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from common.formatting import format_duration
from common.loops import IsolatedSteps
from people.models import User
from scheduling.models import CoverRequest, RequestQuerySet, Rotation, SwapRequest
from scheduling.models.requests import RequestState
from scheduling.notifications import notify_cover_request_closed
from scheduling.queries.cover_requests import invalidated_cover_requests

REQUEST_LIFETIME = dt.timedelta(days=14)
MAX_OPEN_REQUESTS = 50
REMINDER_INTERVAL = dt.timedelta(hours=24)

Request = TypeVar("Request", SwapRequest, CoverRequest)


def lock_open_request(request: Request, *, people: Iterable[str], at: dt.datetime) -> Request:
    """Lock a request's row, after its rotation, and return it reloaded with `people`; raise DomainError if it is closed.

    The rotation's lock is not enough, because expiry locks only requests.
    """
    rows = type(request).objects.select_for_update(no_key=True, of=("self",)).select_related("rotation", *people)
    row: Request = rows.get(pk=request.pk)
    if row.state != RequestState.PENDING:
        message = f"This request is already {row.get_state_display().lower()}."
        raise DomainError(f"{message} {row.reason}".strip(), state=row.state)
    if row.expires_at <= at:
        raise DomainError("This request has expired.", state=RequestState.EXPIRED)
    return row


def answering_engineer(row: SwapRequest | CoverRequest, *, by: User, engineer: User | None) -> User:
    """Return the answering engineer: `engineer`, else `by`; for an admin who is not a recipient, the one that is named.

    Raises InvalidInputError if an admin has to choose an engineer, NotAllowedError if `by` may not answer on their behalf or
    the request does not ask them, and DomainError if they have answered.
    """
    if engineer is None and by.is_staff and not row.awaits_answer_from(by):
        engineer = next((person for person in row.recipients if person.pk not in row.answered_by), None)
        if engineer is None:
            raise InvalidInputError({"engineer": ["Choose the engineer on whose behalf you answer."]})
    person = engineer or by
    if person.pk != by.pk and not by.is_staff:
        raise NotAllowedError("Only an admin can answer on behalf of another engineer.")
    if person.pk == row.requester_id:
        raise NotAllowedError("The requester cannot answer their own request.")
    if person.pk in row.answered_by:
        raise DomainError(f"{person} has already answered this request.")
    if not row.awaits_answer_from(person):
        raise NotAllowedError(f"This request is not addressed to {person}.")
    return person


def expire_requests(
    rows: RequestQuerySet, *, people: Iterable[str], close: Callable[[Any], None], at: dt.datetime
) -> int:
    """Lock and `close` each of these open requests that has expired, in its own transaction; return how many.

    Requests that another process has locked are skipped. The first error is raised after all others are closed.
    """
    keys = list(rows.filter(expires_at__lte=at).order_by("pk").values_list("pk", flat=True))
    with IsolatedSteps() as attempt:
        closed = [attempt(_expire, rows.filter(pk=key), people=people, close=close) for key in keys]
    return sum(map(bool, closed))


@transaction.atomic
def _expire(rows: RequestQuerySet, *, people: Iterable[str], close: Callable[[Any], None]) -> bool:
    due = rows.select_related("rotation", *people)
    row = due.select_for_update(no_key=True, skip_locked=True, of=("self",)).first()
    if row is not None:
        close(row)
    return row is not None


def check_may_withdraw(row: SwapRequest | CoverRequest, *, by: User) -> None:
    """Raise NotAllowedError unless `by` is the requester or an admin."""
    if not _may_manage(row, by=by):
        raise NotAllowedError("Only the requester or an admin can withdraw this request.")


def check_may_remind(row: SwapRequest | CoverRequest, *, by: User) -> None:
    """Raise NotAllowedError unless `by` is the requester or an admin."""
    if not _may_manage(row, by=by):
        raise NotAllowedError("Only the requester or an admin can send a reminder.")


def can_remind(row: SwapRequest | CoverRequest, *, by: User, at: dt.datetime) -> bool:
    """Return True if the request is open, `by` may remind its recipients, and the last reminder is 24 hours old."""
    is_open = row.state == RequestState.PENDING and row.expires_at > at
    return is_open and _reminder_wait(row, at=at) <= dt.timedelta(0) and _may_manage(row, by=by)


def _may_manage(row: SwapRequest | CoverRequest, *, by: User) -> bool:
    return by.pk == row.requester_id or by.is_staff


def _reminder_wait(row: SwapRequest | CoverRequest, *, at: dt.datetime) -> dt.timedelta:
    """Return the time until the next reminder can be sent, zero or negative if it can be sent now."""
    return dt.timedelta(0) if row.reminded_at is None else row.reminded_at + REMINDER_INTERVAL - at


def unanswered_recipients(row: SwapRequest | CoverRequest, *, people: Iterable[User]) -> list[User]:
    """Return those of the recipients who have not answered."""
    return [person for person in people if person.pk not in row.answered_by]


def save_reminder(row: SwapRequest | CoverRequest, *, people: Collection[User], at: dt.datetime) -> None:
    """Record a reminder of `people` on a locked request.

    Raises DomainError if everyone has answered or if the last reminder is less than 24 hours old.
    """
    if not people:
        raise DomainError("Everyone who was asked has answered.")
    if (wait := _reminder_wait(row, at=at)) > dt.timedelta(0):
        raise DomainError(
            f"A reminder was sent less than 24 hours ago. You can send the next one in {format_duration(wait)}."
        )
    row.reminded_at = at
    row.save(update_fields=["reminded_at"])


def save_decline(row: SwapRequest | CoverRequest, *, engineer: User) -> None:
    """Record on a locked request that an engineer declined it."""
    row.declined_by = sorted({*row.declined_by, engineer.pk})
    row.save(update_fields=["declined_by"])


def close_request(
    row: SwapRequest | CoverRequest, *, state: RequestState, at: dt.datetime, by: User | None = None, reason: str = ""
) -> None:
    """Save the end of a locked request."""
    row.state, row.reason, row.decided_by, row.decided_at = state, reason, by, at
    row.save(update_fields=["state", "reason", "decided_by", "decided_at"])


def void_request(row: SwapRequest | CoverRequest, *, reason: str, at: dt.datetime) -> bool:
    """Void a request that is not locked; return False if it has already been closed."""
    row.state, row.reason, row.decided_at = RequestState.VOID, reason, at
    pending = type(row).objects.filter(pk=row.pk, state=RequestState.PENDING)
    return pending.update(state=row.state, reason=reason, decided_at=at) == 1


def void_cover_requests(rotation: Rotation, *, at: dt.datetime) -> int:
    """Void the open cover requests of a rotation that are no longer possible, with the reason; return how many.

    The caller has locked the rotation.
    """
    invalid = invalidated_cover_requests(rotation, at=at)
    for request, reason in invalid:
        if void_request(request, reason=reason, at=at):
            notify_cover_request_closed(request, at=at)
    return len(invalid)
