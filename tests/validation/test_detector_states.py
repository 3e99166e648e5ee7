"""The anomaly check continues from stored state with the same results as a replay of the whole history."""

import datetime as dt
import random

import numpy as np
import pytest

from tests.thorough import THOROUGH
from tests.validation.fixtures import AT, DAY, bucket, make_check, make_metric, push, run
from validation.check_types import CHECK_TYPES
from validation.domain.check_type import evaluate
from validation.models import CheckResult, DetectorState, KnownEvent, MetricPoint
from validation.queries.evaluation_context import build_context
from validation.services.checks import update_check
from validation.services.points import NewPoint, push_points

WEEK = (1000, 1040, 1060, 1030, 990, 700, 650)


def values(days, *, seed=1, noise=0.03):
    rng = np.random.default_rng(seed)
    return [float(round(WEEK[n % 7] * (1 + noise * rng.standard_normal()))) for n in range(days)]


def replayed(check, *, at, bucket=None):
    """The evaluation of the check without stored state."""
    parameters = check.type.load(check.parameters)
    context = build_context(check, parameters=parameters, at=at, bucket=bucket)
    return evaluate(check.type, parameters=parameters, context=context)


def assert_as_replayed(check, *, at):
    result = run(check, at=at)
    outcome = replayed(check, at=at).outcome
    assert (result.status, result.value, result.low, result.high, result.message) == (
        str(outcome.status), outcome.value, outcome.low, outcome.high, outcome.message,
    )  # fmt: skip
    return result


@pytest.fixture
def metric(daily_growth):
    return make_metric(daily_growth)


@pytest.fixture
def anomaly(metric, a):
    return make_check(metric.pipeline, a, "anomaly", metric=metric)


def test_a_run_stores_its_state_and_the_next_reads_only_newer_points(anomaly, metric):
    push(metric, values(90))
    assert_as_replayed(anomaly, at=AT)
    newest = DetectorState.objects.first()
    assert (newest.segment, newest.hour, newest.through) == ("", 0, bucket(2))
    assert list(DetectorState.objects.values_list("is_weekly", flat=True)) == [False, True, True]
    push(metric, [900.0], at=AT + DAY)
    states = [one for one in [newest.through] if one]
    context = build_context(anomaly, parameters=anomaly.type.load(anomaly.parameters), at=AT + DAY, states=[])
    assert list(context.series.buckets) == [bucket(1), bucket(0)]
    assert context.series.state.through == states[0]
    assert_as_replayed(anomaly, at=AT + DAY)


def test_the_same_day_again_writes_no_state(anomaly, metric):
    push(metric, values(90))
    run(anomaly)
    before = list(DetectorState.objects.values_list("pk", "through"))
    assert_as_replayed(anomaly, at=AT + dt.timedelta(hours=1))
    assert list(DetectorState.objects.values_list("pk", "through")) == before


def test_a_changed_point_rewinds_to_a_weekly_state(anomaly, metric):
    push(metric, values(90))
    run(anomaly)
    push(metric, [1.0], newest=3)
    later = AT + dt.timedelta(hours=1)
    context = build_context(anomaly, parameters=anomaly.type.load(anomaly.parameters), at=later, states=[])
    assert context.series.state.is_weekly
    assert context.series.state.through < bucket(3)
    assert_as_replayed(anomaly, at=later)


@pytest.mark.parametrize("days_ago", [40, 90, 120])
def test_a_point_that_is_older_than_the_states_replays_the_history(anomaly, metric, days_ago):
    push(metric, values(90))
    run(anomaly)
    push(metric, [5000.0], newest=days_ago)
    later = AT + dt.timedelta(hours=1)
    context = build_context(anomaly, parameters=anomaly.type.load(anomaly.parameters), at=later, states=[])
    assert context.series.state is None
    assert_as_replayed(anomaly, at=later)


def test_history_older_than_four_years_counts(anomaly, metric):
    push(metric, values(1700))
    run(anomaly)
    state = DetectorState.objects.first()
    assert state.since == bucket(1700)


@pytest.mark.parametrize(
    "fields", [{"parameters": {"alert_budget": 12}}, {"country": "DE"}, {"weekdays": [0, 1, 2, 3, 4]}]
)
def test_other_settings_replay_the_history(anomaly, metric, a, fields):
    push(metric, values(90))
    run(anomaly)
    update_check(anomaly, fields=fields, by=a, at=AT)
    anomaly.refresh_from_db()
    later = AT + dt.timedelta(hours=1)
    context = build_context(anomaly, parameters=anomaly.type.load(anomaly.parameters), at=later, states=[])
    assert context.series.state is None
    assert_as_replayed(anomaly, at=later)


def test_other_code_replays_the_history(anomaly, metric, monkeypatch):
    push(metric, values(90))
    run(anomaly)
    monkeypatch.setattr("validation.anomaly.state.code_version", lambda: "other")
    context = build_context(anomaly, parameters=anomaly.type.load(anomaly.parameters), at=AT, states=[])
    assert context.series.state is None


def test_late_days_are_evaluated_again_from_state(anomaly, metric):
    push(metric, values(90))
    for ahead in range(4):
        push(metric, [1000.0], at=AT + ahead * DAY)
        run(anomaly, at=AT + ahead * DAY)
    later = AT + 4 * DAY
    push(metric, [400.0, 900.0], at=later, newest=3)
    result = assert_as_replayed(anomaly, at=later)
    again = CheckResult.objects.filter(trigger="backfill").order_by("bucket")
    assert [one.bucket for one in again] == [bucket(0), bucket(-1)]
    for one in again:
        outcome = replayed(anomaly, at=later, bucket=one.bucket).outcome
        assert (one.status, one.message) == (str(outcome.status), outcome.message)
    assert result.bucket == bucket(-3) or result.status == "unknown"


def test_segments_and_hours_have_states_of_their_own(metric, a):
    check = make_check(metric.pipeline, a, "anomaly", metric=metric, parameters={"by_segment": True})
    for seed, segment in enumerate(("de", "fr")):
        push(metric, values(60, seed=seed), segment=segment)
    run(check)
    assert set(DetectorState.objects.values_list("segment", flat=True)) == {"de", "fr"}
    push(metric, values(1), segment="de", at=AT + DAY)
    push(metric, values(61, seed=3), segment="it", at=AT + DAY)
    assert_as_replayed(check, at=AT + DAY)

    hourly = make_metric(metric.pipeline, "hourly", grain="hour")
    check = make_check(metric.pipeline, a, "anomaly", metric=hourly)
    first = AT - 40 * DAY
    points = [NewPoint(first + n * dt.timedelta(hours=1), float(1000 + n % 24 * 10 + n % 7)) for n in range(40 * 24)]
    push_points(hourly, points=points, at=AT)
    assert_as_replayed(check, at=AT)
    assert set(DetectorState.objects.filter(parent_check=check).values_list("hour", flat=True)) == {8}
    push_points(hourly, points=[NewPoint(AT, 1000.0)], at=AT + dt.timedelta(hours=1))
    assert_as_replayed(check, at=AT + dt.timedelta(hours=1))
    assert set(DetectorState.objects.filter(parent_check=check).values_list("hour", flat=True)) == {8, 9}


def test_a_companion_value_that_arrives_late_replays(metric, a):
    weather = make_metric(metric.pipeline, "weather")
    check = make_check(metric.pipeline, a, "anomaly", metric=metric, other_metric=weather)
    push(metric, values(90))
    push(weather, [20.0 + n % 5 for n in range(90)])
    assert_as_replayed(check, at=AT)
    push(weather, [35.0], newest=2)
    later = AT + dt.timedelta(hours=1)
    context = build_context(check, parameters=check.type.load(check.parameters), at=later, states=[])
    assert context.series.state.is_weekly
    assert_as_replayed(check, at=later)


# Checks of odd seeds have a companion metric.
@pytest.mark.parametrize("seed", range(6 if THOROUGH else 2))
def test_random_changes_give_the_same_results_as_a_replay(metric, a, seed):
    """Pushes, gaps, late and changed points, known events, acknowledged results and settings, in random order."""
    rng = random.Random(seed)
    weather = make_metric(metric.pipeline, "weather")
    check = make_check(metric.pipeline, a, "anomaly", metric=metric, other_metric=weather if seed % 2 else None)
    push(metric, values(75, seed=seed))
    push(weather, [20.0 + rng.random() for _ in range(75)])
    at = AT
    for _ in range(14):
        change = rng.randrange(8)
        if change <= 2:
            for _ in range(rng.choice((1, 1, 2, 9))):
                at += DAY
                if rng.random() < 0.9:
                    push(metric, [float(rng.choice((0, 500, 990, 1010, 3000)))], at=at)
                if rng.random() < 0.8:
                    push(weather, [20.0 + rng.random()], at=at)
        elif change == 3:
            push(metric, [float(rng.randrange(2000))], at=at, newest=rng.choice((1, 2, 5, 12, 30, 80, 140)))
        elif change == 4:
            push(weather, [float(rng.randrange(40))], at=at, newest=rng.choice((1, 2, 5, 30)))
        elif change == 5:
            MetricPoint.objects.filter(metric=metric, bucket=bucket(rng.choice((2, 9, 50)), at)).update(
                is_expected=True
            )
        elif change == 6:
            day = (at - rng.choice((1, 3, 40)) * DAY).date()
            KnownEvent.objects.create(pipeline=metric.pipeline, starts_on=day, ends_on=day, name="Sale")
        else:
            fields = rng.choice(
                ({"parameters": {"alert_budget": rng.choice((2, 9))}}, {"country": "DE"}, {"weekdays": [0, 1, 2, 3, 4]})
            )
            update_check(check, fields=fields, by=a, at=at)
            check.refresh_from_db()
        result = run(check, at=at)
        replay = replayed(check, at=at)
        assert (result.status, result.message, result.low, result.high, result.expected) == (
            str(replay.outcome.status), replay.outcome.message, replay.outcome.low, replay.outcome.high, replay.expected,
        )  # fmt: skip
    assert DetectorState.objects.count() <= 3


def test_only_the_anomaly_check_keeps_state():
    assert [name for name, check_type in CHECK_TYPES.items() if check_type.keeps_state] == ["anomaly"]
