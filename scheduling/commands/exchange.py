"""The one place where weeks change hands between engineers, each guarded by who gives it."""

import datetime as dt
from collections.abc import Sequence

from people.models import User
from people.refusals import Refused
from scheduling.commands.grounds import void_groundless
from scheduling.commands.weeks import pass_covers_on
from scheduling.engine.clock import day_in_words
from scheduling.engine.turns import Move
from scheduling.models import RotationWeek, SwapRequest


def exchange(swap: SwapRequest, *, moves: Sequence[Move], by: User, at: dt.datetime) -> None:
    """Make an exchange and record it as accepted; the caller has locked the rotation and checked its ground.

    Raises Refused, and the transaction changes nothing, where a week is not its giver's or the request is not open after all.
    """
    for move in moves:
        move_week(swap.rotation_id, move=move, at=at)
    swap.state, swap.decided_by, swap.decided_at = SwapRequest.State.ACCEPTED, by, at
    decided = {
        "state": swap.state,
        "decided_by": by,
        "decided_at": at,
        "counterpart": swap.counterpart,
        "agreed": swap.agreed,
    }
    if SwapRequest.objects.pending().filter(pk=swap.pk).update(**decided) != 1:
        raise Refused("This request is no longer open.")
    void_groundless(swap.rotation, at=at)


def move_week(rotation: int, *, move: Move, at: dt.datetime) -> None:
    """Give a week that has not begun from one engineer to another; raise Refused where it is not the giver's."""
    held = RotationWeek.objects.filter(rotation=rotation, starts_on=move.week, engineer=move.giver, starts_at__gt=at)
    week = held.first()
    if week is None or held.update(engineer=move.taker) != 1:
        raise Refused(f"The week of {day_in_words(move.week)} has changed hands or begun.")
    pass_covers_on(week, taker=move.taker)
