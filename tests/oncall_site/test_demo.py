"""The demo: its checks pass on a healthy warehouse. test_demo_evidence.py has its failures."""

import datetime as dt

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from examples.warehouse import SCENARIOS, grow, inject, last_whole_day
from handbook.format.reader import read_handbook
from oncall_site import demo, tasks
from oncall_site.demo import build_demo, grow_demo, report_runs
from oncall_site.demo_catalog import CHECKS, METRICS
from tests.factories import SEED, each_undone, make_engineer, make_pipeline
from tests.snapshots import build_once
from tests.thorough import THOROUGH
from validation.domain.buckets import newest_due_bucket
from validation.domain.suggestions import suggest_checks
from validation.models import Check, DataSource, Metric, MetricPoint, ReportedRun
from validation.services.checks import create_suggested_checks
from validation.services.run_check import claim_due_checks, run_check

# On one worker of xdist, so that the warehouse and the demo are built once.
pytestmark = pytest.mark.xdist_group("demo")

DAY = dt.date(2026, 3, 31)
NOON = dt.datetime(2026, 4, 1, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """Return the bytes of a healthy warehouse."""
    path = tmp_path_factory.mktemp("sound") / "warehouse.sqlite"
    grow(path, until=DAY)
    return path.read_bytes()


@pytest.fixture
def warehouse(sound, tmp_path):
    path = tmp_path / "warehouse.sqlite"
    path.write_bytes(sound)
    return path


def make_pipelines(a, b):
    """Create the handbook's pipelines with the checks that the import suggests, without runbooks."""
    for runbook in read_handbook(SEED.read_bytes()).runbooks:
        pipeline = make_pipeline(f"{runbook.name} ({runbook.audience})", primary=a, secondary=b)
        section = next(section for section in runbook.sections if section.title == "Metrics Validation")
        create_suggested_checks(pipeline, suggestions=suggest_checks(section.markdown, pipeline=runbook.name))


@pytest.fixture
def pipelines(a, b):
    make_pipelines(a, b)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("demo") / "warehouse.sqlite"


@pytest.fixture
def built(db, place, sound):
    """Build the demo on a healthy warehouse; return the path of the warehouse."""
    place.write_bytes(sound)

    def build():
        make_pipelines(make_engineer("Engineer A"), make_engineer("Engineer B"))
        build_demo(place, by=make_engineer("Admin", is_staff=True), at=NOON)

    build_once(("demo", place), build)
    return place


def judged(*checks, at=NOON):
    """Run these checks as a worker does; return their results by name."""
    Check.objects.update(next_due_at=None)
    Check.objects.filter(pk__in=[check.pk for check in checks]).update(next_due_at=at)
    return {(result := run_check(handed, at=at)).parent_check.name: result for handed in claim_due_checks(at=at)}


def test_every_check_passes_on_a_healthy_warehouse(built):
    results = judged(*Check.objects.filter(is_active=True))
    assert {name: f"{one.status}: {one.message}" for name, one in results.items() if one.status != "pass"} == {}
    assert len(results) == len(CHECKS)
    assert not Check.objects.alerting().exists()


def test_the_demo_has_no_false_alarm_at_any_hour_of_any_weekday(built):
    """Hours of the week from a Thursday on: all of `hours` in `make faults`, every second one in the suite."""
    hours = [(0, 0, 5), (1, 1, 0), (2, 3, 0), (3, 5, 59), (4, 6, 0), (5, 6, 31), (6, 12, 0), (6, 23, 59)]
    for days, hour, minute in each_undone(hours if THOROUGH else hours[1::2]):
        at = dt.datetime(2026, 4, 2, hour, minute, tzinfo=dt.UTC) + dt.timedelta(days=days)
        grow_demo(built, at=at)
        results = judged(*Check.objects.filter(is_active=True), at=at)
        wrong = {name: f"{row.status}: {row.message}" for name, row in results.items() if row.status != "pass"}
        assert (wrong, len(results)) == ({}, len(CHECKS)), at


def test_the_demo_evaluates_no_day_that_the_warehouse_lacks():
    """At each minute of a week; the warehouse grows within ten minutes after the last run of the night."""
    start = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
    for minutes in range(7 * 24 * 60):
        at = start + dt.timedelta(minutes=minutes)
        delay = dt.timedelta(minutes=demo.LOAD_MINUTES)
        due = newest_due_bucket(at, step=dt.timedelta(days=1), zone=dt.UTC, delay=delay)
        assert due.date() <= last_whole_day(at - dt.timedelta(minutes=10))


def test_every_suggested_check_is_enabled_with_its_metric_and_parameters(built):
    proposed = Check.objects.exclude(proposed_from="")
    assert (proposed.count(), proposed.filter(is_active=True).count()) == (10, 10)
    assert Metric.objects.count() == len(METRICS)
    assert "warehouse.sqlite" not in DataSource.objects.values_list("address", flat=True).get()


def test_the_warehouse_grows_day_by_day_and_its_runs_are_reported(built):
    newest = ReportedRun.objects.order_by("-finished_at").first()
    assert newest.finished_at.date() == dt.date(2026, 4, 1)
    assert grow_demo(built, at=NOON + dt.timedelta(hours=17)) == 0
    assert grow_demo(built, at=NOON + dt.timedelta(days=3)) == 3
    assert ReportedRun.objects.order_by("-finished_at").first().finished_at.date() == dt.date(2026, 4, 4)
    assert report_runs(built, at=NOON + dt.timedelta(days=3)) == 0


def test_a_changed_run_is_reported_again(built):
    for name in ("run-timeout", "late-aggregation"):
        inject(built, SCENARIOS[name], day=DAY)
    assert report_runs(built, at=NOON) == 2
    states = set(ReportedRun.objects.filter(key="2026-04-01").values_list("state", flat=True))
    assert states == {"succeeded", "failed", "running"}
    assert report_runs(built, at=NOON + dt.timedelta(hours=5)) == 1


def test_a_site_without_the_demo_does_not_change(db, tmp_path):
    path = tmp_path / "warehouse.sqlite"
    assert grow_demo(path, at=NOON) == 0
    assert not path.exists()


def test_a_site_that_was_off_for_days_has_no_false_alarm_after_a_restart(built, monkeypatch):
    later = NOON + dt.timedelta(days=3)
    monkeypatch.setattr(settings, "VAR", built.parent)
    monkeypatch.setattr(timezone, "now", lambda: later)
    call_command("create_demo")
    results = judged(*Check.objects.all(), at=later)
    assert {row.status for row in results.values()} == {"pass"}


def test_create_demo_fills_an_empty_site_once(db, tmp_path, capsys):
    settings.VAR, before = tmp_path, settings.VAR
    try:
        call_command("create_demo")
        output = capsys.readouterr().out
        call_command("create_demo")
        tasks.grow_demo()
    finally:
        settings.VAR = before
    assert "admin" in output
    assert capsys.readouterr().out == ""
    assert (tmp_path / demo.DEMO_FILE).exists()
    assert Check.objects.filter(is_active=True).count() == len(CHECKS)
    assert ReportedRun.objects.count() > 5
    assert not MetricPoint.objects.exists()
