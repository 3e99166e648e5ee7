"""Request, accept, decline, withdraw and expire swaps."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from people.models import User
from scheduling.domain.wall_time import format_day
from scheduling.domain.weeks import Move
from scheduling.models import HolidayBlock, Rotation, RotationWeek, SwapRequest
from scheduling.notifications import notify_swap_decided, notify_swap_requested
from scheduling.queries.swaps import (
    awaits_answer_from,
    conflicts_in,
    invalid_reason,
    invalidated_requests,
    others_on_roster,
    weeks_of_dates,
)
from scheduling.services.covers import transfer_covers
from scheduling.services.locks import lock_people, lock_rotation

OPEN_FOR = dt.timedelta(days=14)
OPEN_A_PERSON = 50


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


@transaction.atomic
def request_swap(rotation: Rotation, *, asked: SwapProposal, by: User, at: dt.datetime) -> SwapRequest:
    """Request a swap of a week that `by` holds; an admin can request it for the engineer who does.

    Raises Invalid by field; Forbidden for another engineer's week. Raises Refused if a week has started or is not the
    recipient's, if the same request is already open, and if the requester is away in the wanted week and the conflict
    is not acknowledged.
    """
    lock_rotation(rotation)
    weeks = weeks_of_dates(
        rotation, dates={week for week in (asked.offered_week, asked.wanted_week, asked.third_week) if week}
    )
    _check_fields(rotation, proposal=asked, weeks=weeks)
    requester = weeks[asked.offered_week].engineer
    if requester.pk != by.pk and not by.is_staff:
        raise NotAllowedError(
            f"The week of {format_day(asked.offered_week)} is {requester}’s: only they or an admin offer it."
        )
    swap = SwapRequest(
        rotation=rotation,
        offered_week=asked.offered_week,
        wanted_week=asked.wanted_week,
        third_week=asked.third_week,
        requester=requester,
        counterpart=weeks[asked.wanted_week].engineer if asked.wanted_week else asked.counterpart,
        third=weeks[asked.third_week].engineer if asked.third_week else None,
        message=asked.message,
        acknowledged=asked.acknowledge_conflicts,
        requested_by=by,
        created_at=at,
        expires_at=min([at + OPEN_FOR, *(week.starts_at for week in weeks.values())]),
    )
    _check_request(swap, proposal=asked, weeks=weeks, at=at)
    swap.save()
    notify_swap_requested(swap, at=at)
    return swap


def _check_fields(rotation: Rotation, *, asked: SwapProposal, weeks: dict[dt.date, RotationWeek]) -> None:
    problems: dict[str, list[str]] = {}
    given = {"offered_week": asked.offered_week, "wanted_week": asked.wanted_week, "third_week": asked.third_week}
    for field, week in given.items():
        if week is not None and week not in weeks:
            problems[field] = [f"No week of {rotation} that is stored starts on {format_day(week)}."]
    if asked.third_week and not asked.wanted_week:
        problems["wanted_week"] = ["Three swap three weeks: name the week of the second."]
    named = [week for week in given.values() if week]
    if len(set(named)) < len(named):
        problems["wanted_week"] = ["A week cannot be swapped for itself."]
    if problems:
        raise InvalidInputError(problems)


def _check_request(
    swap: SwapRequest, *, asked: SwapProposal, weeks: dict[dt.date, RotationWeek], at: dt.datetime
) -> None:
    begun = next((week for week in weeks.values() if week.starts_at <= at), None)
    if begun is not None:
        raise DomainError(f"The week of {format_day(begun.starts_on)} has already started and cannot be swapped.")
    for field, named, holder in (
        ("counterpart", asked.counterpart, swap.counterpart),
        ("third", asked.third, swap.third),
    ):
        if named is not None and holder is not None and named.pk != holder.pk:
            raise DomainError(f"That week is {holder}’s, not {named}’s.")
        if holder is not None and not holder.is_active:
            raise InvalidInputError({field: [f"{holder} is not active."]})
    people = [person.pk for person in (swap.requester, swap.counterpart, swap.third) if person]
    if len(set(people)) < len(people):
        raise InvalidInputError({"counterpart": ["A swap is with somebody else."]})
    same = {"offered_week", "wanted_week", "third_week", "requester", "counterpart", "third"}
    mine = swap.rotation.swaps.pending().filter(requester=swap.requester, expires_at__gt=at)
    if mine.filter(**{name: getattr(swap, name) for name in same}).exists():
        raise DomainError("This is asked already and still open.")
    if mine.count() >= OPEN_A_PERSON:
        raise DomainError(f"{swap.requester} has {OPEN_A_PERSON} open requests. Withdraw one first.")
    comes_back = asked.third_week or asked.wanted_week
    if comes_back and not swap.acknowledged:
        check_conflicts(weeks[comes_back], engineer=swap.requester)


def check_conflicts(week: RotationWeek, *, engineer: User) -> None:
    """Raise Refused, with the absences as `conflicts`, if an engineer is away during part of a week they would take."""
    blocks = conflicts_in(week, engineer=engineer)
    if blocks:
        raise DomainError(
            f"{engineer} is away in the week of {format_day(week.starts_on)}: "
            + ", ".join(_in_words(block) for block in blocks)
            + ". Say acknowledge_conflicts to take it all the same.",
            conflicts=[
                {"engineer": engineer.username, "starts_on": str(block.starts_on), "ends_on": str(block.ends_on)}
                for block in blocks
            ],
        )


def _in_words(block: HolidayBlock) -> str:
    return f"{block.get_kind_display().lower()} {format_day(block.starts_on)} to {format_day(block.ends_on)}"


@transaction.atomic
def accept_swap(
    swap: SwapRequest, *, by: User, at: dt.datetime, engineer: User | None = None, acknowledge_conflicts: bool = False
) -> SwapRequest:
    """Accept a swap request as its recipient, or as an admin for `engineer`; the weeks change hands at once.

    Other open requests that are no longer possible become void. In a three-way swap, the last acceptance makes the
    exchange. Returns the reloaded request.

    Raises Forbidden if `by` is not a recipient. Raises Refused, with the reason, if the request is no longer open or
    possible, and if the engineer is away in a week they would take and the conflict is not acknowledged.
    """
    lock_rotation(swap.rotation)
    row = _open(swap, at=at)
    taker = _answering(row, by=by, engineer=engineer)
    people = lock_people([person for person in (row.requester, row.counterpart, row.third, taker) if person])
    for person in people.values():
        if not person.is_active:
            raise DomainError(f"{person} is no longer active.")
    moves = row.moves(taker=taker.pk)
    weeks = weeks_of_dates(row.rotation, dates=row.weeks)
    reason = invalid_reason(moves, weeks=weeks, at=at)
    if reason:
        raise DomainError(reason)
    for move in moves:
        known = acknowledge_conflicts if move.taker == taker.pk else row.acknowledged or move.taker in row.accepted_by
        if not known:
            check_conflicts(weeks[move.week], engineer=people[move.taker])
    agreed = {*row.accepted_by, taker.pk}
    if row.third_id and {row.counterpart_id, row.third_id} - agreed:
        row.accepted_by = sorted(agreed)
        row.save(update_fields=["accepted_by"])
        return row
    row.counterpart = row.counterpart or taker
    row.accepted_by = sorted(agreed) if row.third_id else []
    apply_swap(row, moves=moves, by=by, at=at)
    notify_swap_decided(row, at=at)
    return row


@transaction.atomic
def decline_swap(
    swap: SwapRequest, *, by: User, at: dt.datetime, engineer: User | None = None, word: str = ""
) -> SwapRequest:
    """Decline a swap request as its recipient, or as an admin for `engineer`; return the reloaded request.

    A request to everyone stays open until every engineer of the rotation has declined. Raises the same errors as
    `accept_swap`.
    """
    lock_rotation(swap.rotation)
    row = _open(swap, at=at)
    decliner = _answering(row, by=by, engineer=engineer)
    row.declined_by = sorted({*row.declined_by, decliner.pk})
    if row.counterpart_id is None and others_on_roster(row) - set(row.declined_by):
        row.save(update_fields=["declined_by"])
        return row
    row.state, row.reason, row.decided_by, row.decided_at = SwapRequest.State.DECLINED, word, by, at
    row.save(update_fields=["declined_by", "state", "reason", "decided_by", "decided_at"])
    notify_swap_decided(row, at=at)
    return row


@transaction.atomic
def cancel_swap(swap: SwapRequest, *, by: User, at: dt.datetime) -> SwapRequest:
    """Withdraw a swap request as its requester or an admin; raise Forbidden for others and Refused if it is closed."""
    lock_rotation(swap.rotation)
    if by.pk != swap.requester_id and not by.is_staff:
        raise NotAllowedError("Only who asked, or an admin, takes a request back.")
    row = _open(swap, at=at)
    row.state, row.decided_by, row.decided_at = SwapRequest.State.CANCELLED, by, at
    row.save(update_fields=["state", "decided_by", "decided_at"])
    notify_swap_decided(row, at=at)
    return row


@transaction.atomic
def expire_swaps(*, at: dt.datetime) -> int:
    """Close open requests if one of their weeks has started or nobody has responded for 14 days; return how many."""
    due = (
        SwapRequest.objects.pending()
        .filter(expires_at__lte=at)
        .select_for_update(no_key=True, skip_locked=True, of=("self",))
        .select_related("requester", "counterpart", "third")
        .order_by("pk")
    )
    rows = list(due)
    for row in rows:
        row.state, row.decided_at = SwapRequest.State.EXPIRED, at
        row.reason = "Nobody answered before it was too late."
        row.save(update_fields=["state", "decided_at", "reason"])
        notify_swap_decided(row, at=at)
    return len(rows)


def _open(swap: SwapRequest, *, at: dt.datetime) -> SwapRequest:
    """Return the request, reloaded under the rotation's lock; raise Refused, with the reason, if it is closed."""
    row = SwapRequest.objects.select_related("rotation", "requester", "counterpart", "third").get(pk=swap.pk)
    if row.state != SwapRequest.State.PENDING:
        because = f" {row.reason}" if row.reason else ""
        raise DomainError(
            f"This request is no longer open: it is {row.get_state_display().lower()}.{because}", state=row.state
        )
    if row.expires_at <= at:
        raise DomainError("This request has expired.", state=SwapRequest.State.EXPIRED)
    return row


def _answering(row: SwapRequest, *, by: User, engineer: User | None) -> User:
    """Return the responding engineer: `by` if they are a recipient, else the one an admin responds for."""
    if engineer is None and by.is_staff and not awaits_answer_from(row, person=by):
        engineer = next((one for one in (row.counterpart, row.third) if one and one.pk not in row.accepted_by), None)
        if engineer is None:
            raise InvalidInputError({"engineer": ["This request asks anyone: say for whom you answer it."]})
    person = engineer or by
    if person.pk != by.pk and not by.is_staff:
        raise NotAllowedError("Only an admin answers for somebody else.")
    if person.pk == row.requester_id:
        raise NotAllowedError("A request is answered by somebody else than who made it.")
    if not awaits_answer_from(row, person=person):
        if person.pk in (*row.accepted_by, *row.declined_by):
            raise DomainError(f"{person} has answered this already.")
        raise NotAllowedError(f"{person} is not asked.")
    return person


def void_invalidated_requests(rotation: Rotation, *, at: dt.datetime) -> int:
    """Void open requests whose weeks have changed hands, each with its reason; return how many.

    The caller has locked the rotation.
    """
    lost = invalidated_requests(rotation, at=at)
    for swap, reason in lost:
        swap.state, swap.reason, swap.decided_at = SwapRequest.State.VOID, reason, at
        void = {"state": swap.state, "reason": reason, "decided_at": at}
        if SwapRequest.objects.pending().filter(pk=swap.pk).update(**void) == 1:
            notify_swap_decided(swap, at=at)
    return len(lost)


def apply_swap(swap: SwapRequest, *, moves: Sequence[Move], by: User, at: dt.datetime) -> None:
    """Apply a swap and record it as accepted; the caller has locked the rotation and checked the swap.

    Raises Refused, which rolls back the transaction, if a week has changed hands or the request is not open.
    """
    for move in moves:
        reassign_week(swap.rotation_id, move=move, at=at)
    swap.state, swap.decided_by, swap.decided_at = SwapRequest.State.ACCEPTED, by, at
    decided = {
        "state": swap.state,
        "decided_by": by,
        "decided_at": at,
        "counterpart": swap.counterpart,
        "accepted_by": swap.accepted_by,
    }
    if SwapRequest.objects.pending().filter(pk=swap.pk).update(**decided) != 1:
        raise DomainError("This request is no longer open.")
    void_invalidated_requests(swap.rotation, at=at)


def reassign_week(rotation: int, *, move: Move, at: dt.datetime) -> None:
    """Give a week that has not started to another engineer; raise Refused if it is not the giver's."""
    held = RotationWeek.objects.filter(rotation=rotation, starts_on=move.week, engineer=move.giver, starts_at__gt=at)
    week = held.first()
    if week is None or held.update(engineer=move.taker) != 1:
        raise DomainError(f"The week of {format_day(move.week)} has changed hands or begun.")
    transfer_covers(week, taker=move.taker)
