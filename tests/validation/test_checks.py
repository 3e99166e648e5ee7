"""Runs of checks: schedule, results, confirmation, alerts and permissions."""

import datetime as dt

import pytest

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from notifications.models import Message
from tests.each import each
from tests.validation.fixtures import AT, bucket, make_check, make_metric, make_warehouse, push, run
from validation.domain.sql import query_problem
from validation.domain.suggestions import suggest_checks
from validation.models import Check, CheckResult, DataSource
from validation.queries.checks import alerting_checks, deleted_checks, pipeline_statuses, run_progress, sweep_is_due
from validation.services import pull
from validation.services.checks import (
    create_suggested_checks,
    delete_check,
    mute_check,
    purge_deleted_checks,
    restore_check,
    update_check,
)
from validation.services.data_sources import create_data_source
from validation.services.known_events import Event, acknowledge_expected, add_known_event, delete_known_event
from validation.services.pipeline_runs import Run, report_run
from validation.services.points import NewPoint, push_points
from validation.services.run_check import claim_due_checks, request_run, run_check

MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
# Midnight of the 26th in Berlin.
NIGHT = dt.datetime(2026, 11, 25, 23, tzinfo=dt.UTC)


@pytest.fixture
def metric(daily_growth):
    return make_metric(daily_growth)


@pytest.fixture
def check(metric, a):
    return make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 10})


def test_a_failing_check_alerts_once_until_it_passes(check, metric):
    push(metric, [5])
    run(check)
    since = check.alerting_since
    assert since is not None
    assert [alerting.pk for alerting in alerting_checks()] == [check.pk]
    run(check, at=AT + MINUTE)
    assert check.alerting_since == since
    push(metric, [50], at=AT + 2 * MINUTE)
    run(check, at=AT + 3 * MINUTE)
    assert check.alerting_since is None
    assert not alerting_checks().exists()


def test_a_failure_is_confirmed_by_n_of_m_results(metric, a):
    check = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 10}, confirm=2, confirm_of=3)
    push(metric, [5])
    run(check)
    assert check.alerting_since is None
    run(check, at=AT + MINUTE)
    assert check.alerting_since is not None


def test_a_backfilled_failure_does_not_confirm_the_next_one(metric, a):
    check = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 10}, confirm=2, confirm_of=3)
    push(metric, [50])
    run(check)
    later = AT + dt.timedelta(days=1)
    push(metric, [50], at=later)
    run(check, at=later)
    push(metric, [5], at=later, newest=2)  # yesterday's bucket fails on a backfill
    run(check, at=later + MINUTE)
    assert [(row.status, row.trigger) for row in check.results.order_by("pk")][-2:] == [
        ("fail", "backfill"),
        ("pass", "schedule"),
    ]
    push(metric, [5], at=later + 2 * MINUTE)
    run(check, at=later + 2 * MINUTE)
    assert (check.last_status, check.alerting_since) == ("fail", None)


def test_a_backfilled_pass_does_not_end_an_alert(metric, a):
    check = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 10})
    push(metric, [5])
    run(check)
    later = AT + dt.timedelta(days=1)
    push(metric, [5], at=later)
    run(check, at=later)
    push(metric, [50], at=later, newest=2)
    run(check, at=later + MINUTE)
    assert check.results.filter(trigger="backfill", status="pass").count() == 1
    assert check.alerting_since is not None


def test_a_backfilled_pass_leaves_the_alert_as_it_is(metric, a):
    """A check that fails on must not get a second alert, which would ignore its cooldown."""
    check = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 10}, cooldown_minutes=60)
    push(metric, [5])
    run(check)
    later = AT + dt.timedelta(days=1)
    push(metric, [5], at=later)
    run(check, at=later)
    since = check.alerting_since
    push(metric, [50], at=later, newest=2)
    run(check, at=later + MINUTE)
    assert (check.alerting_since, check.alert_ended_at) == (since, None)


def test_a_backfilled_failure_starts_no_alert_that_ends_at_once(metric, a):
    check = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 10}, cooldown_minutes=60)
    push(metric, [50])
    run(check)
    later = AT + dt.timedelta(days=1)
    push(metric, [50], at=later)
    run(check, at=later)
    push(metric, [5], at=later, newest=2)
    run(check, at=later + MINUTE)
    assert check.results.filter(trigger="backfill", status="fail").count() == 1
    assert (check.alerting_since, check.alert_ended_at) == (None, None)


def test_a_result_marked_as_expected_does_not_confirm_the_next_one(metric, a):
    check = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 10}, confirm=2, confirm_of=2)
    push(metric, [5])
    acknowledge_expected(run(check), by=a, at=AT)
    later = AT + dt.timedelta(days=1)
    push(metric, [5], at=later)
    run(check, at=later)
    assert (check.last_status, check.alerting_since) == ("fail", None)


@pytest.mark.parametrize("between", ["unknown", "skip", "error"])
def test_a_result_that_says_nothing_does_not_push_a_failure_out_of_the_last_m(metric, a, between):
    check = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 10}, confirm=2, confirm_of=2)
    push(metric, [5])
    run(check)
    times = {"started_at": AT + MINUTE, "finished_at": AT + MINUTE}
    CheckResult.objects.create(parent_check=check, status=between, **times)
    run(check, at=AT + 2 * MINUTE)
    assert check.alerting_since is not None


def test_a_backfilled_pass_does_not_push_a_failure_out_of_the_last_m(metric, a):
    check = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 10}, confirm=2, confirm_of=2)
    push(metric, [5])
    run(check)
    later = AT + dt.timedelta(days=1)
    push(metric, [50, 5], at=later)  # the first failure passes now, and the new day fails
    run(check, at=later)
    assert check.alerting_since is not None


def test_a_muted_check_alerts_only_after_the_mute(check, metric):
    push(metric, [5])
    mute_check(check, until=AT + 10 * MINUTE, at=AT)
    run(check)
    assert (check.last_status, check.alerting_since) == ("fail", None)
    run(check, at=AT + 11 * MINUTE)
    assert check.alerting_since is not None
    with pytest.raises(InvalidInputError):
        mute_check(check, until=AT, at=AT)


def test_no_alert_starts_during_the_cooldown(metric, a):
    check = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 10}, cooldown_minutes=30)
    for minutes, value, alerts in ((0, 5, True), (1, 50, False), (2, 5, False), (40, 5, True)):
        push(metric, [value], at=AT + minutes * MINUTE)
        run(check, at=AT + minutes * MINUTE)
        assert (check.alerting_since is not None) is alerts


def test_a_check_of_severity_warning_never_alerts(metric, a):
    check = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 10}, severity="warn")
    push(metric, [5])
    assert run(check).status == "warn"
    assert check.alerting_since is None


def test_a_known_event_is_shown_as_expected_without_an_alert(check, metric, a):
    push(metric, [5])
    run(check)
    day = bucket(1).date()
    event = add_known_event(metric.pipeline, metric=metric, event=Event(day, day, "Black Friday"), by=a, at=AT + MINUTE)
    result = run(check, at=AT + MINUTE)
    assert (result.status, result.expected) == ("fail", "Black Friday")
    assert check.alerting_since is None
    delete_known_event(event, at=AT + 2 * MINUTE)
    assert run(check, at=AT + 2 * MINUTE).expected == ""
    assert check.alerting_since is not None


def test_marking_a_result_as_expected_ends_the_alert_and_excludes_its_point(check, metric, a):
    push(metric, [5])
    result = run(check)
    acknowledge_expected(result, by=a, at=AT + MINUTE)
    check.refresh_from_db()
    assert check.alerting_since is None
    again = run(check, at=AT + 2 * MINUTE)
    assert (again.status, again.expected) == ("fail", "marked as expected")
    assert check.alerting_since is None
    with pytest.raises(DomainError):
        acknowledge_expected(CheckResult.objects.get(pk=result.pk), by=a, at=AT)


def hours(metric, values, segment="", day=NIGHT):
    """Push a value for each hour of a night in Berlin, from midnight on."""
    points = [NewPoint(day + place * HOUR, value, segment) for place, value in enumerate(values)]
    push_points(metric, points=points, at=day + len(values) * HOUR)


def test_marking_an_hour_as_expected_covers_that_hour_only(daily_growth, a):
    metric = make_metric(daily_growth, grain="hour", time_zone="Europe/Berlin")
    check = make_check(daily_growth, a, metric=metric, parameters={"fail_below": 10}, at=NIGHT)
    hours(metric, [5])
    first = run(check, at=NIGHT + HOUR)
    acknowledge_expected(first, by=a, at=NIGHT + HOUR)
    assert list(metric.points.filter(is_expected=True).values_list("bucket", flat=True)) == [NIGHT]
    assert run(check, at=NIGHT + HOUR + MINUTE).expected == "marked as expected"
    hours(metric, [5, 5])
    second = run(check, at=NIGHT + 2 * HOUR)
    assert (second.bucket, second.status, second.expected) == (NIGHT + HOUR, "fail", "")
    assert check.alerting_since is not None


def test_marking_an_hour_as_expected_leaves_other_hours_of_the_day_in_the_baseline(daily_growth, a):
    metric = make_metric(daily_growth, grain="hour")
    parameters = {"against": "previous", "fail_percent": 50}
    check = make_check(daily_growth, a, "change_over_time", metric=metric, parameters=parameters, at=NIGHT)
    hours(metric, [100, 100, 900])
    acknowledge_expected(run(check, at=NIGHT + 3 * HOUR), by=a, at=NIGHT + 3 * HOUR)
    hours(metric, [100, 100, 900, 100])
    result = run(check, at=NIGHT + 4 * HOUR)
    # Compared with the hour before the acknowledged 900 of the same day.
    assert (result.status, result.value, result.low, result.high) == ("pass", 100, 80, 120)


def test_marking_a_segment_as_expected_covers_no_other_segment(metric, a):
    check = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 10, "by_segment": True})
    for segment, value in (("eu", 5), ("us", 50), ("", 55)):
        push(metric, [value], segment=segment)
    acknowledge_expected(run(check), by=a, at=AT + MINUTE)
    assert list(metric.points.filter(is_expected=True).values_list("segment", flat=True)) == ["eu"]
    again = run(check, at=AT + 2 * MINUTE)
    assert (again.status, again.expected, check.alerting_since) == ("fail", "marked as expected", None)
    push(metric, [6], segment="us", at=AT + 3 * MINUTE)
    result = run(check, at=AT + 4 * MINUTE)
    assert (result.status, result.expected) == ("fail", "")
    assert result.message.startswith("1 of 2 segments. us: ")
    assert check.alerting_since is not None


def test_marking_the_total_as_expected_covers_no_segment(metric, a):
    for segment, value in (("eu", 5), ("", 5)):
        push(metric, [value], segment=segment)
    whole = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 10})
    parts = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 10, "by_segment": True})
    acknowledge_expected(run(whole), by=a, at=AT + MINUTE)
    assert run(whole, at=AT + 2 * MINUTE).expected
    assert not run(parts, at=AT + 2 * MINUTE).expected


def test_segments_raise_one_alert_that_lists_them(metric, a):
    for segment, value in (("eu", 5), ("us", 50), ("asia", 6)):
        push(metric, [value], segment=segment)
    check = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 10, "by_segment": True})
    result = run(check)
    assert result.status == "fail"
    assert {one["segment"]: one["status"] for one in result.segments} == {"eu": "fail", "us": "pass", "asia": "fail"}
    assert alerting_checks().count() == 1


def test_a_weekend_without_expected_data_is_skipped(metric, a):
    check = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 10}, weekdays=[0, 1, 2, 3, 4])
    sunday = dt.datetime(2026, 11, 23, 9, tzinfo=dt.UTC)  # on Monday, the Sunday is evaluated
    assert run(check, at=sunday).status == "skip"


def test_a_bucket_is_evaluated_after_the_delay(metric, a):
    check = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 10}, settle_minutes=12 * 60)
    push(metric, [50, 5])
    assert run(check).bucket == bucket(2)
    assert run(check, at=AT + 4 * 60 * MINUTE).bucket == bucket(1)


def midnight(minutes):
    """Return an instant `minutes` after the end of 24 November in UTC."""
    return dt.datetime(2026, 11, 25, tzinfo=dt.UTC) + minutes * MINUTE


@each("check_type", ["completeness", "range"])
@each(("settle", "load", "due"), [(None, None, 360), (120, None, 120), (None, 90, 90), (120, 90, 120), (0, None, 0)])
def test_no_day_is_evaluated_before_it_is_due(daily_growth, a, admin, tmp_path, check_type, settle, load, due):
    """A day is due after the metric settled and its source was loaded; six hours after its end if neither is set."""
    parameters = {"look_back": 3} if check_type == "completeness" else {"fail_below": 10}
    metric = make_metric(daily_growth, settle_minutes=settle)
    if load is not None:
        address = make_warehouse(tmp_path / f"{check_type} {settle}", "CREATE TABLE t (day TEXT, n INTEGER)")
        metric.source = create_data_source(name="W", address=address, by=admin, load_minutes=load)
        metric.query = "SELECT day, n FROM t"
        metric.save()
    check = make_check(daily_growth, admin, check_type, metric=metric, parameters=parameters)
    push(metric, [50] * 7, newest=2)  # 24 November is missing
    statuses = {"completeness": "fail", "range": "unknown"}
    for minutes in {5, due - 1, due, due + 60} - {-1}:
        result = run(check, at=midnight(minutes))
        assert result.status == (statuses[check_type] if minutes >= due else "pass"), minutes


def test_a_day_that_arrives_early_is_evaluated_at_once_unless_a_delay_is_set(daily_growth, a):
    metric, other = make_metric(daily_growth), make_metric(daily_growth, "active")
    check = make_check(daily_growth, a, metric=metric, parameters={"fail_below": 10})
    ratio = make_check(daily_growth, a, "ratio", metric=metric, other_metric=other, parameters={"fail_below": 0.1})
    push(metric, [50, 50])
    push(other, [50], newest=2)
    assert run(check, at=midnight(5)).bucket == bucket(1)
    assert run(ratio, at=midnight(5)).bucket == bucket(2)  # the other metric has not arrived
    metric.settle_minutes = 60
    metric.save()
    assert run(check, at=midnight(5)).bucket == bucket(2)
    assert run(check, at=midnight(60)).bucket == bucket(1)


def test_an_hour_has_a_grace_period_of_fifteen_minutes(daily_growth, a):
    metric = make_metric(daily_growth, grain="hour")
    check = make_check(daily_growth, a, "completeness", metric=metric, parameters={"look_back": 2}, at=NIGHT)
    hours(metric, [5, 5, 5])
    for minutes, status in ((1, "pass"), (14, "pass"), (15, "fail")):
        assert run(check, at=NIGHT + 4 * HOUR + minutes * MINUTE).status == status


def test_too_little_history_is_skipped(metric, a):
    check = make_check(metric.pipeline, a, "anomaly", metric=metric)
    push(metric, [10] * 13)
    result = run(check)
    assert (result.status, result.message) == ("skip", "12 of 28 days of history.")


def test_a_check_is_run_by_one_worker_and_a_lost_run_is_claimed_again(check, metric):
    push(metric, [50])
    Check.objects.filter(pk=check.pk).update(next_due_at=AT)
    [claimed] = claim_due_checks(at=AT)
    assert claim_due_checks(at=AT) == []
    assert run_check(claimed, at=AT) is not None
    assert run_check(claimed, at=AT) is None  # delivered twice
    Check.objects.filter(pk=check.pk).update(next_due_at=AT)
    [lost] = claim_due_checks(at=AT)
    [again] = claim_due_checks(at=AT + 11 * MINUTE)
    assert run_check(lost, at=AT + 11 * MINUTE) is None
    assert run_check(again, at=AT + 11 * MINUTE) is not None
    assert CheckResult.objects.count() == 2


def test_beat_starts_the_sweep_while_a_check_is_due_and_unclaimed(check):
    Check.objects.filter(pk=check.pk).update(next_due_at=AT + MINUTE)
    assert not sweep_is_due(at=AT)
    assert claim_due_checks(at=AT) == []
    assert sweep_is_due(at=AT + MINUTE)
    request_run(check, at=AT)
    assert sweep_is_due(at=AT)
    assert len(claim_due_checks(at=AT)) == 1
    assert not sweep_is_due(at=AT + 9 * MINUTE)
    assert sweep_is_due(at=AT + 10 * MINUTE)
    assert len(claim_due_checks(at=AT + 10 * MINUTE)) == 1
    Check.objects.filter(pk=check.pk).update(claim=None, lease_until=None, is_active=False)
    assert not sweep_is_due(at=AT + HOUR)
    assert claim_due_checks(at=AT + HOUR) == []


def test_a_late_run_does_not_shift_the_schedule(metric, a):
    check = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 10}, interval_minutes=10)
    Check.objects.filter(pk=check.pk).update(next_due_at=AT)
    [claimed] = claim_due_checks(at=AT + 3 * MINUTE)
    run_check(claimed, at=AT + 3 * MINUTE)
    check.refresh_from_db()
    assert check.next_due_at == AT + 10 * MINUTE


def test_a_cron_expression_is_in_the_metrics_zone(daily_growth, a):
    metric = make_metric(daily_growth, time_zone="Asia/Tokyo")
    check = make_check(
        daily_growth, a, metric=metric, parameters={"fail_below": 1}, cron="30 7 * * *", interval_minutes=None
    )
    run(check)
    assert check.next_due_at == dt.datetime(2026, 11, 25, 22, 30, tzinfo=dt.UTC)


def test_a_metric_is_pulled_from_its_source_and_evaluated(daily_growth, admin, tmp_path):
    address = make_warehouse(
        tmp_path / "w.sqlite",
        "CREATE TABLE t (day TEXT, n INTEGER)",
        "INSERT INTO t VALUES ('2026-11-24', 7), ('2026-11-23', NULL)",
    )
    source = create_data_source(name="Warehouse", address=address, by=admin)
    assert address not in DataSource.objects.values_list("address", flat=True).get()
    metric = make_metric(daily_growth, source=source, query="SELECT day, n FROM t;")
    check = make_check(daily_growth, admin, metric=metric, parameters={"fail_below": 10})
    result = run(check)
    assert (result.status, result.value) == ("fail", 7)
    assert metric.points.count() == 1


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("('2026-11-24', 7, ''), ('2026-11-24', 8, '')", "Row 3 of the query: 24 Nov 2026 occurs twice."),
        ("('2026-11-24', 7, 'eu'), ('2026-11-24', 7, 'eu')", "Row 3 of the query: 24 Nov 2026 (eu) occurs twice."),
        ("('2026-11-24', 'x', '')", "Row 2 of the query: “x” is not a number."),
        ("('2026-11-99', 7, '')", "Row 2 of the query: Give a date"),
    ],
)
def test_a_refused_query_stores_none_of_its_rows(daily_growth, admin, tmp_path, monkeypatch, rows, message):
    monkeypatch.setattr(pull, "MAX_POINTS_PER_PUSH", 1)
    address = make_warehouse(
        tmp_path / "w.sqlite",
        "CREATE TABLE t (day TEXT, n, segment TEXT)",
        f"INSERT INTO t VALUES ('2026-11-20', 1, ''), {rows}",  # noqa: S608
    )
    source = create_data_source(name="Warehouse", address=address, by=admin)
    metric = make_metric(daily_growth, source=source, query="SELECT day, n, segment FROM t")
    check = make_check(daily_growth, admin, metric=metric, parameters={"fail_below": 10})
    result = run(check)
    assert (result.status, result.message[: len(message)]) == ("error", message)
    assert not metric.points.exists()


def test_validity_evaluates_its_own_query(daily_growth, admin, tmp_path):
    address = make_warehouse(
        tmp_path / "w.sqlite", "CREATE TABLE t (tag TEXT)", "INSERT INTO t VALUES ('a'), ('a'), ('b'), (NULL)"
    )
    fields = {
        "source": create_data_source(name="Warehouse", address=address, by=admin),
        "query": "SELECT tag, count(*) FROM t GROUP BY tag",
        "parameters": {"allowed_values": ["a"], "fail_above": 0.1},
    }
    check = make_check(daily_growth, admin, "validity", **fields)
    result = run(check)
    assert (result.status, result.bucket, result.value) == ("fail", None, 0.5)
    assert (result.message, result.details) == ("2 of 4 values invalid: 1 null; 1 not allowed.", "Not allowed: b")
    with pytest.raises(InvalidInputError) as refusal:
        make_check(daily_growth, admin, "validity", name="Nothing to evaluate")
    assert list(refusal.value.problems) == ["metric"]


def test_a_failed_run_is_reported_by_the_deadline_check(daily_growth, a):
    check = make_check(daily_growth, a, "run_deadline", parameters={"by": "08:00"})
    report_run(daily_growth, run=Run("daily-25", "failed", finished_at=AT - 90 * MINUTE), at=AT)
    result = run(check)
    assert (result.status, result.message) == ("fail", "Run failed at 07:30 (due Wed 25 Nov, 08:00 UTC).")


@pytest.mark.parametrize("check_type", ["freshness", "completeness"])
def test_a_metric_that_never_had_a_point_raises_an_alert(metric, a, check_type):
    check = make_check(metric.pipeline, a, check_type, metric=metric)
    assert run(check).status == "fail"
    assert check.alerting_since is not None


def test_a_missing_segment_does_not_end_the_alert_of_its_siblings(metric, a):
    parameters = {"fail_below": 10, "by_segment": True}
    check = make_check(metric.pipeline, a, metric=metric, parameters=parameters)
    push(metric, [50, 50], segment="us", newest=2)
    push(metric, [50, 5], segment="eu")
    push(metric, [55, 55])
    acknowledge_expected(run(check), by=a, at=AT)  # marks eu only: us has no value
    Check.objects.filter(pk=check.pk).update(alerting_since=AT)
    result = run(check, at=AT + MINUTE)
    assert (result.status, result.expected) == ("unknown", "")
    assert check.alerting_since == AT


def test_an_unreachable_source_notifies_admins_without_an_alert(daily_growth, admin, a, tmp_path):
    admin.email = "admin@example.org"
    admin.save()
    secret = tmp_path / "nowhere" / "secret-name.sqlite"
    source = create_data_source(name="Warehouse", address=f"sqlite:///{secret}", by=admin)
    metric = make_metric(daily_growth, source=source, query="SELECT day, n FROM t")
    check = make_check(daily_growth, admin, metric=metric, parameters={"fail_below": 10})
    result = run(check)
    assert result.status == "error"
    assert "secret-name" not in result.message
    assert check.alerting_since is None
    run(check, at=AT + MINUTE)
    assert [one.recipient for one in Message.objects.all()] == [admin]


@pytest.mark.parametrize(
    ("query", "expect", "status"),
    [
        ("SELECT n FROM t WHERE n < 0", {"expect": "no_rows"}, "pass"),
        ("SELECT n FROM t WHERE n > 0", {"expect": "no_rows"}, "fail"),
        ("SELECT count(*) FROM t", {"expect": "number", "fail_below": 3}, "fail"),
        ("SELECT count(*) FROM t", {"expect": "number", "fail_below": 1}, "pass"),
        ("SELECT no_such_column FROM t", {"expect": "no_rows"}, "error"),
        ("SELECT 'words'", {"expect": "number", "fail_below": 1}, "error"),
        ("SELECT n FROM t WHERE n LIKE '%7%'", {"expect": "no_rows"}, "fail"),
    ],
)
def test_a_check_runs_its_own_query(daily_growth, admin, tmp_path, query, expect, status):
    address = make_warehouse(tmp_path / "w.sqlite", "CREATE TABLE t (n INTEGER)", "INSERT INTO t VALUES (7), (8)")
    source = create_data_source(name="Warehouse", address=address, by=admin)
    check = make_check(daily_growth, admin, "custom_sql", source=source, query=query, parameters=expect)
    assert run(check).status == status


def test_a_schema_is_compared_with_the_approved_columns(daily_growth, admin, tmp_path):
    address = make_warehouse(tmp_path / "w.sqlite", "CREATE TABLE t (day TEXT, n INTEGER)")
    source = create_data_source(name="Warehouse", address=address, by=admin)
    check = make_check(
        daily_growth,
        admin,
        "schema",
        source=source,
        query="SELECT name, type FROM pragma_table_info('t')",
        parameters={"columns": ["day TEXT", "n INTEGER"]},
    )
    assert run(check).status == "pass"
    make_warehouse(tmp_path / "w.sqlite", "ALTER TABLE t ADD COLUMN extra TEXT")
    assert run(check, at=AT + MINUTE).status == "warn"
    make_warehouse(tmp_path / "w.sqlite", "ALTER TABLE t DROP COLUMN n")
    assert run(check, at=AT + 2 * MINUTE).status == "fail"


def test_a_deadline_is_met_by_a_reported_run(daily_growth, a):
    check = make_check(daily_growth, a, "run_deadline", parameters={"by": "08:00"})
    assert run(check).status == "fail"
    done = Run("daily-25", "succeeded", finished_at=AT - 90 * MINUTE)
    assert report_run(daily_growth, run=done, at=AT)[1]
    assert not report_run(daily_growth, run=done, at=AT)[1]
    assert run(check, at=AT + MINUTE).status == "pass"


def test_only_admins_manage_sql_and_sources(daily_growth, metric, check, a, admin, tmp_path):
    address = make_warehouse(tmp_path / "w.sqlite", "CREATE TABLE t (n INTEGER)")
    with pytest.raises(NotAllowedError):
        create_data_source(name="W", address=address, by=a)
    source = create_data_source(name="W", address=address, by=admin)
    fields = {"source": source, "query": "SELECT n FROM t"}
    with pytest.raises(NotAllowedError):
        make_check(daily_growth, a, "custom_sql", **fields)
    mine = make_check(daily_growth, admin, "custom_sql", **fields)
    with pytest.raises(NotAllowedError):
        update_check(mine, fields={"name": "Mine now"}, by=a, at=AT)
    with pytest.raises(NotAllowedError):
        update_check(check, fields=fields, by=a, at=AT)
    assert update_check(check, fields={"name": "Mine now"}, by=a, at=AT) == ["name"]


@pytest.mark.parametrize("query", ["DELETE FROM t", "SELECT 1; DELETE FROM t", "", "SELECT '\0'", "PRAGMA x"])
def test_only_a_single_select_is_a_query(query):
    assert query_problem(query)


@each(
    ("fields", "where"),
    [
        ({"parameters": {}}, "parameters.fail_below"),
        ({"parameters": {"fail_below": "x"}}, "parameters.fail_below"),
        ({"parameters": {"nothing": 1}}, "parameters.nothing"),
        ({"parameters": []}, "parameters"),
        ({"parameters": {"fail_below": "\ud800"}}, "parameters"),
        ({"check_type": "nothing"}, "check_type"),
        ({"cron": "x y z"}, "cron"),
        ({"cron": "0 0 30 2 *"}, "cron"),
        ({"interval_minutes": None}, "interval_minutes"),
        ({"confirm": 3, "confirm_of": 2}, "detail"),
        ({"name": ""}, "name"),
        ({"country": "ZZ"}, "country"),
        ({"weekdays": [7]}, "weekdays"),
        ({"metric": None}, "metric"),
    ],
)
def test_an_invalid_check_is_refused_by_field(check, a, fields, where):
    with pytest.raises(InvalidInputError) as refusal:
        update_check(check, fields=fields, by=a, at=AT)
    assert where in refusal.value.problems


def test_suggestions_are_stored_once_inactive_and_keep_later_changes(daily_growth, a):
    lines = suggest_checks(
        "- Cross-check daily growth against historical patterns.\n- Data is at most 5 hours late.",
        pipeline="Daily growth",
    )
    created = create_suggested_checks({daily_growth: lines})[daily_growth]
    assert len(created) == 2
    assert not any(suggested.is_active for suggested in created)
    metric = make_metric(daily_growth)
    update_check(created[0], fields={"name": "Renamed", "metric": metric, "is_active": True}, by=a, at=AT)
    assert create_suggested_checks({daily_growth: lines}) == {daily_growth: []}
    assert Check.objects.filter(is_active=True, name="Renamed").exists()
    assert Check.objects.get(check_type="freshness").parameters["fail_after_minutes"] == 300


def test_the_worst_pipeline_statuses_is_one_statement(check, metric, a, django_assert_num_queries):
    other = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 1})
    push(metric, [5])
    run(check)
    run(other)
    with django_assert_num_queries(1):
        assert pipeline_statuses([metric.pipeline]) == {metric.pipeline.pk: "fail"}


def test_a_user_requests_a_run(check, metric):
    push(metric, [50])
    request_run(check, at=AT + MINUTE)
    assert run_progress(check, at=AT + MINUTE).state == "queued"
    [claimed] = claim_due_checks(at=AT + MINUTE)
    result = run_check(claimed, at=AT + MINUTE)
    check.refresh_from_db()
    assert (result.trigger, check.requested_at) == ("manual", None)
    assert run_progress(check, at=AT + MINUTE).state == "done"


def test_a_deleted_check_is_gone_and_can_be_restored_with_its_results(check, metric, a):
    push(metric, [5])
    run(check)
    delete_check(check, by=a, at=AT + MINUTE)
    assert not Check.objects.exists()
    assert not alerting_checks().exists()
    assert pipeline_statuses([metric.pipeline]) == {}
    assert claim_due_checks(at=AT + dt.timedelta(days=1)) == []
    push(metric, [6], at=AT + MINUTE)
    assert [(row.pk, row.deleted_by, row.deleted_at) for row in deleted_checks()] == [(check.pk, a, AT + MINUTE)]
    other = make_check(metric.pipeline, a, metric=metric, parameters={"fail_below": 1}, name=check.name)
    restored = restore_check(check, by=a, at=AT + 2 * MINUTE)
    assert (restored.name, restored.next_due_at) == (f"{other.name} (2)", AT + 2 * MINUTE)
    assert restored.results.count() == 1
    assert not deleted_checks().exists()
    assert restore_check(check, by=a, at=AT + 3 * MINUTE).name == restored.name


def test_a_check_that_never_ran_is_deleted_for_good(check, a):
    delete_check(check, by=a, at=AT)
    assert not Check.all_objects.exists()
    with pytest.raises(DomainError):
        restore_check(check, by=a, at=AT)


def test_a_deleted_check_is_purged_after_thirty_days(check, metric, a):
    push(metric, [5])
    run(check)
    delete_check(check, by=a, at=AT)
    assert purge_deleted_checks(at=AT + dt.timedelta(days=30) - MINUTE) == 0
    assert purge_deleted_checks(at=AT + dt.timedelta(days=30)) == 1
    assert not CheckResult.objects.exists()


def test_a_run_that_ends_after_the_deletion_saves_nothing(check, metric, a):
    push(metric, [5])
    run(check)
    Check.objects.filter(pk=check.pk).update(next_due_at=AT)
    [claimed] = claim_due_checks(at=AT)
    delete_check(check, by=a, at=AT)
    assert run_check(claimed, at=AT) is None
    assert Check.all_objects.get().results.count() == 1


def test_only_admins_delete_and_restore_checks_with_sql(daily_growth, a, admin, tmp_path):
    address = make_warehouse(tmp_path / "w.sqlite", "CREATE TABLE t (n INTEGER)")
    source = create_data_source(name="W", address=address, by=admin)
    check = make_check(daily_growth, admin, "custom_sql", source=source, query="SELECT n FROM t")
    run(check)
    with pytest.raises(NotAllowedError):
        delete_check(check, by=a, at=AT)
    delete_check(check, by=admin, at=AT)
    with pytest.raises(NotAllowedError):
        restore_check(check, by=a, at=AT)


def test_a_suggestion_whose_check_was_deleted_is_not_stored_again(daily_growth, a):
    lines = suggest_checks("- Row counts are as usual", pipeline="Daily growth")
    [check] = create_suggested_checks({daily_growth: lines})[daily_growth]
    metric = make_metric(daily_growth)
    update_check(check, fields={"metric": metric, "parameters": {"fail_below": 1}, "is_active": True}, by=a, at=AT)
    run(check)
    delete_check(check, by=a, at=AT)
    assert create_suggested_checks({daily_growth: lines}) == {daily_growth: []}
