"""Apply a plan of the optimizer on behalf of the engineers."""

import datetime as dt
from collections.abc import Sequence

from django.db import transaction

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from common.formatting import format_day
from people.models import User
from scheduling.domain.weeks import Move
from scheduling.models import Rotation, SwapRequest
from scheduling.notifications import notify_weeks_changed
from scheduling.queries.swaps import conflicts_in, invalid_week_reason, weeks_by_date
from scheduling.services.locks import lock_people, lock_rotation
from scheduling.services.swaps import apply_swap


@transaction.atomic
def apply_moves(rotation: Rotation, *, moves: Sequence[Move], by: User, at: dt.datetime) -> list[SwapRequest]:
    """Move each week to its new engineer, all or none; return the accepted swap requests that record the moves.

    Raises NotAllowedError if `by` is not an admin. Raises DomainError if the plan is out of date: a week has changed
    hands or has started, or its new engineer is away or inactive.
    """
    if not by.is_staff:
        raise NotAllowedError("Only an admin can apply a plan.")
    if not moves or len({move.week for move in moves}) < len(moves):
        raise InvalidInputError({"moves": ["List at least one week, and each week once."]})
    lock_rotation(rotation)
    people = lock_people([person for move in moves for person in (move.giver, move.taker)])
    weeks = weeks_by_date(rotation, dates=[move.week for move in moves])
    takers = [people[move.taker.id] for move in moves]
    reason = invalid_week_reason(moves, weeks=weeks, people=takers, at=at)
    if reason:
        raise DomainError(f"{reason} Refresh the plan and try again.")
    for move in moves:
        if move.giver == move.taker:
            raise InvalidInputError({"moves": [f"The week of {format_day(move.week)} needs another engineer."]})
        if conflicts_in(weeks[move.week], engineer=move.taker):
            raise DomainError(
                f"{move.taker} is now away in the week of {format_day(move.week)}. Refresh the plan and try again."
            )
    swaps = []
    for move in moves:
        swap = SwapRequest.objects.create(
            rotation=rotation,
            offered_week=move.week,
            requester=people[move.giver.id],
            counterpart=people[move.taker.id],
            message="Reassigned by the optimizer to resolve conflicts with time off.",
            requested_by=by,
            created_at=at,
            expires_at=weeks[move.week].starts_at,
        )
        apply_swap(swap, moves=[move], weeks=weeks, by=by, at=at)
        swaps.append(swap)
    notify_weeks_changed(rotation, moved=moves, at=at, why=f"{by} resolved conflicts with time off.")
    return swaps
