"""Why a swap is not possible, and which accepted swaps a new roster leaves in place."""

import datetime as dt

import pytest

from scheduling.domain.swaps import AcceptedSwap, invalid_reason, reapply_swaps
from scheduling.domain.weeks import Move
from tests.each import each
from tests.scheduling.domain.cast import A, B, C, D

FIRST, SECOND, THIRD = (dt.date(2026, 11, 30) + dt.timedelta(weeks=number) for number in range(3))
TWO_WAY = (Move(FIRST, A, B), Move(SECOND, B, A))
WEEKS = {FIRST: A, SECOND: B, THIRD: C}


@each(
    ("facts", "reason"),
    [
        ({}, ""),
        ({"inactive": [B]}, "Engineer B is no longer active."),
        ({"engineers": {FIRST: A}}, "The week of 7 Dec 2026 no longer exists."),
        ({"engineers": {FIRST: A, SECOND: C}}, "The week of 7 Dec 2026 now belongs to Engineer C."),
        ({"started": {SECOND}}, "The week of 7 Dec 2026 has already started."),
        ({"started": {THIRD}}, ""),
    ],
)
def test_the_reason_names_the_person_or_the_week(facts, reason):
    assert invalid_reason(TWO_WAY, **{"engineers": WEEKS, **facts}) == reason


@pytest.mark.parametrize(
    ("moves", "planned", "inactive", "after", "reason"),
    [
        pytest.param(TWO_WAY, WEEKS, (), {FIRST: B, SECOND: A, THIRD: C}, "", id="it still fits"),
        pytest.param(
            TWO_WAY, {FIRST: A, SECOND: D}, (), {FIRST: A, SECOND: D},
            "The week of 7 Dec 2026 now belongs to Engineer D.", id="one giver lost the week",
        ),
        pytest.param(TWO_WAY, WEEKS, {B}, WEEKS, "Engineer B is no longer active.", id="a taker is inactive"),
        pytest.param(TWO_WAY, {SECOND: B}, (), {SECOND: A}, "", id="a week before the replan does not count"),
        pytest.param(
            TWO_WAY[:1], {FIRST: D}, (), {FIRST: D},
            "The week of 30 Nov 2026 now belongs to Engineer D.", id="one-way, and the giver lost the week",
        ),
        pytest.param(TWO_WAY[:1], WEEKS, {B}, WEEKS, "Engineer B is no longer active.", id="one-way, inactive taker"),
    ],
)  # fmt: skip
def test_a_new_roster_keeps_a_swap_that_fits_and_says_why_it_drops_another(moves, planned, inactive, after, reason):
    assert reapply_swaps(planned, swaps=[AcceptedSwap(7, moves)], inactive=inactive) == (
        after,
        {7: reason} if reason else {},
    )


def test_a_swap_can_build_on_an_earlier_one():
    swaps = [AcceptedSwap(1, (Move(FIRST, A, B),)), AcceptedSwap(2, (Move(FIRST, B, C),))]
    assert reapply_swaps({FIRST: A}, swaps=swaps, inactive=()) == ({FIRST: C}, {})
