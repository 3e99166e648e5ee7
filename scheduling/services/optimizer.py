"""Apply the moves of a plan, on behalf of the engineers."""

import datetime as dt
from collections.abc import Sequence

from django.db import transaction

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from people.models import User
from scheduling.domain.wall_time import format_day
from scheduling.domain.weeks import Move
from scheduling.models import Rotation, SwapRequest
from scheduling.notifications import WeekMoved, notify_weeks_changed
from scheduling.queries.swaps import conflicts_in, invalid_reason, weeks_of_dates
from scheduling.services.locks import lock_people, lock_rotation
from scheduling.services.swaps import apply_swap


@transaction.atomic
def apply_moves(rotation: Rotation, *, moves: Sequence[Move], by: User, at: dt.datetime) -> list[SwapRequest]:
    """Move each week to its new engineer, all or none; return the accepted swap requests that record the moves.

    Raises Forbidden if `by` is not an admin. Raises Refused if the plan is out of date: a week has changed hands or has
    started, or its new engineer is away or inactive.
    """
    if not by.is_staff:
        raise NotAllowedError("Only an admin applies a plan.")
    if not moves or len({move.week for move in moves}) < len(moves):
        raise InvalidInputError({"moves": ["Name each week once, and at least one."]})
    lock_rotation(rotation)
    people = lock_people(User.objects.filter(pk__in={key for move in moves for key in (move.giver, move.taker)}))
    weeks = weeks_of_dates(rotation, dates=[move.week for move in moves])
    reason = invalid_reason(moves, weeks=weeks, at=at)
    if reason:
        raise DomainError(f"{reason} Refresh the plan and try again.")
    for move in moves:
        taker = people.get(move.taker)
        if taker is None or not taker.is_active or move.giver == move.taker:
            raise DomainError(
                f"Nobody can take the week of {format_day(move.week)} as planned. Refresh the plan and try again."
            )
        if conflicts_in(weeks[move.week], engineer=taker):
            raise DomainError(
                f"{taker} is away in the week of {format_day(move.week)} by now. Refresh the plan and try again."
            )
    made = [_record(rotation, move, people=people, by=by, at=at) for move in moves]
    moved = [WeekMoved(move.week, move.giver, move.taker) for move in moves]
    notify_weeks_changed(rotation, moved=moved, at=at, why=f"{by} applied a plan that keeps everybody’s holidays free.")
    return made


def _record(rotation: Rotation, move: Move, *, people: dict[int, User], by: User, at: dt.datetime) -> SwapRequest:
    swap = SwapRequest.objects.create(
        rotation=rotation,
        offered_week=move.week,
        requester=people[move.giver],
        counterpart=people[move.taker],
        message="By a plan that keeps everybody’s holidays free.",
        requested_by=by,
        created_at=at,
        expires_at=at + dt.timedelta(days=1),
    )
    apply_swap(swap, moves=[move], by=by, at=at)
    return swap
