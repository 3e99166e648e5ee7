"""The verdict on a day: every combination of statuses, freshness, incidents and upstream pipelines, against an oracle."""

import datetime as dt
from itertools import combinations_with_replacement, product

from readiness.domain.verdict import CheckState, DayCheck, DayFacts, Verdict, decide

AT = dt.datetime(2026, 11, 25, 9, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
DAY = dt.date(2026, 11, 24)


def facts(states=("passed",), *, settles_in=-1, changes=(), **fields):
    return DayFacts(
        day=DAY,
        settles_at=AT + settles_in * HOUR,
        checks=[DayCheck(f"Check {number}", CheckState(state)) for number, state in enumerate(states)],
        changes_at=[AT + hours * HOUR for hours in changes],
        **fields,
    )


def oracle(states, settled, stale, parent, incident):
    """The rules of docs/rules.md, read from top to bottom."""
    if "failed" in states:
        return "wrong"
    if not settled or stale:
        return "not_yet"
    if {"waiting", "broken", "no_value"} & set(states):
        return "not_yet"
    if not {"passed", "warned"} & set(states):
        return "not_yet"
    if "warned" in states or parent or incident:
        return "doubtful"
    return "safe"


def test_truth_table():
    words = [str(state) for state in CheckState]
    groups = [group for length in range(4) for group in combinations_with_replacement(words, length)]
    seen = set()
    for states, settled, stale, parent, incident in product(groups, *[(True, False)] * 4):
        actual = decide(
            facts(
                states,
                settles_in=-1 if settled else 1,
                is_stale=stale,
                unready_parents=["Orders"] if parent else [],
                open_incidents=["It is late"] if incident else [],
            ),
            at=AT,
        )
        assert actual.verdict == oracle(states, settled, stale, parent, incident), (
            states,
            settled,
            stale,
            parent,
            incident,
        )
        assert bool(actual.reasons) == (actual.verdict != "safe")
        seen.add(actual.verdict)
    assert seen == set(Verdict)


def test_reasons_are_sentences_with_the_verdicts_own_first():
    actual = decide(
        facts(["passed", "warned", "failed", "waiting"], unready_parents=["Orders"], open_incidents=["It is late"]),
        at=AT,
    )
    assert actual.why == [
        "Check “Check 2” failed.",
        "Check “Check 3” has not run for 24 Nov 2026 yet.",
        "Check “Check 1” has a warning.",
        "Upstream pipeline Orders has problems.",
        "Open incident: It is late",
    ]


def test_a_safe_day_says_how_many_checks_passed():
    assert decide(facts(["passed", "passed", "skipped"]), at=AT).why == ["2 checks passed for 24 Nov 2026."]


def test_a_day_without_checks_is_not_safe():
    assert decide(facts([]), at=AT).why == ["No check has passed for 24 Nov 2026."]


def test_a_day_that_is_not_final_says_when_it_will_be():
    actual = decide(facts(["waiting"], settles_in=2), at=AT)
    assert (actual.why, actual.until) == (
        ["The data for 24 Nov 2026 is not final until Wed 25 Nov, 11:00 UTC."],
        AT + 2 * HOUR,
    )


def test_until_is_the_first_change_after_now():
    assert decide(facts(changes=[5, 3]), at=AT).until == AT + 3 * HOUR
    assert decide(facts(changes=[-1, 0, 4]), at=AT).until == AT + 4 * HOUR
    assert decide(facts(), at=AT).until is None
