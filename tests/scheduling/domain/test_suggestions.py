"""Suggestions rank the ways to hand over a week, each with reasons."""

import datetime as dt
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduling.domain.responder_chain import Absence, Availability
from scheduling.domain.suggestions import RosterFacts, suggestions
from scheduling.domain.weeks import Hours, RosterVersion, planned_weeks
from tests.scheduling.domain.cast import A, B, C, D, engineers
from tests.thorough import cases

MONDAY = dt.date(2026, 11, 30)
BEFORE = dt.datetime(2026, 11, 29, tzinfo=dt.UTC)
WEEK = dt.timedelta(weeks=1)
XMAS = dt.date(2026, 12, 25)


def make_weeks(count, people=(A, B, C, D)):
    roster = RosterVersion(MONDAY, tuple(people))
    return list(
        planned_weeks(Hours("UTC", 0, dt.time(10)), rosters=[roster], first=MONDAY, until=MONDAY + WEEK * count)
    )


def away(engineer, week, *, days=7, hours=0):
    begin = week.starts_at
    return Absence(engineer, begin, begin + dt.timedelta(days=days, hours=hours), "on holiday")


def suggest(week, weeks, absences=(), *, candidates=(A, B, C, D), inactive=(), own=None, limit=10, after=BEFORE):
    facts = RosterFacts(candidates=candidates, zones={}, public_holidays=own or {})
    availability = Availability(absences=list(absences), inactive=frozenset(inactive))
    return suggestions(week, weeks=weeks, availability=availability, facts=facts, after=after, limit=limit)


def shape(one):
    return one.kind, [(move.giver, move.taker) for move in one.moves]


def test_a_two_way_swap_without_conflicts_ranks_first():
    weeks = make_weeks(4)
    best = suggest(weeks[0], weeks)[0]
    assert best.kind == "two_way"
    assert best.moves[0].giver == A
    assert best.moves[1].taker == A
    assert best.why[0] == "No conflicts."
    assert "Shift totals unchanged." in best.why


def test_partly_away_takers_rank_below_free_takers():
    weeks = make_weeks(4)
    actual = suggest(weeks[0], weeks, [away(A, weeks[0]), away(B, weeks[0], days=2), away(C, weeks[0])])
    assert C not in {one.moves[0].taker for one in actual}
    partly = [one for one in actual if one.moves[0].taker == B]
    free = [one for one in actual if one.moves[0].taker == D]
    assert min(one.score for one in free) > max(one.score for one in partly)
    assert partly[0].why[0] == "Engineer B is away for 2 days of the week of 30 Nov 2026."


def test_a_three_way_swap_is_suggested_if_no_two_can_swap():
    # A is away in the first week and in B's; B is free in the first, C in the second; A can take C's.
    weeks = make_weeks(3, (A, B, C))
    actual = suggest(weeks[0], weeks, [away(A, weeks[0]), away(A, weeks[1]), away(C, weeks[0])], candidates=(A, B, C))
    assert shape(actual[0]) == ("three_way", [(A, B), (B, C), (C, A)])


def test_a_one_way_swap_says_how_the_balance_changes():
    weeks = make_weeks(4)
    [actual] = [one for one in suggest(weeks[0], weeks, candidates=(A, C), limit=50) if one.kind == "one_way"]
    assert "Engineer C takes one more shift (2 in the next 4 weeks), Engineer A one fewer." in actual.why


def test_consecutive_weeks_are_named_and_rank_below_wider_spacing():
    weeks = make_weeks(8)
    actual = [one for one in suggest(weeks[4], weeks, limit=50) if one.kind == "two_way"]
    close = [one for one in actual if any("two shifts in a row" in reason for reason in one.why)]
    wide = [one for one in actual if one not in close]
    assert close
    assert wide
    assert min(one.score for one in wide) > max(one.score for one in close)


def test_public_holidays_of_the_taker_are_named():
    weeks = make_weeks(8)
    christmas = next(week for week in weeks if week.starts_on == dt.date(2026, 12, 21))
    actual = suggest(christmas, weeks, own={B: frozenset({XMAS}), C: frozenset()}, candidates=(B, C), limit=50)
    reasons = [one.why for one in actual if one.moves[0].taker == B]
    assert reasons
    assert all("Engineer B would be on call on 1 public holiday (25 Dec)." in why for why in reasons)
    assert actual[0].moves[0].taker == C


def test_inactive_engineers_and_started_weeks_are_not_suggested():
    weeks = make_weeks(8)
    after = weeks[1].starts_at
    actual = suggest(weeks[4], weeks, inactive={B}, after=after, limit=50)
    assert B not in {move.taker for one in actual for move in one.moves}
    assert {move.week for one in actual for move in one.moves} <= {week.starts_on for week in weeks[2:]}


def test_a_swap_that_leaves_as_many_hours_away_is_not_suggested():
    weeks = make_weeks(2, (A, B))
    absences = [away(A, weeks[0], days=2), away(B, weeks[0], days=2)]
    assert suggest(weeks[0], weeks, absences, candidates=(A, B)) == []


def test_a_taker_with_fewer_weeks_ranks_first():
    # B and C would have the same gap between shifts, but C has one week less. A is inactive, so nobody gets a week from A.
    weeks = make_weeks(9, (A, D, D, C, B, D, D, B, D))
    options = suggest(weeks[0], weeks, candidates=(A, B, C), inactive={A})
    assert [shape(option) for option in options] == [("one_way", [(A, C)]), ("one_way", [(A, B)])]


# In the next three, B and C differ in one thing only; without it Engineer B, whose primary key is lower, would come first.


def test_a_taker_with_more_time_between_shifts_ranks_first():
    weeks = make_weeks(9, (A, B, D, D, C, D, D, D, D))
    options = suggest(weeks[0], weeks, candidates=(B, C), inactive={A})
    assert [shape(option) for option in options] == [("one_way", [(A, C)]), ("one_way", [(A, B)])]


def test_a_taker_without_a_public_holiday_in_the_week_ranks_first():
    weeks = make_weeks(9, (B, D, D, A, D, D, C, D, D))
    assert weeks[3].starts_on <= XMAS < weeks[4].starts_on
    options = suggest(weeks[3], weeks, candidates=(B, C), inactive={A}, own={B: frozenset({XMAS})})
    assert [shape(option) for option in options] == [("one_way", [(A, C)]), ("one_way", [(A, B)])]


def test_an_exchange_for_a_nearer_week_ranks_first():
    people = [D] * 40
    people[5], people[20], people[30] = B, A, C
    weeks = make_weeks(40, people)
    options = suggest(weeks[20], weeks, candidates=(B, C))
    assert [shape(option) for option in options if option.kind == "two_way"] == [
        ("two_way", [(A, C), (C, A)]),
        ("two_way", [(A, B), (B, A)]),
    ]


@settings(max_examples=cases(150), deadline=None)
@given(seed=st.integers(0, 2**32))
def test_every_suggestion_is_possible_and_the_best_come_first(seed):
    source = random.Random(seed)
    people = engineers(*range(1, source.randint(3, 8)))
    weeks = make_weeks(source.randint(2, 14), source.sample(people, len(people)))
    absences = [
        away(source.choice(people), source.choice(weeks), days=source.randint(1, 9))
        for _ in range(source.randint(0, 8))
    ]
    inactive = {person for person in people if source.random() < 0.1}
    week = source.choice(weeks)
    actual = suggest(week, weeks, absences, candidates=people, inactive=inactive, limit=100)
    holders = {one.starts_on: one.engineer for one in weeks}
    assert [one.score for one in actual] == sorted((one.score for one in actual), reverse=True)
    for one in actual:
        assert one.moves[0].week == week.starts_on
        assert all(holders[move.week] == move.giver != move.taker for move in one.moves)
        assert not inactive & {move.taker for move in one.moves}
        assert len({move.week for move in one.moves}) == len(one.moves)
        if one.kind != "one_way":
            assert sorted(move.giver for move in one.moves) == sorted(move.taker for move in one.moves)
            assert one.moves[-1].taker == week.engineer
        assert 0 <= one.score <= 100
        assert one.why
    firsts = [one.moves[0].taker for one in actual]
    assert all(firsts.count(taker) <= 3 for taker in firsts)


@settings(max_examples=cases(60), deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_two_way_swap_without_conflicts_is_always_found(seed):
    source = random.Random(seed)
    weeks = make_weeks(source.randint(2, 8))
    absences = [away(source.choice((A, B, C, D)), source.choice(weeks), days=1) for _ in range(source.randint(0, 10))]
    week = source.choice(weeks)

    def free(engineer, one):
        return not any(
            a.engineer == engineer and a.starts_at < one.ends_at and a.ends_at > one.starts_at for a in absences
        )

    possible = [
        one for one in weeks if one.engineer != week.engineer and free(one.engineer, week) and free(week.engineer, one)
    ]
    best = next(iter(suggest(week, weeks, absences)), None)
    assert bool(possible) == bool(best and best.kind == "two_way" and best.score >= 90)


def test_forty_engineers_and_a_year_give_ten_suggestions():
    people = engineers(*range(1, 41))
    weeks = make_weeks(52, people)
    source = random.Random(7)
    absences = [away(source.choice(people), source.choice(weeks), days=source.randint(1, 14)) for _ in range(60)]
    facts = RosterFacts(candidates=people, zones={}, public_holidays={})
    availability = Availability(absences=absences)
    assert len(suggestions(weeks[20], weeks=weeks, availability=availability, facts=facts, after=BEFORE)) == 10


@pytest.mark.parametrize("limit", [1, 3])
def test_no_more_suggestions_than_the_limit(limit):
    weeks = make_weeks(8)
    assert len(suggest(weeks[0], weeks, limit=limit)) == limit
