"""Request covers, and accept, decline, withdraw and expire the requests."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from django.db import transaction

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from people.models import User
from people.services.accounts import check_active
from scheduling.domain.responder_chain import Assignment, Period, intersect
from scheduling.models import Cover, CoverRequest, RequestQuerySet, Rotation, RotationWeek
from scheduling.models.requests import RequestState
from scheduling.notifications import (
    notify_cover_reminder,
    notify_cover_request_accepted,
    notify_cover_request_closed,
    notify_cover_requested,
)
from scheduling.queries.cover_requests import open_periods, others_on_roster, recipients
from scheduling.queries.on_call import assignments_between
from scheduling.services.covers import START_TOLERANCE, CoverData, create_cover_parts
from scheduling.services.locks import lock_active_rotation, lock_people, lock_rotation
from scheduling.services.open_requests import (
    MAX_OPEN_REQUESTS,
    REQUEST_LIFETIME,
    answering_engineer,
    check_may_remind,
    check_may_withdraw,
    close_request,
    expire_requests,
    lock_open_request,
    save_decline,
    save_reminder,
    unanswered_recipients,
)

REQUEST_PEOPLE = ("requester", "counterpart")


@dataclass(frozen=True, slots=True)
class CoverProposal:
    """The period to cover. `counterpart` None asks everyone."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    counterpart: User | None = None
    message: str = ""


@transaction.atomic
def request_cover(rotation: Rotation, *, proposal: CoverProposal, by: User, at: dt.datetime) -> CoverRequest:
    """Request a cover for time in which `by` is on call; an admin can request it for the engineer on call.

    The period may span shifts. Raises InvalidInputError for bad input, NotAllowedError for another engineer's time, and
    DomainError if the rotation is archived or part of the time is in an open request already.
    """
    rotation = lock_active_rotation(rotation)
    starts_at = _start_now_or_later(proposal, at=at)
    parts = assignments_between(rotation, starts_at=starts_at, ends_at=proposal.ends_at)
    if sum((part.ends_at - part.starts_at for part in parts), dt.timedelta()) < proposal.ends_at - starts_at:
        raise InvalidInputError({"ends_at": [f"{rotation} has no shifts for all of that time yet."]})
    requester = _requester(parts, by=by)
    request = CoverRequest(
        rotation=rotation,
        requester=requester,
        counterpart=_counterpart(proposal, requester=requester, parts=parts),
        starts_at=starts_at,
        ends_at=proposal.ends_at,
        message=proposal.message,
        requested_by=by,
        created_at=at,
        expires_at=min(at + REQUEST_LIFETIME, proposal.ends_at),
    )
    check_open_requests(request, at=at)
    people = recipients(request)
    if not people:
        raise DomainError("Nobody else is on the roster. Ask an engineer by name.")
    request.save()
    notify_cover_requested(request, people=people, at=at)
    return request


def _start_now_or_later(proposal: CoverProposal, *, at: dt.datetime) -> dt.datetime:
    if proposal.starts_at < at - START_TOLERANCE:
        raise InvalidInputError({"starts_at": ["The start must be now or later."]})
    starts_at = max(proposal.starts_at, at)
    if proposal.ends_at <= starts_at:
        raise InvalidInputError({"ends_at": ["The end must be after the start."]})
    return starts_at


def _requester(parts: Sequence[Assignment[RotationWeek, Cover]], *, by: User) -> User:
    """Return the one engineer who is on call in a period; raise NotAllowedError if `by` may not request a cover for them."""
    engineers = {part.engineer.pk: part.engineer for part in parts}
    if by.pk not in engineers and not by.is_staff:
        raise NotAllowedError("You can only request a cover for your own on-call time.")
    if len(engineers) > 1:
        names = " and ".join(str(engineer) for engineer in engineers.values())
        raise InvalidInputError(
            {"ends_at": [f"{names} are on call during that time. Choose a time in which one engineer is on call."]}
        )
    [requester] = lock_people(engineers.values()).values()
    if not requester.is_active:
        raise InvalidInputError({"starts_at": [f"{requester} is inactive. Create a cover instead."]})
    return requester


def _counterpart(
    proposal: CoverProposal, *, requester: User, parts: Sequence[Assignment[RotationWeek, Cover]]
) -> User | None:
    if proposal.counterpart is None:
        return None
    [counterpart] = lock_people([proposal.counterpart]).values()
    check_active(counterpart, field="counterpart")
    if counterpart.pk == requester.pk:
        raise InvalidInputError({"counterpart": [f"{counterpart} is on call then. Choose another engineer."]})
    if any(part.week is not None and part.week.engineer_id == counterpart.pk for part in parts):
        # Nobody can cover a shift of their own, so the request could not be accepted.
        raise InvalidInputError(
            {"counterpart": [f"This is {counterpart}’s own shift. End {requester}’s cover instead."]}
        )
    return counterpart


def check_open_requests(request: CoverRequest, *, at: dt.datetime) -> None:
    """Raise DomainError if some of the time is in another open request, or if the requester has too many of them."""
    pending = request.rotation.cover_requests.pending().filter(requester=request.requester)
    # The database does not know that a request has expired until it is closed.
    _expire(pending, at=at)
    is_open = pending.filter(expires_at__gt=at)
    if is_open.filter(starts_at__lt=request.ends_at, ends_at__gt=request.starts_at).exists():
        raise DomainError("Part of that time is in an open cover request already. Withdraw that request first.")
    if is_open.count() >= MAX_OPEN_REQUESTS:
        raise DomainError(f"{request.requester} has {MAX_OPEN_REQUESTS} open cover requests. Withdraw one first.")


@transaction.atomic
def accept_cover_request(
    request: CoverRequest,
    *,
    by: User,
    at: dt.datetime,
    engineer: User | None = None,
    starts_at: dt.datetime | None = None,
    ends_at: dt.datetime | None = None,
    acknowledge_conflicts: bool = False,
) -> CoverRequest:
    """Accept a cover request as its recipient, or as an admin on behalf of `engineer`; the covers start to apply at once.

    Without `starts_at` and `ends_at`, all the time that is still open is accepted; with them, that part, and the rest stays
    open. The request becomes accepted with its last part. Returns the reloaded request.

    Raises NotAllowedError if `by` is not a recipient and InvalidInputError for bad input. Raises DomainError, with the
    reason, if the request or that part of it is no longer open, and if the engineer is away then and the conflict is not
    acknowledged.
    """
    rotation = lock_rotation(request.rotation)
    row = lock_open_request(request, people=REQUEST_PEOPLE, at=at)
    taker = answering_engineer(row, by=by, engineer=engineer)
    periods = _accepted_periods(row, starts_at=starts_at, ends_at=ends_at, at=at)
    covers: list[Cover] = []
    for begin, end in periods:
        data = CoverData(taker, begin, end, reason=row.message)
        covers += create_cover_parts(
            rotation, data=data, by=by, at=at, acknowledge_conflicts=acknowledge_conflicts, request=row
        )
    open_parts = open_periods([row], at=at)[row.pk]
    if not open_parts:
        row.state, row.decided_by, row.decided_at = CoverRequest.State.ACCEPTED, by, at
        row.save(update_fields=["state", "decided_by", "decided_at"])
    notify_cover_request_accepted(row, covers=covers, by=by, is_partial=bool(open_parts), at=at)
    return row


def _accepted_periods(
    row: CoverRequest, *, starts_at: dt.datetime | None, ends_at: dt.datetime | None, at: dt.datetime
) -> list[Period]:
    """Return the open time between two instants, by default all of it; raise DomainError unless all of it is open."""
    begin, end = starts_at or row.starts_at, ends_at or row.ends_at
    if begin < row.starts_at - START_TOLERANCE:
        raise InvalidInputError({"starts_at": ["The start is before the requested time."]})
    if end > row.ends_at:
        raise InvalidInputError({"ends_at": ["The end is after the requested time."]})
    begin = max(begin, row.starts_at, at)
    if end <= begin:
        raise InvalidInputError({"ends_at": ["The end must be after the start."]})
    periods = intersect(open_periods([row], at=at)[row.pk], [(begin, end)])
    open_time = sum((stop - start for start, stop in periods), dt.timedelta())
    chosen = starts_at is not None or ends_at is not None
    if not periods or (chosen and open_time < end - begin):
        raise DomainError("Part of that time is already covered. Choose a time that is still open.")
    return periods


@transaction.atomic
def decline_cover_request(
    request: CoverRequest, *, by: User, at: dt.datetime, engineer: User | None = None, comment: str = ""
) -> CoverRequest:
    """Decline a cover request as its recipient, or as an admin on behalf of `engineer`; return the reloaded request.

    A request to anyone stays open until every other active engineer of the roster has declined. Raises the same errors as
    `accept_cover_request`.
    """
    lock_rotation(request.rotation)
    row = lock_open_request(request, people=REQUEST_PEOPLE, at=at)
    decliner = answering_engineer(row, by=by, engineer=engineer)
    save_decline(row, engineer=decliner)
    if row.counterpart_id or not others_on_roster(row).difference(row.declined_by):
        _close(row, state=CoverRequest.State.DECLINED, reason=comment, by=by, at=at)
    return row


@transaction.atomic
def cancel_cover_request(request: CoverRequest, *, by: User, at: dt.datetime) -> CoverRequest:
    """Withdraw what is still open of a cover request; covers that were accepted stay. Return the reloaded request.

    Raises NotAllowedError unless `by` is the requester or an admin, DomainError if the request is closed.
    """
    lock_rotation(request.rotation)
    row = lock_open_request(request, people=REQUEST_PEOPLE, at=at)
    check_may_withdraw(row, by=by)
    _close(row, state=CoverRequest.State.CANCELLED, by=by, at=at)
    return row


@transaction.atomic
def remind_cover_request(request: CoverRequest, *, by: User, at: dt.datetime) -> CoverRequest:
    """Remind the recipients of a cover request who have not answered, once in 24 hours; return the reloaded request.

    Raises the same errors as `remind_swap`.
    """
    lock_rotation(request.rotation)
    row = lock_open_request(request, people=REQUEST_PEOPLE, at=at)
    check_may_remind(row, by=by)
    people = unanswered_recipients(row, people=recipients(row))
    save_reminder(row, people=people, at=at)
    notify_cover_reminder(row, people=people, at=at)
    return row


def expire_cover_requests(*, at: dt.datetime) -> int:
    """Close open requests whose time is over or that nobody has answered for 14 days; return how many.

    The first error is raised after all others are closed.
    """
    return _expire(CoverRequest.objects.pending(), at=at)


def _expire(requests: RequestQuerySet, *, at: dt.datetime) -> int:
    close = partial(_close, state=CoverRequest.State.EXPIRED, at=at)
    return expire_requests(requests, people=REQUEST_PEOPLE, close=close, at=at)


def _close(
    row: CoverRequest, *, state: RequestState, at: dt.datetime, by: User | None = None, reason: str = ""
) -> None:
    """Close a locked request and notify its people."""
    close_request(row, state=state, at=at, by=by, reason=reason)
    notify_cover_request_closed(row, at=at)
