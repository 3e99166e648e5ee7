"""However many points and results there are, the pages and the sweep of checks read them by an index, never whole."""

import datetime as dt

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.each import each
from tests.statements import scans
from tests.validation.fixtures import make_check, make_metric, push, run
from validation.models import Check, CheckResult, MetricPoint
from validation.services.run_check import claim_due_checks

GROWING = (
    "validation_metricpoint",
    "validation_checkresult",
    "validation_pendingreevaluation",
    "validation_checkevent",
)


@pytest.fixture
def checks(daily_growth, a):
    """Return a check of each way to be shown: a metric's points, two metrics, what a check said at each run."""
    at = timezone.now()
    users, active, other = (make_metric(daily_growth, slug) for slug in ("users", "active", "other"))
    for metric in (users, active, other):
        push(metric, [100.0 + day % 7 for day in range(60)], at=at)
        push(metric, [50.0] * 60, at=at, segment="eu")
    created = {
        "range": make_check(daily_growth, a, metric=users, parameters={"fail_below": 10}, is_active=True, at=at),
        "ratio": make_check(
            daily_growth,
            a,
            "ratio",
            metric=active,
            other_metric=users,
            parameters={"fail_below": 0},
            is_active=True,
            at=at,
        ),
        "freshness": make_check(
            daily_growth, a, "freshness", metric=users, parameters={"fail_after_minutes": 5000}, is_active=True, at=at
        ),
    }
    for check in created.values():
        run(check, at=at)
        CheckResult.objects.bulk_create(
            CheckResult(
                parent_check=check,
                status="pass",
                value=1.0,
                bucket=at - dt.timedelta(days=day),
                started_at=at - dt.timedelta(days=day),
                finished_at=at - dt.timedelta(days=day),
            )
            for day in range(2, 60)
        )
    # The history of a check is a small part of all history. Otherwise the end of the table is the quickest way to it.
    event = Check.pgh_event_model.objects.filter(pgh_obj=created["freshness"]).latest("pgh_id")
    # Of a check that is deleted.
    event.pk, event.pgh_obj_id = None, 0
    Check.pgh_event_model.objects.bulk_create([event] * 1000)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join((*GROWING, Check._meta.db_table))}")
    return created


def read_whole(do):
    """Return what a request reads of the growing tables without a condition on an index, and how often it reads them at all."""
    with CaptureQueriesContext(connection) as captured:
        answer = do()
    assert answer.status_code == 200
    nodes = [
        (node, one["sql"])
        for one in captured.captured_queries
        if one["sql"].lstrip().upper().startswith("SELECT")
        for node in scans(one["sql"])
        if node.get("Relation Name") in GROWING
    ]
    whole = [sql for node, sql in nodes if not {"Index Cond", "Recheck Cond"} & set(node)]
    return whole, len(nodes)


@each("kind", ["range", "ratio", "freshness"])
def test_a_check_s_page_is_read_by_indexes(signed_in, checks, a, kind):
    browser = signed_in(a)
    path = f"/checks/{checks[kind].pk}/"
    browser.get(path)
    whole, reads = read_whole(lambda: browser.get(path))
    assert reads >= 2
    assert whole == []


@each(
    "path",
    ["/checks/", "/pipelines/{pipeline}/", "/checks/{check}/backtest/", "/api/v1/metrics/{pipeline}/users/points/"],
)
def test_what_else_shows_points_and_results_reads_them_by_indexes(signed_in, checks, a, path):
    browser, check = signed_in(a), checks["range"]
    path = path.format(pipeline=check.pipeline.slug, check=check.pk)
    browser.get(path)
    assert read_whole(lambda: browser.get(path))[0] == []


def test_the_sweep_finds_what_is_due_by_an_index(checks):
    with CaptureQueriesContext(connection) as captured:
        assert claim_due_checks(at=timezone.now() + dt.timedelta(days=1))
    [sweep] = [one["sql"] for one in captured.captured_queries if "validation_check" in one["sql"]]
    actual = [node.get("Index Name") for node in scans(sweep) if node.get("Relation Name") == Check._meta.db_table]
    assert "check_due" in actual


def test_a_table_read_whole_is_found(checks):
    everything = str(MetricPoint.objects.filter(value__gt=1).order_by().query)
    [node] = scans(everything)
    assert node["Relation Name"] in GROWING
    assert not {"Index Cond", "Recheck Cond"} & set(node)
