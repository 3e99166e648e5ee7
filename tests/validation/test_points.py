"""Points come in once, keep their earlier values, and are judged again."""

import datetime as dt

import pytest

from common.exceptions import InvalidInputError
from tests.validation.fixtures import AT, bucket, make_check, make_metric, push, run
from validation.models import CheckResult, MetricPoint, MetricPointRevision
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


def test_a_changed_value_is_kept_as_a_revision(metric):
    push(metric, [1, 2, 3])
    later = AT + dt.timedelta(hours=1)
    assert push(metric, [1, 5, 3], at=later) == PushResult(0, 1, 2)
    revision = MetricPointRevision.objects.get()
    assert (revision.value, revision.observed_at, revision.replaced_at) == (2, AT, later)
    assert MetricPoint.objects.get(bucket=bucket(2)).value == 5


def test_of_one_bucket_given_twice_the_last_counts_and_segments_are_apart(metric):
    given = [NewPoint(bucket(1), 1), NewPoint(bucket(1), 2), NewPoint(bucket(1), 3, "eu")]
    assert push_points(metric, points=given, at=AT) == PushResult(2, 0, 0)
    assert dict(MetricPoint.objects.values_list("segment", "value")) == {"": 2, "eu": 3}


def test_ten_thousand_points_are_one_statement_each_way(metric, django_assert_max_num_queries):
    given = [NewPoint(bucket(day), day, segment) for day in range(1000) for segment in "abcdefghij"]
    with django_assert_max_num_queries(12):
        assert push_points(metric, points=given, at=AT).created == 10_000


@pytest.mark.parametrize(
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
def test_a_point_that_is_none_is_refused_by_its_place(metric, row):
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


def test_a_backfill_is_judged_again_and_both_results_stay(metric, a):
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
    said = CheckResult.objects.filter(of=check, bucket=bucket(1)).order_by("pk")
    assert [(one.status, one.trigger) for one in said] == [("fail", "schedule"), ("pass", "backfill")]


def test_a_bucket_that_was_missing_is_unknown_and_judged_when_it_comes(metric, a):
    check = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 10})
    push(metric, [20], newest=2)
    assert run(check).status == "unknown"
    push(metric, [0])
    result = run(check, at=AT + dt.timedelta(minutes=1))
    assert (result.status, result.value) == ("fail", 0)
