"""Suggestions: who could take a week, ranked, each with why."""

import datetime as dt
import random
import statistics
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduling.domain.responder_chain import Absence, Availability
from scheduling.domain.suggestions import RosterFacts, suggestions
from scheduling.domain.weeks import Hours, RosterVersion, planned_weeks

MONDAY = dt.date(2026, 11, 30)
BEFORE = dt.datetime(2026, 11, 29, tzinfo=dt.UTC)
WEEK = dt.timedelta(weeks=1)
NAMES = {key: f"Engineer {letter}" for key, letter in enumerate("ABCDEFGH", start=1)}
A, B, C, D = 1, 2, 3, 4
XMAS = dt.date(2026, 12, 25)


def weeks_of(count, engineers=(A, B, C, D)):
    roster = RosterVersion(MONDAY, tuple(engineers))
    return list(
        planned_weeks(Hours("UTC", 0, dt.time(10)), rosters=[roster], first=MONDAY, until=MONDAY + WEEK * count)
    )


def away(engineer, week, *, days=7, hours=0):
    begin = week.starts_at
    return Absence(engineer, begin, begin + dt.timedelta(days=days, hours=hours), "on holiday")


def ask(week, weeks, absences=(), *, candidates=(A, B, C, D), inactive=(), own=None, limit=10, after=BEFORE):
    facts = RosterFacts(candidates=candidates, names=NAMES, zones={}, public_holidays=own or {})
    people = Availability(absences=list(absences), inactive=frozenset(inactive))
    return suggestions(week, weeks=weeks, people=people, facts=facts, after=after, limit=limit)


def shape(one):
    return one.kind, [(move.giver, move.taker) for move in one.moves]


def test_a_swap_of_two_comes_first_and_says_that_everybody_is_free():
    weeks = weeks_of(4)
    best = ask(weeks[0], weeks)[0]
    assert best.kind == "two_way"
    assert best.moves[0].giver == A
    assert best.moves[1].taker == A
    assert best.why[0] == "Everybody is free in the week they take."
    assert "Nobody’s number of weeks changes." in best.why


def test_only_who_is_away_for_a_part_comes_after_everybody_free():
    weeks = weeks_of(4)
    found = ask(weeks[0], weeks, [away(A, weeks[0]), away(B, weeks[0], days=2), away(C, weeks[0])])
    assert C not in {one.moves[0].taker for one in found}
    partly = [one for one in found if one.moves[0].taker == B]
    free = [one for one in found if one.moves[0].taker == D]
    assert min(one.score for one in free) > max(one.score for one in partly)
    assert partly[0].why[0] == "Engineer B is away 2 days of the week of 30 Nov 2026."


def test_round_three_where_no_two_can_swap():
    # A is away in the first week and in B's; B is free in the first, C in the second; A can take C's.
    weeks = weeks_of(3, (A, B, C))
    found = ask(weeks[0], weeks, [away(A, weeks[0]), away(A, weeks[1]), away(C, weeks[0])], candidates=(A, B, C))
    assert shape(found[0]) == ("three_way", [(A, B), (B, C), (C, A)])


def test_a_plain_take_over_says_what_it_does_to_the_balance():
    weeks = weeks_of(4)
    [found] = [one for one in ask(weeks[0], weeks, candidates=(A, C), limit=50) if one.kind == "one_way"]
    assert "Engineer C takes one week more (2 of the coming 4), Engineer A one less." in found.why


def test_weeks_in_a_row_are_said_and_rank_below_wider_spacing():
    weeks = weeks_of(8)
    found = [one for one in ask(weeks[4], weeks, limit=50) if one.kind == "two_way"]
    close = [one for one in found if any("two weeks in a row" in reason for reason in one.why)]
    wide = [one for one in found if one not in close]
    assert close
    assert wide
    assert min(one.score for one in wide) > max(one.score for one in close)


def test_a_public_holiday_of_the_taker_is_said():
    weeks = weeks_of(8)
    christmas = next(week for week in weeks if week.starts_on == dt.date(2026, 12, 21))
    found = ask(christmas, weeks, own={B: frozenset({XMAS}), C: frozenset()}, candidates=(B, C), limit=50)
    reasons = [one.why for one in found if one.moves[0].taker == B]
    assert reasons
    assert all("Engineer B is then on call on 1 public holiday (25 Dec)." in why for why in reasons)
    assert found[0].moves[0].taker == C


def test_nobody_who_left_and_no_week_that_has_begun_is_suggested():
    weeks = weeks_of(8)
    after = weeks[1].starts_at
    found = ask(weeks[4], weeks, inactive={B}, after=after, limit=50)
    assert B not in {move.taker for one in found for move in one.moves}
    assert {move.week for one in found for move in one.moves} <= {week.starts_on for week in weeks[2:]}


def test_what_leaves_as_much_to_somebody_away_as_before_is_not_suggested():
    weeks = weeks_of(2, (A, B))
    absences = [away(A, weeks[0], days=2), away(B, weeks[0], days=2)]
    assert ask(weeks[0], weeks, absences, candidates=(A, B)) == []


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_every_suggestion_can_be_made_and_the_best_come_first(seed):
    source = random.Random(seed)
    engineers = list(range(1, source.randint(3, 8)))
    weeks = weeks_of(source.randint(2, 14), source.sample(engineers, len(engineers)))
    absences = [
        away(source.choice(engineers), source.choice(weeks), days=source.randint(1, 9))
        for _ in range(source.randint(0, 8))
    ]
    inactive = {engineer for engineer in engineers if source.random() < 0.1}
    week = source.choice(weeks)
    found = ask(week, weeks, absences, candidates=engineers, inactive=inactive, limit=100)
    holders = {one.starts_on: one.engineer for one in weeks}
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    for one in found:
        assert one.moves[0].week == week.starts_on
        assert all(holders[move.week] == move.giver != move.taker for move in one.moves)
        assert not inactive & {move.taker for move in one.moves}
        assert len({move.week for move in one.moves}) == len(one.moves)
        if one.kind != "one_way":
            assert sorted(move.giver for move in one.moves) == sorted(move.taker for move in one.moves)
            assert one.moves[-1].taker == week.engineer
        assert 0 <= one.score <= 100
        assert one.why
    firsts = [one.moves[0].taker for one in found]
    assert all(firsts.count(taker) <= 3 for taker in firsts)


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_free_swap_of_two_is_found_wherever_there_is_one(seed):
    source = random.Random(seed)
    weeks = weeks_of(source.randint(2, 8))
    absences = [away(source.choice((A, B, C, D)), source.choice(weeks), days=1) for _ in range(source.randint(0, 10))]
    week = source.choice(weeks)

    def free(engineer, one):
        return not any(
            a.engineer == engineer and a.starts_at < one.ends_at and a.ends_at > one.starts_at for a in absences
        )

    possible = [
        one for one in weeks if one.engineer != week.engineer and free(one.engineer, week) and free(week.engineer, one)
    ]
    best = next(iter(ask(week, weeks, absences)), None)
    assert bool(possible) == bool(best and best.kind == "two_way" and best.score >= 90)


def test_forty_engineers_and_a_year_take_less_than_200_ms():
    engineers = list(range(1, 41))
    names = {key: f"Person {key}" for key in engineers}
    weeks = weeks_of(52, engineers)
    source = random.Random(7)
    absences = [away(source.choice(engineers), source.choice(weeks), days=source.randint(1, 14)) for _ in range(60)]
    facts = RosterFacts(candidates=engineers, names=names, zones={}, public_holidays={})
    people = Availability(absences=absences)
    times = []
    for _ in range(5):
        began = time.perf_counter()
        found = suggestions(weeks[20], weeks=weeks, people=people, facts=facts, after=BEFORE)
        times.append(time.perf_counter() - began)
    assert len(found) == 10
    assert statistics.median(times) < 0.2


@pytest.mark.parametrize("limit", [1, 3])
def test_no_more_than_asked_for(limit):
    weeks = weeks_of(8)
    assert len(ask(weeks[0], weeks, limit=limit)) == limit
