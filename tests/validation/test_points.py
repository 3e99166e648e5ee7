"""Data points are stored once, keep their earlier values, and are evaluated again when they change."""

import datetime as dt

import pytest

from common.exceptions import InvalidInputError
from tests.each import each
from tests.validation.fixtures import AT, bucket, make_check, make_metric, push, run
from validation.models import Check, CheckResult, MetricPoint, MetricPointRevision, PendingReevaluation
from validation.services.checks import update_check
from validation.services.points import NewPoint, PushResult, push_points, read_points


@pytest.fixture
def metric(daily_growth):
    return make_metric(daily_growth)


def test_the_same_points_twice_change_nothing(metric):
    assert push(metric, [1, 2, 3]) == PushResult(3, 0, 0)
    before = list(MetricPoint.objects.values_list())
    assert push(metric, [1, 2, 3], at=AT + dt.timedelta(minutes=5)) == PushResult(0, 0, 3)
    assert list(MetricPoint.objects.values_list()) == before
    assert not MetricPointRevision.objects.exists()


def test_a_changed_value_is_stored_as_a_revision(metric):
    push(metric, [1, 2, 3])
    later = AT + dt.timedelta(hours=1)
    assert push(metric, [1, 5, 3], at=later) == PushResult(0, 1, 2)
    revision = MetricPointRevision.objects.get()
    assert (revision.value, revision.observed_at, revision.replaced_at) == (2, AT, later)
    assert MetricPoint.objects.get(bucket=bucket(2)).value == 5


def test_the_last_value_of_a_bucket_counts_per_segment(metric):
    points = [NewPoint(bucket(1), 1), NewPoint(bucket(1), 2), NewPoint(bucket(1), 3, "eu")]
    assert push_points(metric, points=points, at=AT) == PushResult(2, 0, 0)
    assert dict(MetricPoint.objects.values_list("segment", "value")) == {"": 2, "eu": 3}


def test_ten_thousand_points_take_few_queries(metric, django_assert_max_num_queries):
    points = [NewPoint(bucket(day), day, segment) for day in range(1000) for segment in "abcdefghij"]
    with django_assert_max_num_queries(12):
        assert push_points(metric, points=points, at=AT).created == 10_000


@each(
    "row",
    [
        None,
        [],
        {},
        {"at": "2026-11-23"},
        {"at": "2026-11-23", "value": "3"},
        {"at": "2026-11-23", "value": True},
        {"at": "2026-11-23", "value": float("nan")},
        {"at": "2026-11-23", "value": 10**400},
        {"at": "2026-13-23", "value": 1},
        {"at": "2099-01-01", "value": 1},
        {"at": 5, "value": 1},
        {"at": "9999-12-31T23:59:59-12:00", "value": 1},
        {"at": "0001-01-01T00:00:00+12:00", "value": 1},
        {"at": "2026-11-23", "value": 1, "segment": "\0"},
        {"at": "2026-11-23", "value": 1, "segment": "\ud800"},
        {"at": "2026-11-23", "value": 1, "segment": "x" * 121},
        {"at": "2026-11-23", "value": 1, "other": 1},
    ],
)
def test_an_invalid_point_is_refused_by_its_index(metric, row):
    with pytest.raises(InvalidInputError) as refusal:
        read_points(metric, rows=[{"at": "2026-11-23", "value": 1}, row], at=AT)
    assert refusal.value.problems["points"][0].startswith("Point 1: ")


def test_an_instant_means_its_date_in_the_metrics_zone(daily_growth):
    metric = make_metric(daily_growth, time_zone="America/New_York")
    [point] = read_points(metric, rows=[{"at": "2026-11-23T03:00:00Z", "value": 0}], at=AT)
    assert point.bucket == dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    hours = make_metric(daily_growth, slug="hours", grain="hour", time_zone="America/New_York")
    [point] = read_points(hours, rows=[{"at": "2026-11-23T03:59:00Z", "value": 0}], at=AT)
    assert point.bucket == dt.datetime(2026, 11, 23, 3, tzinfo=dt.UTC)


def test_a_backfill_is_evaluated_again_and_both_results_stay(metric, a):
    check = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 10})
    push(metric, [20, 5])
    assert run(check).status == "fail"
    later = AT + dt.timedelta(days=1)
    push(metric, [20], at=later)
    assert run(check, at=later).status == "pass"
    push(metric, [15], at=later, newest=2)  # the bucket that failed
    check.refresh_from_db()
    assert check.next_due_at <= later
    run(check, at=later + dt.timedelta(minutes=1))
    results = CheckResult.objects.filter(parent_check=check, bucket=bucket(1)).order_by("pk")
    assert [(result.status, result.trigger) for result in results] == [("fail", "schedule"), ("pass", "backfill")]


def test_a_missing_bucket_is_unknown_until_it_arrives(metric, a):
    check = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 10})
    push(metric, [20], newest=2)
    assert run(check).status == "unknown"
    push(metric, [0])
    result = run(check, at=AT + dt.timedelta(minutes=1))
    assert (result.status, result.value) == ("fail", 0)


@pytest.mark.parametrize(
    ("check_type", "parameters"), [("freshness", {}), ("completeness", {}), ("custom_sql", None), ("schema", None)]
)
def test_late_points_repeat_only_results_of_a_bucket(metric, a, check_type, parameters):
    """Also for a check that has results of buckets because its type was changed."""
    check = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 10})
    push(metric, [20])
    run(check)
    fields = {"check_type": check_type}
    if parameters is None:
        Check.objects.filter(pk=check.pk).update(**fields, parameters={})
    else:
        update_check(check, fields={**fields, "parameters": parameters}, by=a, at=AT)
        run(check, at=AT)
    Check.objects.filter(pk=check.pk).update(next_due_at=AT + dt.timedelta(hours=1))
    push(metric, [5], at=AT)
    assert not PendingReevaluation.objects.exists()
    assert Check.objects.get().next_due_at == AT + dt.timedelta(hours=1)


def test_late_points_of_the_other_metric_repeat_results_too(metric, a):
    other = make_metric(metric.pipeline, "active")
    check = make_check(metric.pipeline, a, "ratio", metric=metric, other_metric=other, parameters={"fail_below": 1})
    push(metric, [20])
    push(other, [40])
    run(check)
    push(other, [10])
    assert PendingReevaluation.objects.get().bucket == bucket(1)


def test_late_points_repeat_no_results_of_a_disabled_check(metric, a):
    check = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 1})
    push(metric, [20])
    run(check)
    update_check(check, fields={"is_active": False}, by=a, at=AT)
    push(metric, [10])
    assert not PendingReevaluation.objects.exists()
