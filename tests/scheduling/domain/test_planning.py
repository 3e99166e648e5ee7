"""The optimizer finds the fewest moves that leave nobody on call while away."""

import datetime as dt
import itertools
import random
from collections import Counter

import pytest

from scheduling.domain import optimizer
from scheduling.domain.optimizer import Infeasible, Plan, plan
from scheduling.domain.responder_chain import Absence
from scheduling.domain.weeks import Hours, RosterVersion, planned_weeks
from tests.scheduling.domain.cast import A, B, C, D, engineers
from tests.thorough import THOROUGH, cases

MONDAY = dt.date(2026, 11, 30)
WEEK = dt.timedelta(weeks=1)


def make_weeks(count, people):
    roster = RosterVersion(MONDAY, tuple(people))
    return list(
        planned_weeks(Hours("UTC", 0, dt.time(10)), rosters=[roster], first=MONDAY, until=MONDAY + WEEK * count)
    )


def block(engineer, week, *, days=5, reason="on holiday"):
    begin = week.starts_at + dt.timedelta(days=1)
    return Absence(engineer, begin, begin + dt.timedelta(days=days), reason)


def engineers_after(weeks, moves):
    engineer_by_week = {week.starts_on: week.engineer for week in weeks}
    for move in moves:
        assert engineer_by_week[move.week] == move.giver != move.taker
        engineer_by_week[move.week] = move.taker
    return engineer_by_week


def conflicts(weeks, absences, engineer_by_week):
    return [
        (week.starts_on, absence)
        for week in weeks
        for absence in absences
        if absence.engineer == engineer_by_week[week.starts_on]
        and absence.starts_at < week.ends_at
        and absence.ends_at > week.starts_at
    ]


def fewest_moves_by_brute_force(weeks, absences, people):
    """Return the smallest number of moves of any plan by trying every one, or None if there is no plan."""
    current = Counter(week.engineer for week in weeks)
    spread = max(1, max(current[e] for e in people) - min(current[e] for e in people))
    best = None
    for choice in itertools.product(people, repeat=len(weeks)):
        counts = [choice.count(person) for person in people]
        engineer_by_week = dict(zip((week.starts_on for week in weeks), choice, strict=True))
        if max(counts) - min(counts) > spread or conflicts(weeks, absences, engineer_by_week):
            continue
        moved = sum(week.engineer != taker for week, taker in zip(weeks, choice, strict=True))
        best = moved if best is None else min(best, moved)
    return best


def test_without_the_solver_the_answer_says_what_to_install(monkeypatch):
    monkeypatch.setattr(optimizer, "find_spec", lambda _: None)
    result = plan(make_weeks(8, (A, B, C, D)), absences=[], engineers=[A, B, C, D])
    assert result == Infeasible(optimizer.NOT_INSTALLED, ())
    assert "requirements-planner.txt" in result.reason


def test_no_conflict_needs_no_moves():
    weeks = make_weeks(8, (A, B, C, D))
    absences = [block(A, weeks[1]), block(B, weeks[4])]
    assert plan(weeks, absences=absences, engineers=(A, B, C, D)) == Plan((), optimal=True)


def test_a_conflict_is_resolved_with_one_or_two_moves():
    weeks = make_weeks(4, (A, B, C, D))
    absences = [block(A, weeks[0])]
    result = plan(weeks, absences=absences, engineers=(A, B, C, D))
    assert result.optimal
    assert len(result.moves) in (1, 2)
    assert conflicts(weeks, absences, engineers_after(weeks, result.moves)) == []


def test_plans_are_as_small_as_brute_force_finds():
    source = random.Random(20261124)
    seen = Counter()
    for _ in range(cases(400)):
        people = engineers(*range(1, source.randint(3, 5)))
        weeks = make_weeks(source.randint(2, 5), people)
        absences = [
            block(source.choice(people), source.choice(weeks), days=source.randint(1, 12))
            for _ in range(source.randint(0, 7))
        ]
        result, fewest = (
            plan(weeks, absences=absences, engineers=people),
            fewest_moves_by_brute_force(weeks, absences, people),
        )
        seen[type(result), bool(fewest)] += 1
        if fewest is None:
            assert isinstance(result, Infeasible)
            rest = [absence for absence in absences if absence not in result.absences]
            assert result.absences
            assert fewest_moves_by_brute_force(weeks, rest, people) is not None
        else:
            assert (len(result.moves), result.optimal) == (fewest, True)
            assert conflicts(weeks, absences, engineers_after(weeks, result.moves)) == []
    assert seen[Infeasible, False] > 5
    assert seen[Plan, True] > 20


def test_a_large_rotation_gets_an_optimal_plan():
    for seed in range(3 if THOROUGH else 1):
        source = random.Random(seed)
        people = engineers(*range(1, 21))
        weeks = make_weeks(26, people)
        absences = [block(source.choice(people), source.choice(weeks), days=source.randint(1, 14)) for _ in range(60)]
        result = plan(weeks, absences=absences, engineers=people)
        assert isinstance(result, Plan)
        assert result.optimal
        engineer_by_week = engineers_after(weeks, result.moves)
        assert conflicts(weeks, absences, engineer_by_week) == []
        counts = Counter(engineer_by_week.values())
        assert max(counts.values()) - min(counts[person] for person in people) <= 1


def test_the_reason_names_the_absence_that_rules_out_a_plan():
    weeks = make_weeks(2, (A, B))
    absences = [block(A, weeks[0], reason="on holiday 1–5 Dec"), block(B, weeks[0], reason="sick 2 Dec")]
    result = plan(weeks, absences=absences, engineers=(A, B))
    assert isinstance(result, Infeasible)
    assert len(result.absences) == 1
    assert result.reason in (
        "No plan is possible while Engineer A is on holiday 1–5 Dec.",
        "No plan is possible while Engineer B is sick 2 Dec.",
    )


def test_the_weeks_of_a_removed_engineer_are_reassigned():
    weeks = make_weeks(4, (A, B, C, D))
    result = plan(weeks, absences=[], engineers=(A, B, C))
    assert [(move.giver, move.taker in (A, B, C)) for move in result.moves] == [(D, True)]


@pytest.mark.parametrize(("weeks", "people", "kind"), [([], (A,), Plan), (make_weeks(2, (A,)), (), Infeasible)])
def test_no_weeks_need_no_moves_and_no_engineers_allow_no_plan(weeks, people, kind):
    assert isinstance(plan(weeks, absences=[], engineers=people), kind)
