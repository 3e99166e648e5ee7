"""Request, accept, decline, withdraw and expire swaps."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from django.db import transaction

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from common.formatting import format_day
from people.domain.person import Person
from people.models import User
from people.services.accounts import check_active
from scheduling.domain.weeks import Move
from scheduling.models import Cover, Rotation, RotationWeek, SwapRequest
from scheduling.models.requests import RequestState
from scheduling.notifications import notify_swap_decided, notify_swap_reminder, notify_swap_requested
from scheduling.queries.swaps import (
    SWAP_PEOPLE,
    conflicts_in,
    invalid_week_reason,
    invalidated_requests,
    others_on_roster,
    recipients,
    weeks_by_date,
)
from scheduling.services.locks import lock_people, lock_rotation
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
    void_cover_requests,
    void_request,
)


@dataclass(frozen=True, slots=True)
class SwapProposal:
    """A proposed swap: a week of the requester's, optionally in return for another week, optionally between three.

    `wanted_week` None asks for nothing in return; `counterpart` None asks everyone. In a three-way swap the requester
    takes `third_week` from `third`, who takes the wanted week.
    """

    offered_week: dt.date
    wanted_week: dt.date | None = None
    counterpart: User | None = None
    third_week: dt.date | None = None
    third: User | None = None
    message: str = ""
    acknowledge_conflicts: bool = False

    @property
    def weeks(self) -> dict[str, dt.date]:
        """The start dates of the weeks in the swap, by field."""
        weeks = {"offered_week": self.offered_week, "wanted_week": self.wanted_week, "third_week": self.third_week}
        return {field: week for field, week in weeks.items() if week}


@transaction.atomic
def request_swap(rotation: Rotation, *, proposal: SwapProposal, by: User, at: dt.datetime) -> SwapRequest:
    """Request a swap of a week of `by`; an admin can request it for the week's engineer.

    Raises InvalidInputError for bad input, NotAllowedError for another engineer's week. Raises DomainError if a week has
    started or is not the recipient's, if the same request is already open, and if the requester is away in the week they
    would take and the conflict is not acknowledged.
    """
    lock_rotation(rotation)
    weeks = weeks_by_date(rotation, dates=proposal.weeks.values())
    _check_weeks(rotation, proposal=proposal, weeks=weeks)
    requester = weeks[proposal.offered_week].engineer
    if requester.pk != by.pk and not by.is_staff:
        raise NotAllowedError(
            f"Only {requester} or an admin can offer the week of {format_day(proposal.offered_week)}."
        )
    swap = SwapRequest(
        rotation=rotation,
        offered_week=proposal.offered_week,
        wanted_week=proposal.wanted_week,
        third_week=proposal.third_week,
        requester=requester,
        counterpart=weeks[proposal.wanted_week].engineer if proposal.wanted_week else proposal.counterpart,
        third=weeks[proposal.third_week].engineer if proposal.third_week else None,
        message=proposal.message,
        acknowledged=proposal.acknowledge_conflicts,
        requested_by=by,
        created_at=at,
        expires_at=min([at + REQUEST_LIFETIME, *(week.starts_at for week in weeks.values())]),
    )
    _check_people(swap, proposal=proposal)
    reason = invalid_week_reason(swap.moves(), weeks=weeks, people=(), at=at)
    if reason:
        raise DomainError(reason)
    check_open_requests(swap, at=at)
    last_week = proposal.third_week or proposal.wanted_week
    if last_week and not swap.acknowledged:
        _check_conflicts(weeks[last_week], engineer=requester.person)
    swap.save()
    notify_swap_requested(swap, at=at)
    return swap


def _check_weeks(rotation: Rotation, *, proposal: SwapProposal, weeks: Mapping[dt.date, RotationWeek]) -> None:
    problems = {
        field: [f"{rotation} has no shift that starts on {format_day(week)}."]
        for field, week in proposal.weeks.items()
        if week not in weeks
    }
    if proposal.third_week and not proposal.wanted_week:
        problems["wanted_week"] = ["A three-way swap needs the second engineer’s week."]
    if len(set(proposal.weeks.values())) < len(proposal.weeks):
        problems["wanted_week"] = ["Choose a different week."]
    if problems:
        raise InvalidInputError(problems)


def _check_people(swap: SwapRequest, *, proposal: SwapProposal) -> None:
    for field, named, engineer in (
        ("counterpart", proposal.counterpart, swap.counterpart),
        ("third", proposal.third, swap.third),
    ):
        if named is not None and engineer is not None and named.pk != engineer.pk:
            raise DomainError(f"That week belongs to {engineer}, not to {named}.")
        if engineer is not None:
            check_active(engineer, field=field)
    if len({person.pk for person in swap.people}) < len(swap.people):
        raise InvalidInputError({"counterpart": ["Choose another engineer to swap with."]})


def check_open_requests(swap: SwapRequest, *, at: dt.datetime) -> None:
    """Raise DomainError if the requester has an open request for the same swap, or too many open requests."""
    is_open = swap.rotation.swaps.pending().filter(requester=swap.requester, expires_at__gt=at)
    fields = ("offered_week", "wanted_week", "third_week", "counterpart", "third")
    if is_open.filter(**{field: getattr(swap, field) for field in fields}).exists():
        raise DomainError("There is already an open request for this swap.")
    if is_open.count() >= MAX_OPEN_REQUESTS:
        raise DomainError(f"{swap.requester} has {MAX_OPEN_REQUESTS} open requests. Withdraw one first.")


def _check_conflicts(week: RotationWeek, *, engineer: Person) -> None:
    """Raise DomainError, with the absences as `conflicts`, if an engineer is away during part of a week they would take."""
    absences = conflicts_in(week, engineer=engineer)
    if absences:
        listed = ", ".join(row.reason for row in absences)
        raise DomainError(
            f"{engineer} is away in the week of {format_day(week.starts_on)} ({listed}). "
            "Confirm that they take it anyway.",
            conflicts=[
                {"engineer": engineer.username, "starts_on": str(row.starts_on), "ends_on": str(row.ends_on)}
                for row in absences
            ],
        )


@transaction.atomic
def accept_swap(
    swap: SwapRequest, *, by: User, at: dt.datetime, engineer: User | None = None, acknowledge_conflicts: bool = False
) -> SwapRequest:
    """Accept a swap request as its recipient, or as an admin on behalf of `engineer`; the weeks change hands at once.

    Other open requests that are no longer possible become void. In a three-way swap, the last acceptance makes the
    exchange. Returns the reloaded request.

    Raises NotAllowedError if `by` is not a recipient. Raises DomainError, with the reason, if the request is no longer
    open or possible, and if the engineer is away in a week they would take and the conflict is not acknowledged.
    """
    lock_rotation(swap.rotation)
    row = lock_open_request(swap, people=SWAP_PEOPLE, at=at)
    taker = answering_engineer(row, by=by, engineer=engineer)
    people = lock_people([*row.people, taker])
    moves = row.moves(taker=taker.person)
    weeks = weeks_by_date(row.rotation, dates=row.weeks)
    reason = invalid_week_reason(moves, weeks=weeks, people=people.values(), at=at)
    if reason:
        raise DomainError(reason)
    for move in moves:
        has_confirmed = row.acknowledged if move.taker.id == row.requester_id else move.taker.id in row.accepted_by
        if not (acknowledge_conflicts if move.taker.id == taker.pk else has_confirmed):
            _check_conflicts(weeks[move.week], engineer=move.taker)
    row.accepted_by = sorted({*row.accepted_by, taker.pk}) if row.third_id else []
    if row.third_id and {row.counterpart_id, row.third_id}.difference(row.accepted_by):
        row.save(update_fields=["accepted_by"])
        return row
    row.counterpart = row.counterpart or taker
    apply_swap(row, moves=moves, weeks=weeks, by=by, at=at)
    notify_swap_decided(row, at=at)
    return row


@transaction.atomic
def decline_swap(
    swap: SwapRequest, *, by: User, at: dt.datetime, engineer: User | None = None, comment: str = ""
) -> SwapRequest:
    """Decline a swap request as its recipient, or as an admin on behalf of `engineer`; return the reloaded request.

    A request to anyone stays open until every other active engineer of the roster has declined. Raises the same errors as
    `accept_swap`.
    """
    lock_rotation(swap.rotation)
    row = lock_open_request(swap, people=SWAP_PEOPLE, at=at)
    decliner = answering_engineer(row, by=by, engineer=engineer)
    save_decline(row, engineer=decliner)
    if row.counterpart_id or not others_on_roster(row).difference(row.declined_by):
        _close(row, state=SwapRequest.State.DECLINED, reason=comment, by=by, at=at)
    return row


@transaction.atomic
def cancel_swap(swap: SwapRequest, *, by: User, at: dt.datetime) -> SwapRequest:
    """Withdraw a swap request; return the reloaded request.

    Raises NotAllowedError unless `by` is the requester or an admin, DomainError if the request is closed.
    """
    lock_rotation(swap.rotation)
    row = lock_open_request(swap, people=SWAP_PEOPLE, at=at)
    check_may_withdraw(row, by=by)
    _close(row, state=SwapRequest.State.CANCELLED, by=by, at=at)
    return row


@transaction.atomic
def remind_swap(swap: SwapRequest, *, by: User, at: dt.datetime) -> SwapRequest:
    """Remind the recipients of a swap request who have not answered, once in 24 hours; return the reloaded request.

    Raises NotAllowedError unless `by` is the requester or an admin. Raises DomainError if the request is closed, if everyone
    has answered, and if the last reminder is less than 24 hours old.
    """
    lock_rotation(swap.rotation)
    row = lock_open_request(swap, people=SWAP_PEOPLE, at=at)
    check_may_remind(row, by=by)
    people = unanswered_recipients(row, people=recipients(row))
    save_reminder(row, people=people, at=at)
    notify_swap_reminder(row, people=people, at=at)
    return row


def expire_swaps(*, at: dt.datetime) -> int:
    """Close open requests if one of their weeks has started or nobody has answered for 14 days; return how many.

    The first error is raised after all others are closed.
    """
    close = partial(_close, state=SwapRequest.State.EXPIRED, reason="Nobody answered in time.", at=at)
    return expire_requests(SwapRequest.objects.pending(), people=SWAP_PEOPLE, close=close, at=at)


def _close(row: SwapRequest, *, state: RequestState, at: dt.datetime, by: User | None = None, reason: str = "") -> None:
    """Close a locked request and notify its people."""
    close_request(row, state=state, at=at, by=by, reason=reason)
    notify_swap_decided(row, at=at)


def void_invalidated_requests(rotation: Rotation, *, at: dt.datetime) -> int:
    """Void the open swap and cover requests of a rotation that are no longer possible, with the reason; return how many.

    The caller has locked the rotation.
    """
    invalid = invalidated_requests(rotation, at=at)
    for swap, reason in invalid:
        if void_request(swap, reason=reason, at=at):
            notify_swap_decided(swap, at=at)
    return len(invalid) + void_cover_requests(rotation, at=at)


def apply_swap(
    swap: SwapRequest, *, moves: Sequence[Move], weeks: Mapping[dt.date, RotationWeek], by: User, at: dt.datetime
) -> None:
    """Move the weeks of an open swap and record it as accepted.

    The caller has locked the rotation, loaded `weeks` under the lock, and checked the swap.
    """
    for move in moves:
        RotationWeek.objects.filter(pk=weeks[move.week].pk).update(engineer=move.taker.id)
        transfer_covers(weeks[move.week], taker=move.taker)
    swap.state, swap.decided_by, swap.decided_at = SwapRequest.State.ACCEPTED, by, at
    swap.save(update_fields=["state", "decided_by", "decided_at", "counterpart", "accepted_by"])
    void_invalidated_requests(swap.rotation, at=at)


def transfer_covers(week: RotationWeek, *, taker: Person) -> None:
    """Make a week's new engineer the covered one in its covers; delete the covers in which they cover."""
    within = Cover.objects.filter(rotation=week.rotation_id, starts_at__gte=week.starts_at, ends_at__lte=week.ends_at)
    within.filter(engineer=taker.id).delete()
    within.filter(covered_engineer=week.engineer_id).update(covered_engineer=taker.id)
