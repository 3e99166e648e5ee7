"""Readiness of stored pipelines: which results, incidents and instants count for a day."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from incidents.models import Incident
from incidents.services.transitions import NewIncident, open_incident, resolve
from lineage.services.edges import add_edge
from readiness.queries.readiness import day_rows, readiness_by_pipeline
from tests.factories import make_pipeline
from tests.validation.fixtures import AT, DAY, bucket, make_check, make_metric, push, run
from validation.models import Check, ExternalCheck, ExternalFinding, Metric
from validation.services.known_events import acknowledge_expected
from validation.services.points import NewPoint, push_points

HOUR = dt.timedelta(hours=1)
YESTERDAY = dt.date(2026, 11, 24)
MIDNIGHT = dt.datetime(2026, 11, 25, tzinfo=dt.UTC)


def readiness(pipeline, *, at=AT, day=None):
    return readiness_by_pipeline([pipeline], at=at, day=day)[pipeline.pk]


def verdict(pipeline, **options):
    actual = readiness(pipeline, **options)
    return str(actual.verdict), actual.why


def external(pipeline, status="pass", *, at=AT, **fields):
    row = ExternalCheck.objects.create(
        tool="dbt", key=f"model {ExternalCheck.objects.count()}", name="orders", pipeline=pipeline, status=status,
        at=at, created_at=at, **fields,
    )  # fmt: skip
    ExternalFinding.objects.create(external_check=row, at=at, status=status, digest="1", received_at=at)
    return row


def test_a_day_is_safe_when_its_checks_have_passed(pipeline, metric, check):
    push(metric, [20.0, 20.0])
    assert verdict(pipeline) == ("not_yet", ["Check “Orders are plausible” has not run for 24 Nov 2026 yet."])
    run(check)
    actual = readiness(pipeline)
    assert (actual.day, actual.verdict, actual.why) == (YESTERDAY, "safe", ["1 check passed for 24 Nov 2026."])
    assert actual.until == check.next_due_at == AT + HOUR


def test_a_failed_check_makes_the_day_wrong_and_an_expected_failure_does_not(pipeline, metric, check, a):
    push(metric, [20.0, 2.0])
    result = run(check)
    assert verdict(pipeline) == ("wrong", ["Check “Orders are plausible” failed."])
    acknowledge_expected(result, by=a, at=AT)
    assert verdict(pipeline)[0] == "safe"


def test_each_day_has_its_own_verdict(pipeline, metric, check):
    push(metric, [2.0, 20.0])
    run(check, at=AT - DAY)
    run(check)
    assert verdict(pipeline)[0] == "safe"
    assert verdict(pipeline, day=YESTERDAY - DAY)[0] == "wrong"
    actual = readiness(pipeline, day=YESTERDAY - DAY)
    assert actual.until is None


def test_a_day_is_not_due_before_its_metrics_have_settled(pipeline, metric, check):
    push(metric, [20.0, 20.0])
    run(check)
    early = MIDNIGHT + HOUR
    assert readiness(pipeline, at=early).day == YESTERDAY - DAY
    actual = readiness(pipeline, at=early, day=YESTERDAY)
    assert (actual.verdict, actual.until) == ("not_yet", MIDNIGHT + 2 * HOUR)
    assert actual.why == ["The data for 24 Nov 2026 is not final until Wed 25 Nov, 02:00 UTC."]
    assert readiness(pipeline, day=AT.date()).until == MIDNIGHT + 26 * HOUR


def test_the_slowest_metric_and_its_zone_decide_when_a_day_is_due(pipeline, metric):
    make_metric(pipeline, slug="west", settle_minutes=60, time_zone="America/New_York")
    actual = readiness(pipeline, at=MIDNIGHT + 3 * HOUR)
    assert actual.day == YESTERDAY - DAY
    # The day ends at 05:00 UTC in New York.
    assert readiness(pipeline, at=MIDNIGHT + 6 * HOUR).day == YESTERDAY


def test_a_check_that_waits_longer_than_its_metric_decides_when_a_day_is_due(pipeline, metric, a):
    make_check(pipeline, a, metric=metric, settle_minutes=300, parameters={"fail_below": 10.0})
    assert readiness(pipeline, at=MIDNIGHT + 4 * HOUR).day == YESTERDAY - DAY
    assert readiness(pipeline, at=MIDNIGHT + 5 * HOUR).day == YESTERDAY


def test_without_a_delay_a_day_is_due_when_its_data_arrives_or_after_six_hours(pipeline, metric):
    Metric.objects.filter(pk=metric.pk).update(settle_minutes=None)
    at = MIDNIGHT + HOUR
    assert readiness(pipeline, at=at).day == YESTERDAY - DAY
    push(metric, [20.0], at=at)
    assert readiness(pipeline, at=at).day == YESTERDAY
    metric.points.all().delete()
    assert readiness(pipeline, at=MIDNIGHT + 6 * HOUR).day == YESTERDAY


def test_a_change_waits_for_the_checks_that_evaluate_it_again(pipeline, metric, check):
    push(metric, [20.0, 20.0])
    run(check)
    push(metric, [21.0], at=AT + HOUR)
    assert verdict(pipeline, at=AT + HOUR) == (
        "not_yet",
        ["Check “Orders are plausible” has not run for 24 Nov 2026 yet."],
    )
    assert readiness(pipeline, at=AT + HOUR).until == AT + HOUR + dt.timedelta(minutes=1)
    run(check, at=AT + HOUR)
    assert verdict(pipeline, at=AT + HOUR)[0] == "safe"


def test_a_check_that_runs_less_often_than_daily_counts_with_its_last_result(pipeline, metric, check, a):
    push(metric, [20.0, 20.0])
    weekly = make_check(
        pipeline, a, check_type="freshness", metric=metric, name="Fresh", interval_minutes=7 * 24 * 60,
        parameters={"fail_after_minutes": 6000}, at=AT - 3 * DAY,
    )  # fmt: skip
    run(weekly, at=AT - 3 * DAY)
    run(check)
    assert weekly.next_due_at > AT + DAY
    assert verdict(pipeline)[0] == "safe"
    Check.objects.filter(pk=weekly.pk).update(next_due_at=AT + HOUR)
    assert verdict(pipeline) == ("not_yet", ["Check “Fresh” has not run for 24 Nov 2026 yet."])


def test_a_broken_check_says_nothing_about_the_data_but_leaves_the_day_unchecked(pipeline, metric, check):
    push(metric, [20.0, 20.0])
    run(check)
    Check.objects.filter(pk=check.pk).update(last_status="error", last_bucket=None)
    assert verdict(pipeline)[0] == "safe"  # the result for the day is a pass
    check.results.all().delete()
    assert verdict(pipeline) == ("not_yet", ["Check “Orders are plausible” could not run."])


def test_disabled_and_deleted_checks_do_not_count(pipeline, metric, check):
    push(metric, [20.0, 2.0])
    run(check)
    Check.objects.filter(pk=check.pk).update(is_active=False)
    assert verdict(pipeline) == ("not_yet", ["No check has passed for 24 Nov 2026."])


def test_an_open_incident_makes_its_day_and_later_ones_doubtful(pipeline, metric, check, a):
    push(metric, [20.0, 20.0, 20.0])
    for days in (1, 0):
        run(check, at=AT - days * DAY)
    incident = open_incident(pipeline, what=NewIncident(kind="issue", title="Odd numbers"), by=a, at=AT)
    assert verdict(pipeline) == ("doubtful", ["Open incident: Odd numbers"])
    assert verdict(pipeline, day=YESTERDAY - DAY)[0] == "safe"
    resolve(incident, by=a, at=AT + HOUR)
    assert Incident.objects.unresolved().count() == 0
    assert verdict(pipeline)[0] == "safe"


def test_open_incidents_are_listed_oldest_first(pipeline, metric, check, a):
    push(metric, [20.0])
    run(check)
    for title, at in (("Newer", AT), ("Older", AT - HOUR)):
        open_incident(pipeline, what=NewIncident(kind="issue", title=title), by=a, at=at)
    assert verdict(pipeline) == ("doubtful", ["Open incident: Older", "Open incident: Newer"])


def test_results_of_other_tools_count_and_stale_ones_mean_not_updated(pipeline):
    row = external(pipeline)
    assert verdict(pipeline) == ("safe", ["1 check passed for 24 Nov 2026."])
    ExternalCheck.objects.filter(pk=row.pk).update(is_stale=True)
    assert verdict(pipeline) == ("not_yet", ["The last run made no updates because something upstream failed."])
    ExternalCheck.objects.filter(pk=row.pk).update(is_stale=False, status="fail")
    assert verdict(pipeline) == ("wrong", ["Check “orders” failed."])


def test_a_past_day_has_the_results_of_its_time(pipeline):
    row = external(pipeline, at=AT - DAY)
    ExternalFinding.objects.create(external_check=row, at=AT, status="fail", digest="2", received_at=AT)
    ExternalCheck.objects.filter(pk=row.pk).update(status="fail", at=AT)
    assert verdict(pipeline)[0] == "wrong"
    assert verdict(pipeline, day=YESTERDAY - DAY)[0] == "safe"


@pytest.mark.parametrize(("status", "expected"), [("fail", "doubtful"), ("pass", "safe"), ("stale", "doubtful")])
def test_an_upstream_pipeline_with_problems_makes_the_day_doubtful(pipeline, metric, check, a, b, status, expected):
    parent = make_pipeline("Payments", primary=a, secondary=b)
    add_edge(upstream=parent, downstream=pipeline, at=AT)
    external(parent, "pass" if status == "stale" else status, is_stale=status == "stale")
    push(metric, [20.0, 20.0])
    run(check)
    assert verdict(pipeline)[0] == expected
    if expected == "doubtful":
        assert readiness(pipeline).why == ["Upstream pipeline Payments has problems."]
    push(metric, [20.0, 20.0], newest=2)
    assert verdict(pipeline, day=YESTERDAY - DAY) == ("not_yet", ["No check has passed for 23 Nov 2026."])


def test_hours_of_a_day_count_together(pipeline, a):
    metric = make_metric(pipeline, slug="hourly", grain="hour", settle_minutes=30)
    check = make_check(pipeline, a, metric=metric, name="Hours", parameters={"fail_below": 10.0})
    push_points(metric, points=[NewPoint(bucket(1) + hour * HOUR, 20.0) for hour in range(24)], at=MIDNIGHT)
    for hour in range(24):
        run(check, at=bucket(1) + (hour + 1) * HOUR + dt.timedelta(minutes=20))
    # The last hour has ended but is not settled; the first run after that evaluates it.
    at = MIDNIGHT + dt.timedelta(minutes=40)
    assert verdict(pipeline, at=at, day=YESTERDAY)[0] == "not_yet"
    run(check, at=at)
    assert verdict(pipeline, at=at, day=YESTERDAY)[0] == "safe"
    Check.objects.filter(pk=check.pk).update(last_status="pass")
    check.results.filter(bucket=bucket(1) + 3 * HOUR).update(status="fail")
    assert verdict(pipeline, at=at, day=YESTERDAY)[0] == "wrong"


def test_the_number_of_queries_does_not_grow_with_the_pipelines(pipeline, metric, check, a, b):
    def count(pipelines):
        with CaptureQueriesContext(
            connection,
        ) as captured:
            readiness_by_pipeline(pipelines, at=AT)
        return len(captured)

    rows = [pipeline]
    for number in range(29):
        one = make_pipeline(f"Pipeline {number}", primary=a, secondary=b)
        make_check(one, a, metric=make_metric(one, slug="x"), name="Range", parameters={"fail_below": 10.0})
        rows.append(one)
    assert count(rows[1:2]) == count(rows) <= 9


def test_rows_that_several_pipelines_share_give_each_of_them_its_own_verdicts(pipeline, metric, check, a, b):
    other, empty = (make_pipeline(name, primary=a, secondary=b) for name in ("Other", "Empty"))
    slow = make_metric(other, slug="slow", settle_minutes=300)
    for one, its_metric, its_check in (
        (pipeline, metric, check),
        (other, slow, make_check(other, a, metric=slow, parameters={"fail_below": 30.0})),
    ):
        push(its_metric, [20.0, 20.0])
        run(its_check)
        external(one)
        add_edge(upstream=make_pipeline(f"Before {one.name}", primary=a, secondary=b), downstream=one, at=AT)
    open_incident(other, what=NewIncident(kind="delay", title="Late", text=""), by=a, at=AT)
    rows = day_rows([pipeline, other, empty], at=AT)
    for day in (None, YESTERDAY, YESTERDAY - DAY):
        for one in (pipeline, other, empty):
            assert readiness_by_pipeline([one], at=AT, day=day, rows=rows) == readiness_by_pipeline(
                [one], at=AT, day=day
            )


def test_a_drill_makes_no_day_doubtful(pipeline, metric, check, a):
    push(metric, [20.0, 20.0])
    run(check)
    incident = open_incident(pipeline, what=NewIncident(kind="issue", title="Drill"), by=a, at=AT)
    Incident.objects.filter(pk=incident.pk).update(source=Incident.Source.DRILL)
    assert verdict(pipeline)[0] == "safe"
