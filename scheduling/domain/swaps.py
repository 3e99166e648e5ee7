"""Why a swap is not possible, and which accepted swaps a new roster leaves in place. See "Swaps" in docs/rules.md."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from common.formatting import format_day
from people.domain.person import Person
from scheduling.domain.weeks import Move


@dataclass(frozen=True, slots=True)
class AcceptedSwap:
    """The moves of an accepted swap request; `key` is the ID of the request."""

    key: int
    moves: tuple[Move, ...]


def invalid_reason(
    moves: Sequence[Move],
    *,
    engineers: Mapping[dt.date, Person],
    inactive: Collection[Person] = (),
    started: Collection[dt.date] = (),
) -> str:
    """Return why these moves are not possible, or "" if they are.

    None of the people is inactive, and each week belongs to its giver and has not started. `engineers` maps the weeks to
    the engineers they belong to; `inactive` are the inactive ones of the swap's people.
    """
    for person in inactive:
        return f"{person} is no longer active."
    for move in moves:
        engineer = engineers.get(move.week)
        if engineer is None:
            return f"The week of {format_day(move.week)} no longer exists."
        if engineer != move.giver:
            return f"The week of {format_day(move.week)} now belongs to {engineer}."
        if move.week in started:
            return f"The week of {format_day(move.week)} has already started."
    return ""


def reapply_swaps(
    planned: Mapping[dt.date, Person], *, swaps: Sequence[AcceptedSwap], inactive: Collection[Person]
) -> tuple[dict[dt.date, Person], dict[int, str]]:
    """Return the engineer of each replanned week after reapplying accepted swaps, and why the others no longer apply.

    A roster change preserves the swaps that both parties can still honor: each replanned week of the swap must belong to
    its giver, and its taker must be active. Swaps are applied in order. The reasons are by the ID of the swap.
    """
    engineers, lost = dict(planned), dict[int, str]()
    for swap in swaps:
        moves = [move for move in swap.moves if move.week in engineers]
        takers = [move.taker for move in moves if move.taker in inactive]
        reason = invalid_reason(moves, engineers=engineers, inactive=takers)
        if reason:
            lost[swap.key] = reason
        else:
            engineers.update({move.week: move.taker for move in moves})
    return engineers, lost
