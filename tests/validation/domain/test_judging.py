"""What checks say of any series: bounds, gaps, history, confirmation, timetables."""

import datetime as dt
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validation.domain.buckets import bucket_of, newest_settled, next_turn
from validation.domain.confirmation import Confirmation, alerts_in, confirmed
from validation.domain.evaluation import evaluate
from validation.domain.parameters import TYPES, ParameterErrors, read_parameters
from validation.domain.results import EvaluationContext, ResultStatus, Series

DAY = dt.timedelta(days=1)
BUCKET = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
NUMBERS = st.floats(-1e12, 1e12)
GIVEN = {
    "range": {"fail_below": -5, "fail_above": 5},
    "ratio": {"fail_below": 0, "fail_above": 1},
    "volume": {"fail_below_percent": 50},
    "schema": {"columns": ["day text"]},
    "target": {"targets": {"2026-12-31": 100}, "starts_on": "2026-10-01"},
    "custom_sql": {"expect": "number", "fail_above": 3},
}
OUTCOMES = st.lists(st.sampled_from([str(one) for one in ResultStatus]), max_size=40)


def series(values):
    """Return a daily series that ends with the bucket judged; None is a gap."""
    first = BUCKET - (len(values) - 1) * DAY
    there = [(first + place * DAY, value) for place, value in enumerate(values) if value is not None]
    return Series(tuple(bucket for bucket, _ in there), tuple(value for _, value in there))


def facts(values, **more):
    return EvaluationContext(at=BUCKET + DAY + dt.timedelta(hours=9), bucket=BUCKET, series=series(values), **more)


@pytest.mark.parametrize("check_type", TYPES)
@settings(max_examples=30, deadline=None)
@given(values=st.lists(st.none() | NUMBERS, max_size=40), others=st.lists(st.none() | NUMBERS, max_size=10))
def test_every_type_says_something_of_any_series(check_type, values, others):
    parameters = read_parameters(check_type, GIVEN.get(check_type, {}))
    said = evaluate(
        check_type,
        parameters=parameters,
        facts=facts(
            values, other=series(others), parts={"": series(values), "eu": series(others)}, rows=[["day", "text"]]
        ),
    )
    assert said.verdict.outcome in ResultStatus
    assert said.verdict.message


@given(NUMBERS)
def test_a_value_fails_outside_its_bounds_and_only_there(value):
    said = evaluate("range", parameters=read_parameters("range", GIVEN["range"]), facts=facts([value])).verdict
    assert (said.outcome == ResultStatus.FAIL) is not (-5 <= value <= 5)


@pytest.mark.parametrize(
    "check_type", ["range", "volume", "validity", "ratio", "change_over_time", "anomaly", "reconciliation"]
)
def test_a_missing_bucket_is_unknown_and_zero_is_a_value(check_type):
    parameters = read_parameters(check_type, GIVEN.get(check_type, {}))
    gap = evaluate(check_type, parameters=parameters, facts=facts([1.0, None], other=series([1.0, 1.0])))
    assert gap.verdict.outcome == ResultStatus.UNKNOWN
    zero = evaluate("range", parameters=read_parameters("range", {"fail_below": 1}), facts=facts([1.0, 0.0]))
    assert zero.verdict.outcome == ResultStatus.FAIL


@given(NUMBERS)
def test_a_zero_denominator_is_unknown(value):
    said = evaluate(
        "ratio", parameters=read_parameters("ratio", GIVEN["ratio"]), facts=facts([value], other=series([0.0]))
    )
    assert said.verdict.outcome == ResultStatus.UNKNOWN


@given(st.sets(st.integers(0, 27)))
def test_completeness_lists_the_gaps_and_no_more(gaps):
    values = [None if place in gaps else 1.0 for place in range(28)]
    said = evaluate(
        "completeness", parameters=read_parameters("completeness", {}), facts=facts(values, parts={"eu": Series()})
    )
    assert said.verdict.value == len(gaps)
    assert (said.verdict.outcome == ResultStatus.PASS) is (not gaps)


@given(NUMBERS)
def test_a_known_event_is_named_and_a_day_not_expected_is_skipped(value):
    parameters = read_parameters("range", GIVEN["range"])
    known = evaluate("range", parameters=parameters, facts=facts([value], known={BUCKET.date(): "Sale"}))
    assert known.expected == ("Sale" if known.verdict.outcome == ResultStatus.FAIL else "")
    off = evaluate("range", parameters=parameters, facts=facts([value], unexpected=frozenset({BUCKET.date()})))
    assert off.verdict.outcome == ResultStatus.SKIP


@given(OUTCOMES, st.integers(1, 5), st.integers(0, 5))
def test_failing_is_confirmed_by_n_of_the_last_m_that_count(outcomes, failing, more):
    confirmation = Confirmation(failing, failing + more)
    counted = [one for one in outcomes if one in ("pass", "warn", "fail")][: failing + more]
    assert confirmed(outcomes, confirmation=confirmation) is (
        counted[:1] == ["fail"] and counted.count("fail") >= failing
    )


@given(OUTCOMES)
def test_alerts_begin_at_failures_with_a_pass_between_them(outcomes):
    begun = alerts_in(outcomes, confirmation=Confirmation())
    assert all(outcomes[place] == "fail" for place in begun)
    assert all("pass" in outcomes[one:other] for one, other in pairwise(begun))


@given(
    st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2090, 1, 1)),
    st.sampled_from(["UTC", "Asia/Tokyo", "America/New_York"]),
)
def test_the_bucket_judged_is_over(naive, name):
    at, zone = naive.replace(tzinfo=dt.UTC), ZoneInfo(name)
    for step in (DAY, dt.timedelta(hours=1)):
        bucket = newest_settled(at, step=step, zone=zone, settle=dt.timedelta(hours=3))
        ends = EvaluationContext(at=at, bucket=bucket, zone=zone, step=step).ends_at(bucket)
        assert ends <= at - dt.timedelta(hours=3) < ends + step + dt.timedelta(hours=1)
        assert (
            bucket_of(bucket.isoformat() if step < DAY else bucket.date().isoformat(), step=step, zone=zone) == bucket
        )


@given(st.integers(1, 10_000), st.integers(0, 500_000))
def test_an_interval_counts_on_from_the_turn_that_was_due(minutes, late):
    due, interval = BUCKET, dt.timedelta(minutes=minutes)
    after = due + dt.timedelta(minutes=late)
    following = next_turn(after, interval=interval, cron="", zone=ZoneInfo("UTC"), was_due=due)
    assert after < following <= after + interval


@settings(deadline=None)
@given(st.sampled_from(list(TYPES)), st.dictionaries(st.text(max_size=12) | st.sampled_from(["fail_below", "by", "targets", "columns"]),
       st.recursive(st.none() | st.booleans() | st.floats() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)))  # fmt: skip
def test_any_parameters_are_read_or_refused_by_name(check_type, given_parameters):
    try:
        read_parameters(check_type, given_parameters)
    except ParameterErrors as wrong:
        assert wrong.problems
