"""Promise 13: a hung warehouse is stopped at its limit and holds up nobody, and millions of rows take no memory."""

import contextlib
import datetime as dt
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
import psycopg2
import pytest
from django.conf import settings
from django.db import connection, connections
from django.utils import timezone

from tests.factories import make_engineer, make_pipeline
from tests.faults.web import ROOT, database_url
from tests.validation.fixtures import reader_database
from tests.waiting import wait_until
from validation import warehouse_subprocess
from validation.models import Check, CheckResult, Metric
from validation.services.checks import create_check
from validation.services.data_sources import create_data_source
from validation.services.points import NewPoint, push_points
from validation.services.run_check import claim_due_checks
from validation.warehouse_subprocess import QueryFailedError, query_rows
from validation.warehouse_worker import APPLICATION_NAME

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800), pytest.mark.django_db(transaction=True)]

HUNG = "SELECT pg_sleep(600) /* hung warehouse */"
MANY = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < {}) SELECT '2026-11-23', n FROM t"
MEGABYTE = 1024 * 1024


@contextlib.contextmanager
def warehouse():
    """Yield a connection that looks at a server's backends."""
    watching = psycopg2.connect(database_url())
    watching.autocommit = True
    with contextlib.closing(watching), watching.cursor() as cursor:
        yield cursor


def hung_backends(cursor, database=None):
    """Return how many backends are at a query of a check's in this process's database: another's tests use the same server."""
    cursor.execute(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = coalesce(%s, current_database()) AND application_name = %s AND state <> 'idle'",
        [database, APPLICATION_NAME],
    )
    return cursor.fetchone()[0]


def busy_backends():
    with warehouse() as cursor:
        return hung_backends(cursor)


def check_stopped(*, limit, query=HUNG):
    """A query that never ends is stopped at its limit, and its backend with it."""
    warm()
    there = []
    with warehouse() as cursor:
        began = time.monotonic()
        seen = threading.Timer(limit / 2, lambda: there.append(busy_backends()))
        seen.start()
        with pytest.raises(QueryFailedError, match="limit"):
            list(query_rows(database_url(), query=query, seconds=limit, cap=10))
        seen.join()
        # Else the absence afterwards would prove nothing.
        assert there == [1]
        took = time.monotonic() - began
        wait_until(lambda: hung_backends(cursor) == 0)
    return took


def warm():
    """Start the asking process: what a query's limit is counted from is its question."""
    assert list(query_rows(database_url(), query="SELECT 1", seconds=10, cap=1)) == [[[1]]]


def test_a_hung_query_is_stopped_at_its_limit_by_the_server(transactional_db):
    check_stopped(limit=2)


def test_a_server_that_does_not_stop_is_stopped_from_outside(transactional_db, monkeypatch):
    """The server's own limit is far away: ours is enforced from outside, through a second connection that ends the backend."""
    with warehouse() as cursor:
        warm()
        monkeypatch.setattr(warehouse_subprocess, "GRACE_SECONDS", 1.5 - 3600)
        # The server's own limit is an hour away: only the second connection ends the query.
        with pytest.raises(QueryFailedError, match="limit"):
            list(query_rows(database_url(), query=HUNG, seconds=3600, cap=10))
        wait_until(lambda: hung_backends(cursor) == 0)


def test_a_sqlite_query_is_interrupted(tmp_path):
    path = tmp_path / "empty.sqlite"
    path.touch()
    list(query_rows(f"sqlite:///{path}", query="SELECT 1", seconds=10, cap=1))
    with pytest.raises(QueryFailedError, match="limit"):
        list(
            query_rows(
                f"sqlite:///{path}", query=MANY.format(10**12).replace("'2026-11-23', n", "count(*)"), seconds=1, cap=10
            )
        )


def test_a_source_is_read_only(transactional_db, tmp_path):
    for query in (
        "WITH x AS (CREATE TABLE y (n int)) SELECT 1",
        "SELECT set_config('default_transaction_read_only', 'off', false)",
    ):
        with contextlib.suppress(QueryFailedError):
            list(query_rows(database_url(), query=query, seconds=5, cap=10))
    with pytest.raises(QueryFailedError, match="read-only"):
        list(query_rows(database_url(), query="SELECT lo_create(0)", seconds=5, cap=10))
    path = tmp_path / "none.sqlite"
    with pytest.raises(QueryFailedError):
        list(query_rows(f"sqlite:///{path}", query="SELECT 1", seconds=5, cap=10))
    assert not path.exists()


def test_a_killed_asking_process_is_an_error_and_the_next_question_is_answered(transactional_db):
    warm()
    rows = query_rows(database_url(), query=MANY.format(10**9), seconds=30, cap=10**9)
    next(rows)
    warehouse_subprocess._workers[0].process.kill()
    with pytest.raises(QueryFailedError):
        list(rows)
    warm()


def test_an_idle_process_ends_and_the_next_query_starts_another(transactional_db, monkeypatch):
    monkeypatch.setattr(warehouse_subprocess, "IDLE_SECONDS", 0.01)
    warm()
    process = warehouse_subprocess._workers[0]
    wait_until(lambda: process.process is None)
    warm()


def test_a_query_runs_while_another_is_running(transactional_db):
    rows = query_rows(database_url(), query=MANY.format(10**6), seconds=30, cap=10**6)
    next(rows)
    warm()
    rows.close()


def test_no_backend_outlives_a_worker_that_is_killed(transactional_db):
    """Who asks is killed with -9, as Celery's hard limit does: the server notices."""
    code = (
        "import sys; from validation.warehouse_subprocess import query_rows; "
        "list(query_rows(sys.argv[1], query=sys.argv[2], seconds=60, cap=10))"
    )
    with warehouse() as cursor:
        asking = subprocess.Popen([sys.executable, "-c", code, database_url(), HUNG], cwd=ROOT)
        try:
            wait_until(lambda: hung_backends(cursor) == 1)
        finally:
            asking.kill()
            asking.wait()
        wait_until(lambda: hung_backends(cursor) == 0)


def check_memory(path, *, rows):
    """Millions of rows pass without more memory than a part takes; return by how many megabytes both processes grew."""
    address = f"sqlite:///{path}"
    path.touch()
    count = sum(len(part) for part in query_rows(address, query=MANY.format(5000), seconds=60, cap=10_000))
    assert count == 5000
    asking = psutil.Process(warehouse_subprocess._workers[0].process.pid)
    own = psutil.Process()
    before = own.memory_info().rss, asking.memory_info().rss
    most = [0, 0]
    count = 0
    for part in query_rows(address, query=MANY.format(rows), seconds=85, cap=rows):
        count += len(part)
        if count % 50_000 == 0:
            most = [max(one, process.memory_info().rss) for one, process in zip(most, (own, asking), strict=True)]
    assert count == rows
    grown = [(one - then) / MEGABYTE for one, then in zip(most, before, strict=True)]
    assert max(grown) <= 50, f"grew by {grown} MB"
    return max(grown)


def test_many_rows_take_no_memory(tmp_path):
    check_memory(tmp_path / "empty.sqlite", rows=300_000)


def test_more_rows_than_the_cap_are_refused(tmp_path):
    (tmp_path / "empty.sqlite").touch()
    with pytest.raises(QueryFailedError, match="more than 2,000 rows"):
        list(query_rows(f"sqlite:///{tmp_path / 'empty.sqlite'}", query=MANY.format(10_000), seconds=20, cap=2000))


def check_quick_beside_hung(*, quick, hung, workers, limit, seconds=None):
    """Quick checks beside hung ones are run in time, by workers that take one check after another as Celery's do.

    The workers run for that many seconds, or else until each quick check has run and a hung one was stopped.
    """
    with reader_database() as database:
        return _run_beside_hung(database, quick=quick, hung=hung, workers=workers, limit=limit, seconds=seconds)


def _run_beside_hung(database, *, quick, hung, workers, limit, seconds):
    admin = make_engineer("Admin", is_staff=True)
    pipeline = make_pipeline("Pipeline", primary=admin, secondary=make_engineer("Engineer"))
    source = create_data_source(name="Hung", address=database.reader_url, by=admin, limit_seconds=limit)
    fields = {"source": source, "query": HUNG, "check_type": "custom_sql", "interval_minutes": 1}
    at = timezone.now()
    for number in range(hung):
        create_check(pipeline, fields={**fields, "name": f"hung {number}"}, by=admin, at=at)
    metric = Metric.objects.create(pipeline=pipeline, slug="quick", name="Quick")
    day = dt.datetime.combine(at.date() - dt.timedelta(days=1), dt.time(), dt.UTC)
    push_points(metric, points=[NewPoint(day, 5)], at=at)
    for number in range(quick):
        create_check(
            pipeline,
            fields={
                "name": f"quick {number}",
                "check_type": "range",
                "metric": metric,
                "parameters": {"fail_below": 1},
                "interval_minutes": 1,
            },
            by=admin,
            at=at,
        )
    with running_workers(workers):
        if seconds is None:
            wait_until(
                lambda: _all_ran(metric, quick=quick), why="a quick check did not run, or no hung one was stopped"
            )
        else:
            time.sleep(seconds)
    delays = sorted(
        (row.started_at - at).total_seconds()
        for row in CheckResult.objects.filter(parent_check__metric=metric)
        .order_by("parent_check_id", "pk")
        .distinct("parent_check_id")
    )
    assert len(delays) == quick, f"{len(delays)} of {quick} quick checks ran"
    p95 = delays[int(len(delays) * 0.95) - 1]
    with warehouse() as cursor:
        wait_until(lambda: hung_backends(cursor, database=database.name) == 0)
    assert not Check.objects.filter(check_type="custom_sql").exclude(last_status__in=("", "error")).exists()
    assert stopped_checks().exists()
    return p95


def stopped_checks():
    return CheckResult.objects.filter(parent_check__check_type="custom_sql", status="error")


def _all_ran(metric, *, quick):
    checks = CheckResult.objects.filter(parent_check__metric=metric).values("parent_check").distinct()
    return checks.count() == quick and stopped_checks().exists()


WORKERS = """
import os, sys, time
from pathlib import Path
import django
django.setup()
from django.utils import timezone
from validation.services.run_check import claim_due_checks, run_check
ended = Path(sys.argv[1])
# The workers are forked, so that the site is loaded once.
workers = []
for _ in range(int(sys.argv[2])):
    workers.append(os.fork())
    if workers[-1] == 0:
        break
else:
    sys.exit(any([os.waitpid(worker, 0)[1] for worker in workers]))
while not ended.exists():
    for claimed in claim_due_checks(at=timezone.now(), limit=1):
        run_check(claimed, at=timezone.now())
        break
    else:
        time.sleep(0.2)
"""


@contextlib.contextmanager
def running_workers(count):
    """Let real processes, each with an asking process of its own, run what is due; at the end, let each finish its check."""
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "SECRET_KEY": settings.SECRET_KEY,
        "DJANGO_SETTINGS_MODULE": "oncall_site.settings",
        "LOG_LEVEL": "ERROR",
    }
    with tempfile.TemporaryDirectory() as folder:
        ended = Path(folder, "ended")
        command = [sys.executable, "-W", "ignore", "-c", WORKERS, str(ended), str(count)]
        running = subprocess.Popen(command, cwd=ROOT, env=environment)
        try:
            yield
        finally:
            # Each worker finishes the check that it is running.
            ended.touch()
            code = running.wait()
        assert code == 0


def test_quick_checks_are_run_in_time_beside_hung_ones(transactional_db):
    check_quick_beside_hung(quick=20, hung=2, workers=2, limit=4)


def check_hand_out(*, checks):
    """A sweep that finds a thousand due checks hands them out at once, each to one sweep; return the seconds."""
    admin = make_engineer("Sweeper", is_staff=True)
    pipeline = make_pipeline("Swept", primary=admin, secondary=make_engineer("Other"))
    metric = Metric.objects.create(pipeline=pipeline, slug="m", name="M")
    Check.objects.all().delete()
    at = timezone.now()
    Check.objects.bulk_create(
        Check(
            pipeline=pipeline,
            name=f"check {n}",
            check_type="range",
            metric=metric,
            parameters={"fail_below": 1},
            next_due_at=at,
        )
        for n in range(checks)
    )
    began = time.monotonic()
    actual = []

    def sweep():
        actual.extend(claim_due_checks(at=at, limit=checks))
        connections.close_all()

    threads = [threading.Thread(target=sweep) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    took = time.monotonic() - began
    assert sorted(one.check for one in actual) == sorted(Check.objects.values_list("pk", flat=True))
    return took


def test_two_sweeps_hand_out_a_thousand_checks_once_each(transactional_db):
    check_hand_out(checks=1000)
    connection.close()
