"""Check types on any series: bounds, gaps, history; confirmation, and schedules."""

import datetime as dt
import json
import math
from dataclasses import replace
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.each import each
from tests.thorough import cases
from validation.check_types import CHECK_TYPES
from validation.domain.buckets import bucket_end, newest_due_bucket, next_run, parse_bucket
from validation.domain.check_type import evaluate
from validation.domain.parameters import InvalidParametersError
from validation.domain.results import Confirmation, EvaluationContext, ResultStatus, Series, alert_starts, is_confirmed

DAY = dt.timedelta(days=1)
BUCKET = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
NUMBERS = st.floats(-1e12, 1e12)
STATUSES = st.lists(st.sampled_from([str(one) for one in ResultStatus]), max_size=40)


def series(values):
    """Return a daily series that ends with the evaluated bucket; None is a gap."""
    first = BUCKET - (len(values) - 1) * DAY
    points = [(first + index * DAY, value) for index, value in enumerate(values) if value is not None]
    return Series(tuple(bucket for bucket, _ in points), tuple(value for _, value in points))


def run(check_type, values, parameters=None, **context):
    """Return the evaluation of a check type on a series, with its example parameters by default."""
    check_type = CHECK_TYPES[check_type]
    parameters = check_type.read(check_type.example if parameters is None else parameters)
    at = BUCKET + DAY + dt.timedelta(hours=9)
    return evaluate(
        check_type,
        parameters=parameters,
        context=EvaluationContext(at=at, bucket=BUCKET, series=series(values), **context),
    )


@pytest.mark.parametrize("check_type", CHECK_TYPES)
@settings(max_examples=cases(30), deadline=None)
@given(values=st.lists(st.none() | NUMBERS, max_size=40), others=st.lists(st.none() | NUMBERS, max_size=10))
def test_every_type_has_an_outcome_for_any_series(check_type, values, others):
    outcome = run(
        check_type,
        values,
        other_series=series(others),
        segments={"": series(values), "eu": series(others)},
        rows=[["day", "text"]],
    ).outcome
    assert outcome.status in ResultStatus
    assert outcome.message


@given(NUMBERS)
def test_a_value_fails_outside_its_bounds_and_only_there(value):
    assert (run("range", [value]).outcome.status == ResultStatus.FAIL) is not (-5 <= value <= 5)


@each("check_type", ["range", "volume", "validity", "ratio", "change_over_time", "anomaly", "reconciliation"])
def test_a_missing_bucket_is_unknown(check_type):
    outcome = run(check_type, [1.0, None], other_series=series([1.0, 1.0])).outcome
    assert outcome.status == ResultStatus.UNKNOWN


def test_zero_is_a_value():
    assert run("range", [1.0, 0.0], {"fail_below": 1}).outcome.status == ResultStatus.FAIL


@given(NUMBERS)
def test_a_zero_denominator_is_unknown(value):
    assert run("ratio", [value], other_series=series([0.0])).outcome.status == ResultStatus.UNKNOWN


@given(st.sets(st.integers(0, 27)))
def test_completeness_counts_the_gaps_and_no_more(gaps):
    values = [None if index in gaps else 1.0 for index in range(28)]
    outcome = run("completeness", values, segments={"eu": Series()}).outcome
    assert outcome.value == len(gaps)
    assert (outcome.status == ResultStatus.PASS) is (not gaps)


@given(NUMBERS)
def test_a_known_event_is_named_for_failures(value):
    evaluation = run("range", [value], known_events={BUCKET.date(): "Sale"})
    assert evaluation.expected == ("Sale" if evaluation.outcome.status == ResultStatus.FAIL else "")


@given(NUMBERS)
def test_a_day_without_expected_data_is_skipped(value):
    outcome = run("range", [value], off_days=frozenset({BUCKET.date()})).outcome
    assert (outcome.status, outcome.message) == (ResultStatus.SKIP, "No data expected on 24 Nov 2026.")


@each(
    ("check_type", "values", "parameters", "context", "status", "message"),
    [
        ("range", [2100.2], {"fail_below": 1}, {}, "pass", "2,100.2 – within range."),
        ("range", [5], {"fail_below": 10}, {}, "fail", "5 is below the limit of 10."),
        ("range", [50], {"warn_above": 10}, {}, "warn", "50 is above the limit of 10."),
        ("range", [None], {"fail_below": 1}, {}, "unknown", "No value for this period."),
        ("validity", [0.25], {}, {}, "fail", "Share of invalid values 0.25 is above the limit of 0."),
        ("ratio", [1], {"fail_below": 1}, {"other_series": series([4])}, "fail", "Ratio 0.25 is below the limit of 1."),
        ("freshness", [1], {}, {}, "pass", "Newest data point is 9 h old."),
        (
            "freshness",
            [1],
            {"fail_after_minutes": 60},
            {},
            "fail",
            "Newest data point is 9 h old (limit 1 h).",
        ),
        ("completeness", [1, None], {"look_back": 2}, {}, "fail", "1 day missing: 24 Nov 2026."),
        ("completeness", [1, 1], {"look_back": 2}, {}, "pass", "No gaps in the last 2 days."),
        (
            "completeness",
            [1],
            {"look_back": 1, "segments": ["eu", "us"]},
            {"segments": {"": series([1])}},
            "fail",
            "2 values missing: 24 Nov 2026 (eu), 24 Nov 2026 (us).",
        ),
        ("volume", [5], {"fail_below_percent": 50}, {}, "skip", "0 of 4 weeks of history."),
        (
            "run_deadline",
            [],
            {"by": "09:00"},
            {"runs": [BUCKET + DAY + dt.timedelta(hours=5, minutes=19)]},
            "pass",
            "Run finished at 05:19 (due Wed 25 Nov, 09:00 UTC).",
        ),
        (
            "run_deadline",
            [],
            {"by": "05:00"},
            {"runs": [BUCKET + DAY + dt.timedelta(hours=5, minutes=19)]},
            "warn",
            "Run finished at 05:19, 19 min late (due Wed 25 Nov, 05:00 UTC).",
        ),
        ("run_deadline", [], {"by": "06:00"}, {}, "fail", "No finished run reported (due Wed 25 Nov, 06:00 UTC)."),
        (
            "schema",
            [],
            {"columns": ["day text", "n integer"]},
            {"rows": [["day", "date"], ["m", "text"]]},
            "fail",
            "n was removed; day changed from text to date; m was added.",
        ),
        (
            "change_over_time",
            [100, *[1] * 6, 150],
            {},
            {},
            "fail",
            "150 – 50.0 % above 17 Nov 2026 (100).",
        ),
        (
            "reconciliation",
            [96],
            {},
            {"other_series": series([100])},
            "fail",
            "96 – 4.0 % below the other metric (100).",
        ),
        (
            "reconciliation",
            [100],
            {"mode": "parts"},
            {"segments": {"": series([100]), "eu": series([60]), "us": series([None])}},
            "fail",
            "Sum of segments: 60 – 40.0 % below the total (100). Missing: us.",
        ),
        (
            "target",
            [996],
            {"targets": {"2026-11-24": 1000}, "starts_on": "2026-11-24"},
            {},
            "pass",
            "996 – 0.4 % below target for 24 Nov 2026 (1,000).",
        ),
        ("anomaly", [10] * 13, {}, {}, "skip", "12 of 28 days of history."),
        ("custom_sql", [], {}, {"rows": [[1, "x"]]}, "fail", "1 failing row."),
        ("custom_sql", [], {}, {}, "pass", "No failing rows."),
    ],
)
def test_messages_say_what_is_wrong(check_type, values, parameters, context, status, message):
    outcome = run(check_type, values, parameters, **context).outcome
    assert (outcome.status, outcome.message) == (status, message)


SYMMETRIC = [
    (500, 0, {}, "fail"),
    (0, 0, {}, "pass"),
    (5, -5, {}, "fail"),
    (100, 99.2, {}, "warn"),
    (100, 100.4, {}, "pass"),
    (100, 101.1, {}, "fail"),
    (100.01, 100, {"fail_difference": 0.01}, "pass"),
    (100.02, 100, {"fail_difference": 0.01}, "fail"),
    (100.02, 100, {"warn_difference": 0.01, "fail_difference": 1}, "warn"),
    (0.01, 0, {"fail_difference": 0.01}, "pass"),
    (1000, 1030, {"fail_difference": 50}, "pass"),
    (1000, 1030, {"fail_difference": 50, "fail_percent": 2}, "fail"),
]


@each(("first", "second", "parameters", "status"), SYMMETRIC)
def test_reconciliation_is_symmetric(first, second, parameters, status):
    for value, other in ((first, second), (second, first)):
        outcome = run("reconciliation", [value], parameters, other_series=series([other])).outcome
        assert outcome.status == status
        segments = {"": series([value]), "eu": series([other - 1]), "us": series([1])}
        outcome = run("reconciliation", [value], {"mode": "parts", **parameters}, segments=segments).outcome
        assert outcome.status == status


@given(NUMBERS, NUMBERS)
def test_reconciliation_passes_within_the_plotted_range(value, other):
    outcome = run("reconciliation", [value], other_series=series([other])).outcome
    if abs(value - other) > 1e-6:
        assert (
            outcome.low * (1 + 1e-9) - 1e-6 <= value <= outcome.high * (1 + 1e-9) + 1e-6
        ) or outcome.status != "pass"
        assert (outcome.low < value < outcome.high) is False or outcome.status == "pass"


def test_segments_that_add_up_without_a_missing_one_are_unknown():
    segments = {"": series([100]), "eu": series([100]), "us": series([None])}
    outcome = run("reconciliation", [100], {"mode": "parts"}, segments=segments).outcome
    assert (outcome.status, outcome.message) == (
        "unknown",
        "Sum of segments: 100 – matches the total (100). Missing: us.",
    )


@each(
    ("parameters", "status"),
    [
        ({}, "fail"),
        ({"fail_difference": 60}, "pass"),
        ({"fail_difference": 40}, "fail"),
        ({"warn_difference": 40}, "warn"),
        ({"fail_difference": 60, "warn_percent": 10}, "warn"),
        ({"ignore_below": 50}, "pass"),
    ],
)
def test_a_change_has_absolute_limits_and_percentages(parameters, status):
    values = [100, *[1] * 6, 150]
    assert run("change_over_time", values, {"against": "weekday", **parameters}).outcome.status == status


def test_a_change_from_zero_has_only_absolute_limits():
    assert run("change_over_time", [0, *[1] * 6, 150]).outcome.status == "unknown"
    assert run("change_over_time", [0, *[1] * 6, 150], {"fail_difference": 100}).outcome.status == "fail"


@each(
    ("parameters", "status"),
    [
        ({"warn_difference": 40}, "warn"),
        ({"fail_difference": 40}, "fail"),
        ({"fail_difference": 60}, "pass"),
        ({"warn_above_percent": 140}, "warn"),
        ({"fail_above_percent": 140}, "fail"),
        ({"fail_above": 140}, "fail"),
        ({"fail_difference": 60, "fail_above": 140}, "fail"),
    ],
)
def test_a_volume_is_compared_with_the_usual_number(parameters, status):
    values = [*([100] * 28), 150]
    assert run("volume", values, parameters).outcome.status == status


@each(
    ("rows", "parameters", "status", "message"),
    [
        ([["a"], ["b"]], {}, "pass", "0 of 2 values invalid."),
        ([["a"], [None]], {}, "fail", "1 of 2 values invalid: 1 null."),
        ([["a"], [None]], {"allow_null": True}, "pass", "0 of 2 values invalid."),
        ([["a"], [None]], {"fail_above": 0.5, "warn_above": 0.1}, "warn", "1 of 2 values invalid: 1 null."),
        ([["a"], ["a"]], {}, "pass", "0 of 2 values invalid."),
        ([["a"], ["a"], ["a"]], {"is_unique": True}, "fail", "2 of 3 values invalid: 2 duplicates."),
        (
            [["a", 6], ["x", 3], ["y", 1], [None, 2]],
            {"allowed_values": ["a"]},
            "fail",
            "6 of 12 values invalid: 2 nulls; 4 not allowed.",
        ),
        ([[1], [2]], {"allowed_values": ["1"]}, "fail", "1 of 2 values invalid: 1 not allowed."),
        ([["a", "many"]], {}, "error", "The second column of the query is not a number of rows."),
    ],
)
def test_validity_counts_the_invalid_values_of_a_query(rows, parameters, status, message):
    outcome = run("validity", [], parameters, rows=rows).outcome
    assert (outcome.status, outcome.message) == (status, message)


def test_values_of_a_query_are_details_for_admins():
    rows = [["a", 6], ["x", 3], ["y", 1], ["z", 4]]
    outcome = run("validity", [], {"allowed_values": ["a", "z"], "is_unique": True}, rows=rows).outcome
    assert outcome.details == "Not allowed: x, y; Duplicate: a, z"
    assert run("custom_sql", [], rows=[[1, "x"], [2, "y"]]).outcome.details == "1, x; 2, y"


def test_a_failed_run_is_reported_as_failed():
    failed_at = BUCKET + DAY + dt.timedelta(hours=5)
    for runs, message in (
        ([], "Run failed at 05:00 (due Wed 25 Nov, 06:00 UTC)."),
        ([failed_at + dt.timedelta(minutes=30)], "Run finished at 05:30 (due Wed 25 Nov, 06:00 UTC)."),
    ):
        outcome = run("run_deadline", [], {"by": "06:00"}, runs=runs, failed_runs=[failed_at]).outcome
        assert (outcome.status, outcome.message) == ("pass" if runs else "fail", message)


@pytest.mark.parametrize(
    ("check_type", "message"),
    [("freshness", "No data points yet."), ("completeness", "1 day missing: 24 Nov 2026.")],
)
def test_a_metric_without_any_point_fails(check_type, message):
    parameters = {"look_back": 1} if check_type == "completeness" else {}
    outcome = run(check_type, [], parameters).outcome
    assert (outcome.status, outcome.message) == ("fail", message)


@pytest.mark.parametrize("status", ["unknown", "fail", "warn"])
def test_an_acknowledged_segment_does_not_hide_its_siblings(status):
    values = {"unknown": None, "fail": 50, "warn": 8}
    acknowledged = replace(series([50]), acknowledged=frozenset({BUCKET}))
    segments = {"": series([1]), "eu": acknowledged, "us": series([values[status]]), "asia": series([1])}
    parameters = {"by_segment": True, "warn_above": 5, "fail_above": 10}
    evaluation = run("range", [1], parameters, segments=segments)
    assert (evaluation.outcome.status, evaluation.expected) == (status, "")
    assert {name: outcome.status for name, outcome in evaluation.segments.items()} == {
        "asia": "pass",
        "eu": "fail",
        "us": status,
    }


@given(STATUSES, st.integers(1, 5), st.integers(0, 5))
def test_n_of_the_last_m_counted_results_confirm_a_failure(statuses, failing, more):
    confirmation = Confirmation(failing, failing + more)
    counted = [status for status in statuses if status in ("pass", "warn", "fail")][: failing + more]
    assert is_confirmed(statuses, confirmation=confirmation) is (
        counted[:1] == ["fail"] and counted.count("fail") >= failing
    )


@given(STATUSES)
def test_alerts_start_at_failures_with_a_pass_between_them(statuses):
    starts = alert_starts(statuses, confirmation=Confirmation())
    assert all(statuses[index] == "fail" for index in starts)
    assert all("pass" in statuses[first:second] for first, second in pairwise(starts))


@given(
    st.datetimes(dt.datetime(2000, 1, 1), dt.datetime(2090, 1, 1)),
    st.sampled_from(["UTC", "Asia/Tokyo", "America/New_York"]),
)
def test_the_evaluated_bucket_has_ended(naive, name):
    at, zone = naive.replace(tzinfo=dt.UTC), ZoneInfo(name)
    for step in (DAY, dt.timedelta(hours=1)):
        bucket = newest_due_bucket(at, step=step, zone=zone, delay=dt.timedelta(hours=3))
        end = bucket_end(bucket, step=step, zone=zone)
        assert end <= at - dt.timedelta(hours=3) < end + step + dt.timedelta(hours=1)
        assert (
            parse_bucket(bucket.isoformat() if step < DAY else bucket.date().isoformat(), step=step, zone=zone)
            == bucket
        )


@given(st.integers(1, 10_000), st.integers(0, 500_000))
def test_an_interval_counts_from_the_run_that_was_due(minutes, late):
    due, interval = BUCKET, dt.timedelta(minutes=minutes)
    after = due + dt.timedelta(minutes=late)
    following = next_run(after, interval=interval, cron="", zone=ZoneInfo("UTC"), was_due=due)
    assert after < following <= after + interval


@settings(deadline=None)
@given(st.sampled_from(list(CHECK_TYPES)), st.dictionaries(st.text(max_size=12) | st.sampled_from(["fail_below", "by", "targets", "columns"]),
       st.recursive(st.none() | st.booleans() | st.floats() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5)))  # fmt: skip
def test_any_parameters_are_read_or_refused_by_name(check_type, values):
    try:
        parameters = CHECK_TYPES[check_type].read(values)
    except InvalidParametersError as error:
        assert error.problems
    else:
        stored = CHECK_TYPES[check_type].dump(parameters)
        assert CHECK_TYPES[check_type].load(json.loads(json.dumps(stored))) == parameters


@pytest.mark.parametrize("name", ["UTC", "Asia/Tokyo", "America/New_York", "Pacific/Kiritimati"])
def test_a_day_is_due_after_its_end_and_its_delay(name):
    zone, delay = ZoneInfo(name), dt.timedelta(hours=6)
    midnight = dt.datetime(2026, 11, 25, tzinfo=zone)
    for hours, day in ((0, 23), (5.99, 23), (6, 24), (23.99, 24), (29.99, 24), (30, 25)):
        at = (midnight + dt.timedelta(hours=hours)).astimezone(dt.UTC)
        assert newest_due_bucket(at, step=DAY, zone=zone, delay=delay).date() == dt.date(2026, 11, day)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("kind", ["count", "ratio"])
@pytest.mark.parametrize("check_type", CHECK_TYPES)
def test_numbers_near_the_limits_of_a_float_give_finite_bounds_or_an_error(check_type, kind):
    """Stored results must fit into JSON and pages; the worker reports ArithmeticError as an error of the check."""
    for numbers in ([1e308, -1e308], [1e308, 0.0, 1e-300], [-1e308, -1e308, 5e-324]):
        values = (numbers * 50)[:100]
        try:
            outcome = run(check_type, values, kind=kind, other_series=series(values[::-1])).outcome
        except ArithmeticError:
            continue
        stored = (outcome.value, outcome.low, outcome.high)
        assert all(number is None or math.isfinite(number) for number in stored)
