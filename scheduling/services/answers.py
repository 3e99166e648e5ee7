"""Undo answers to swap and cover requests: restore the schedule and the request, unless something depends on the answer."""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import reduce
from operator import or_

from django.db import transaction
from django.db.models import Q

from common.exceptions import DomainError, NotAllowedError
from people.models import User
from scheduling.domain.weeks import Move
from scheduling.models import Cover, CoverRequest, Rotation, RotationWeek, SwapRequest
from scheduling.models.requests import RequestState
from scheduling.notifications import notify_cover_request_reopened, notify_swap_reopened
from scheduling.queries.cover_requests import open_periods
from scheduling.queries.swaps import SWAP_PEOPLE, invalid_week_reason, weeks_by_date
from scheduling.services.cover_requests import REQUEST_PEOPLE
from scheduling.services.cover_requests import check_open_requests as check_open_cover_requests
from scheduling.services.covers import return_time
from scheduling.services.locks import lock_people, lock_rotation
from scheduling.services.open_requests import Request, void_cover_requests
from scheduling.services.snapshots import (
    SavedCover,
    SavedRequest,
    SavedWeek,
    remind_recipients,
    reopen_requests,
    saved_row,
)
from scheduling.services.swaps import check_open_requests as check_open_swaps
from scheduling.services.swaps import void_invalidated_requests


@dataclass(frozen=True, slots=True)
class Answer:
    """An engineer's answer to a request, with the schedule before and after it.

    `counterpart` is the person whom the request named. `decided_at` is when the answer closed it, or None if it stayed open. `weeks`
    and `covers` are those during the requested time after the answer, `earlier_covers` those before it. `superseded_swaps` and
    `superseded_cover_requests` are other requests that the answer closed, as they were before.
    """

    request: int
    engineer: int
    counterpart: int | None
    decided_at: dt.datetime | None
    weeks: tuple[SavedWeek, ...]
    covers: tuple[SavedCover, ...]
    earlier_covers: tuple[SavedCover, ...]
    superseded_swaps: tuple[SavedRequest, ...]
    superseded_cover_requests: tuple[SavedRequest, ...]

    @property
    def new_covers(self) -> set[int]:
        """The IDs of the covers that an accepted cover request created."""
        earlier = {cover.id for cover in self.earlier_covers}
        return {cover.id for cover in self.covers if cover.request_id == self.request and cover.id not in earlier}


@dataclass(frozen=True, slots=True)
class _Schedule:
    """The weeks and covers during the requested time, and the open requests of the rotation."""

    weeks: tuple[SavedWeek, ...]
    covers: tuple[SavedCover, ...]
    swaps: tuple[SavedRequest, ...]
    cover_requests: tuple[SavedRequest, ...]

    @classmethod
    def load(cls, request: SwapRequest | CoverRequest) -> "_Schedule":
        rotation = request.rotation
        if isinstance(request, SwapRequest):
            weeks = list(rotation.weeks.filter(starts_on__in=request.weeks).order_by("starts_at"))
            periods = [Q(starts_at__lt=week.ends_at, ends_at__gt=week.starts_at) for week in weeks]
        else:
            # Also the adjacent covers: an acceptance cuts a longer cover into parts before and after.
            weeks, periods = [], [Q(starts_at__lte=request.ends_at, ends_at__gte=request.starts_at)]
        covers = rotation.covers.filter(reduce(or_, periods)).order_by("starts_at") if periods else []
        return cls(
            tuple(saved_row(SavedWeek, row) for row in weeks),
            tuple(saved_row(SavedCover, row) for row in covers),
            tuple(saved_row(SavedRequest, row) for row in rotation.swaps.pending().order_by("pk")),
            tuple(saved_row(SavedRequest, row) for row in rotation.cover_requests.pending().order_by("pk")),
        )


@transaction.atomic
def record_answer(request: Request, answer: Callable[[], Request]) -> tuple[Request, Answer]:
    """Call a service that answers a request; return the reloaded request, and the recorded answer."""
    lock_rotation(request.rotation)
    row = type(request).objects.select_related("rotation").get(pk=request.pk)
    earlier, counterpart, answered_by = _Schedule.load(row), row.counterpart_id, row.answered_by
    answered = answer()
    later = _Schedule.load(answered)
    is_swap = isinstance(answered, SwapRequest)
    return answered, Answer(
        request=row.pk,
        engineer=_answering_engineer(answered, answered_by=answered_by, covers=set(later.covers) - set(earlier.covers)),
        counterpart=counterpart,
        decided_at=answered.decided_at,
        weeks=later.weeks,
        covers=later.covers,
        earlier_covers=earlier.covers,
        superseded_swaps=_superseded(earlier.swaps, later.swaps, answered=row.pk if is_swap else None),
        superseded_cover_requests=_superseded(
            earlier.cover_requests, later.cover_requests, answered=None if is_swap else row.pk
        ),
    )


def _answering_engineer(
    row: SwapRequest | CoverRequest, *, answered_by: Collection[int], covers: Iterable[SavedCover]
) -> int:
    """Return who is new among those who answered, else who covers now, else who took the offered week."""
    new = set(row.answered_by).difference(answered_by)
    if isinstance(row, CoverRequest):
        new.update(cover.engineer_id for cover in covers if cover.request_id == row.pk)
    return next(key for key in (*new, row.counterpart_id) if key is not None)


def _superseded(
    earlier: Iterable[SavedRequest], later: Iterable[SavedRequest], *, answered: int | None
) -> tuple[SavedRequest, ...]:
    open_ids = {row.id for row in later}
    return tuple(row for row in earlier if row.id not in open_ids and row.id != answered)


@transaction.atomic
def undo_swap_answer(answer: Answer, *, by: User, at: dt.datetime) -> SwapRequest:
    """Undo an answer to a swap request: restore the weeks and their covers, and reopen the request; return it reloaded.

    Other requests that the answer superseded are reopened too. Raises NotAllowedError unless `by` gave the answer or is an
    admin. Raises DomainError, with the reason, if the request, its weeks or their covers have since been changed, if one of the
    weeks has started, and if one of its people has left.
    """
    row = _lock_answered(SwapRequest.objects.get(pk=answer.request), answer, people=SWAP_PEOPLE, by=by, at=at)
    was_accepted, moves = row.state == RequestState.ACCEPTED, row.moves()
    if was_accepted:
        _return_weeks(row, answer, at=at)
    elif answer.decided_at is not None:
        people = lock_people(row.people).values()
        if reason := invalid_week_reason(
            moves, weeks=weeks_by_date(row.rotation, dates=row.weeks), people=people, at=at
        ):
            raise DomainError(reason)
    if answer.decided_at is not None:
        check_open_swaps(row, at=at)
    row.accepted_by = [key for key in row.accepted_by if key != answer.engineer]
    _reopen(row, answer, fields=["accepted_by"])
    reopened = reopen_requests(answer.superseded_swaps, answer.superseded_cover_requests)
    void_invalidated_requests(row.rotation, at=at)
    remind_recipients(reopened, at=at)
    if answer.decided_at is not None:
        notify_swap_reopened(
            row, moves=moves if was_accepted else (), engineer=User.objects.get(pk=answer.engineer), by=by, at=at
        )
    return row


def _return_weeks(row: SwapRequest, answer: Answer, *, at: dt.datetime) -> None:
    """Return the weeks of an accepted swap, and their covers, to those who had them before."""
    returns = [Move(move.week, giver=move.taker, taker=move.giver) for move in row.moves()]
    weeks = weeks_by_date(row.rotation, dates=row.weeks)
    reason = invalid_week_reason(returns, weeks=weeks, people=lock_people(row.people).values(), at=at)
    if reason:
        raise DomainError(reason)
    current = _Schedule.load(row)
    if current.weeks != answer.weeks:
        raise DomainError(f"The schedule of {row.rotation} has since been changed.")
    if current.covers != answer.covers:
        raise DomainError("A cover in one of these weeks has since been changed.")
    for move in returns:
        RotationWeek.objects.filter(pk=weeks[move.week].pk).update(engineer=move.taker.id)
    _restore_covers(row.rotation, answer)


@transaction.atomic
def undo_cover_answer(answer: Answer, *, by: User, at: dt.datetime) -> CoverRequest:
    """Undo an answer to a cover request: end its new covers and reopen the request; return it reloaded.

    A cover that has started keeps its past. Raises NotAllowedError unless `by` gave the answer or is an admin. Raises
    DomainError, with the reason, if the request or the covers have since been changed, and if one of its people has left.
    """
    row = _lock_answered(CoverRequest.objects.get(pk=answer.request), answer, people=REQUEST_PEOPLE, by=by, at=at)
    for person in lock_people([row.requester, *row.recipients]).values():
        if not person.is_active:
            raise DomainError(f"{person} is no longer active.")
    was_closed = row.state != RequestState.PENDING
    covers = list(row.covers.filter(pk__in=answer.new_covers).select_related("rotation", "covered_engineer"))
    if answer.new_covers:
        _end_covers(covers, answer, by=by, at=at)
    if was_closed:
        check_open_cover_requests(row, at=at)
    _reopen(row, answer)
    if not open_periods([row], at=at)[row.pk]:
        raise DomainError(f"{row.requester} is no longer on call then.")
    void_cover_requests(row.rotation, at=at)
    if was_closed or covers:
        notify_cover_request_reopened(row, covers=covers, engineer=User.objects.get(pk=answer.engineer), by=by, at=at)
    return row


def _end_covers(covers: Sequence[Cover], answer: Answer, *, by: User, at: dt.datetime) -> None:
    """End the covers of an accepted request and restore those that they replaced."""
    changed = {cover.id for cover in set(answer.covers).symmetric_difference(answer.earlier_covers)}
    stored = Cover.objects.filter(pk__in=changed)
    if {saved_row(SavedCover, row) for row in stored} != {cover for cover in answer.covers if cover.id in changed}:
        raise DomainError("This cover has since been changed or ended.")
    if any(cover.ends_at <= at for cover in covers):
        raise DomainError("This cover is in the past.")
    if any(cover.starts_at <= at for cover in covers):
        for cover in covers:
            return_time(cover, by=by, at=at)
    else:
        _restore_covers(covers[0].rotation, answer)


def _restore_covers(rotation: Rotation, answer: Answer) -> None:
    """Restore the covers as they were before an answer. None of those that it changed has started."""
    earlier = {cover.id: cover for cover in answer.earlier_covers}
    current = {cover.id: cover for cover in answer.covers}
    # Time is freed before it is covered again, because covers never overlap.
    rotation.covers.filter(pk__in=current.keys() - earlier.keys()).delete()
    for key, cover in earlier.items():
        if key not in current:
            Cover.objects.create(rotation=rotation, **asdict(cover))
        elif cover != current[key]:
            rotation.covers.filter(pk=key).update(**asdict(cover))


def _lock_answered(request: Request, answer: Answer, *, people: Iterable[str], by: User, at: dt.datetime) -> Request:
    """Lock a request and its rotation, and return it reloaded; raise DomainError unless it is as the answer left it."""
    if by.pk != answer.engineer and not by.is_staff:
        raise NotAllowedError("Only the engineer who answered or an admin can undo the answer.")
    lock_rotation(request.rotation)
    rows = type(request).objects.select_for_update(no_key=True, of=("self",))
    row: Request = rows.select_related("rotation", *people, "requested_by").get(pk=request.pk)
    if answer.new_covers:
        # Another engineer may have accepted the rest.
        is_same = row.state in (RequestState.PENDING, RequestState.ACCEPTED)
    elif answer.decided_at is None:
        is_same = row.state == RequestState.PENDING and answer.engineer in row.answered_by
    else:
        is_same = row.decided_at == answer.decided_at and row.state in (RequestState.ACCEPTED, RequestState.DECLINED)
    if not is_same:
        raise DomainError(f"This request is already {row.get_state_display().lower()}. {row.reason}".strip())
    if row.expires_at <= at:
        raise DomainError("This request has expired.")
    return row


def _reopen(row: SwapRequest | CoverRequest, answer: Answer, *, fields: Iterable[str] = ()) -> None:
    """Save a locked request as it was before the answer."""
    row.declined_by = [key for key in row.declined_by if key != answer.engineer]
    row.counterpart = row.counterpart if answer.counterpart else None
    row.state, row.reason, row.decided_by, row.decided_at = RequestState.PENDING, "", None, None
    row.save(update_fields=["state", "reason", "decided_by", "decided_at", "counterpart", "declined_by", *fields])
