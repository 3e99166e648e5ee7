"""`python -m tests.bench checks`: a thousand checks over a million points, and what the sweep and the pages cost there."""

import datetime as dt
import sys
import time

from django.db import connection
from django.test import Client
from django.utils import timezone

from pipelines.models import Pipeline
from tests.bench.aims import against
from tests.bench.scale import times
from tests.factories import make_engineer, make_pipeline
from validation.models import Check, CheckResult, Metric, MetricPoint
from validation.services.run_check import claim_due_checks, run_check

PIPELINES, CHECKS, DAYS, RESULTS = 50, 1_000, 1_000, 500
ROUNDS = 40

POINTS_SQL = """
INSERT INTO validation_metricpoint (metric_id, segment, bucket, value, observed_at, is_expected)
SELECT metric.id, '', day, 100 + abs(hashint8(metric.id + extract(epoch FROM day)::bigint)) %% 20, day + interval '1 day', false
  FROM validation_metric metric
  CROSS JOIN LATERAL (SELECT %(newest)s::timestamptz - k * interval '1 day' AS day FROM generate_series(0, %(days)s - 1) k) bucket
"""
RESULTS_SQL = """
INSERT INTO validation_checkresult (parent_check_id, status, value, low, high, message, details, bucket, expected, trigger, segments, started_at, finished_at)
SELECT checked.id, 'pass', 100, 10, 200, '100 – within range.', '', day, '', 'schedule', '[]', day + interval '30 hours',
       day + interval '30 hours'
  FROM validation_check checked
  CROSS JOIN LATERAL (SELECT %(newest)s::timestamptz - k * interval '1 day' AS day FROM generate_series(1, %(results)s) k) bucket
"""


def fill(*, at):
    """Make the checks, each of a metric of its own with a thousand days; return how many seconds that took."""
    began = time.perf_counter()
    one, two = make_engineer("Owner"), make_engineer("Second")
    pipelines = [make_pipeline(f"Pipeline {n:02}", primary=one, secondary=two, position=n) for n in range(PIPELINES)]
    metrics = Metric.objects.bulk_create(
        Metric(pipeline=pipelines[n % PIPELINES], slug=f"metric-{n}", name=f"Metric {n:04}") for n in range(CHECKS)
    )
    Check.objects.bulk_create(
        Check(
            pipeline=metric.pipeline,
            name=f"Check {n:04}",
            check_type="range",
            metric=metric,
            parameters={"fail_below": 10, "fail_above": 200},
            is_active=True,
            last_status="pass",
            next_due_at=at,
        )
        for n, metric in enumerate(metrics)
    )
    newest = dt.datetime.combine((at - dt.timedelta(days=1)).date(), dt.time(), dt.UTC)
    with connection.cursor() as cursor:
        cursor.execute(POINTS_SQL, {"newest": newest, "days": DAYS})
        cursor.execute(RESULTS_SQL, {"newest": newest, "results": RESULTS})
        cursor.execute("VACUUM ANALYZE")
    return time.perf_counter() - began


def measure():
    at = timezone.now()
    sys.stdout.reconfigure(line_buffering=True)
    took = fill(at=at)
    print(
        f"| filling {MetricPoint.objects.count():,} points, {CheckResult.objects.count():,} results | {took:.0f} s | |"
    )
    began = time.perf_counter()
    handed = claim_due_checks(at=at, limit=CHECKS)
    took = time.perf_counter() - began
    print(f"| the sweep hands out {len(handed):,} due checks | {took:.2f} s{against(took, 2, ' s')} | |")
    began = time.perf_counter()
    for one in handed[:ROUNDS]:
        run_check(one, at=at)
    print(f"| a check runs and writes down what it says | {(time.perf_counter() - began) / ROUNDS * 1000:.0f} ms | |")
    browser = Client(SERVER_NAME="localhost")
    browser.force_login(make_engineer("Bench", is_staff=True))
    some, first = Check.objects.order_by("-pk").first(), Pipeline.objects.order_by("pk").first()
    pages = {
        "a check": f"/checks/{some.pk}/",
        "the backtest of a check": f"/checks/{some.pk}/backtest/",
        "Checks, a page of 200": "/checks/",
        "a pipeline with 20 checks": f"/pipelines/{first.slug}/",
        "Now": "/",
        "the API's points of a metric": f"/api/v1/metrics/{some.pipeline.slug}/{some.metric.slug}/points/",
    }
    for name, path in pages.items():
        answer = browser.get(path)
        assert answer.status_code == 200, (name, answer.status_code)
        median, most, own = times(lambda path=path: browser.get(path), rounds=ROUNDS)
        print(f"| {name} | {median:.0f} ms, p95 {most:.0f} ms | {own:.0f} ms of it the web process’s |")
