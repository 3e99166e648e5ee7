"""The demo: its checks pass on a healthy warehouse. test_demo_evidence.py has its failures."""

import datetime as dt

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from examples.warehouse import SCENARIOS, inject, last_whole_day
from oncall_site import demo, tasks
from oncall_site.demo import grow_demo, report_runs
from oncall_site.demo_catalog import CHECKS, METRICS
from tests.factories import each_undone
from tests.oncall_site.conftest import DAY, NOON
from tests.thorough import THOROUGH
from validation.domain.buckets import newest_due_bucket
from validation.models import Check, DataSource, Metric, MetricPoint, ReportedRun
from validation.services.run_check import claim_due_checks, run_check

# On one worker of xdist, so that the warehouse and the demo are built once.
pytestmark = pytest.mark.xdist_group("demo")


def judged(*checks, at=NOON):
    """Run these checks as a worker does; return their results by name."""
    Check.objects.update(next_due_at=None)
    Check.objects.filter(pk__in=[check.pk for check in checks]).update(next_due_at=at)
    return {(result := run_check(handed, at=at)).parent_check.name: result for handed in claim_due_checks(at=at)}


def test_every_check_passes_on_a_healthy_warehouse(built_demo):
    results = judged(*Check.objects.filter(is_active=True))
    assert {name: f"{one.status}: {one.message}" for name, one in results.items() if one.status != "pass"} == {}
    assert len(results) == len(CHECKS)
    assert not Check.objects.alerting().exists()


def test_the_demo_has_no_false_alarm_at_any_hour_of_any_weekday(built_demo):
    """Hours of the week from a Thursday on: all of `hours` in `make faults`, every fourth one in the suite."""
    hours = [(0, 0, 5), (1, 1, 0), (2, 3, 0), (3, 5, 59), (4, 6, 0), (5, 6, 31), (6, 12, 0), (6, 23, 59)]
    for days, hour, minute in each_undone(hours if THOROUGH else hours[1::4]):
        at = dt.datetime(2026, 4, 2, hour, minute, tzinfo=dt.UTC) + dt.timedelta(days=days)
        grow_demo(built_demo, at=at)
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


def test_every_suggested_check_is_enabled_with_its_metric_and_parameters(built_demo):
    proposed = Check.objects.exclude(proposed_from="")
    assert (proposed.count(), proposed.filter(is_active=True).count()) == (10, 10)
    assert Metric.objects.count() == len(METRICS)
    assert "warehouse.sqlite" not in DataSource.objects.values_list("address", flat=True).get()


def test_the_warehouse_grows_day_by_day_and_its_runs_are_reported(built_demo):
    newest = ReportedRun.objects.order_by("-finished_at").first()
    assert newest.finished_at.date() == dt.date(2026, 4, 1)
    assert grow_demo(built_demo, at=NOON + dt.timedelta(hours=17)) == 0
    assert grow_demo(built_demo, at=NOON + dt.timedelta(days=3)) == 3
    assert ReportedRun.objects.order_by("-finished_at").first().finished_at.date() == dt.date(2026, 4, 4)
    assert report_runs(built_demo, at=NOON + dt.timedelta(days=3)) == 0


def test_a_changed_run_is_reported_again(built_demo):
    for name in ("run-timeout", "late-aggregation"):
        inject(built_demo, SCENARIOS[name], day=DAY)
    assert report_runs(built_demo, at=NOON) == 2
    states = set(ReportedRun.objects.filter(key="2026-04-01").values_list("state", flat=True))
    assert states == {"succeeded", "failed", "running"}
    assert report_runs(built_demo, at=NOON + dt.timedelta(hours=5)) == 1


def test_a_site_without_the_demo_does_not_change(db, tmp_path):
    path = tmp_path / "warehouse.sqlite"
    assert grow_demo(path, at=NOON) == 0
    assert not path.exists()


def test_a_site_that_was_off_for_days_has_no_false_alarm_after_a_restart(built_demo, monkeypatch):
    later = NOON + dt.timedelta(days=3)
    monkeypatch.setattr(settings, "VAR", built_demo.parent)
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
