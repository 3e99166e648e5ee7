"""Runs reported by schedulers: the same rule for any order of reports, and during a purge."""

import datetime as dt

import pytest
from django.db import models

from tests.each import each
from validation.models import ReportedRun
from validation.services.pipeline_runs import Run, report_run, report_runs

AT = dt.datetime(2026, 11, 30, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
START, END, LATER = Run("one", "running", AT - 3 * HOUR), Run("one", "failed", None, AT - 2 * HOUR), AT - HOUR
OK = Run("one", "succeeded", LATER - HOUR / 2, LATER)


def stored():
    return ReportedRun.objects.values_list("state", "started_at", "finished_at").get()


def one_by_one(pipeline, runs):
    for run in runs:
        report_run(pipeline, run=run, at=AT)


def together(pipeline, runs):
    report_runs([(pipeline.pk, run) for run in runs], at=AT)


def in_batches(pipeline, runs):
    for run in runs:
        report_runs([(pipeline.pk, run)], at=AT)


@pytest.mark.parametrize("report", [one_by_one, together, in_batches])
@each(
    ("runs", "state"),
    [
        ([START], ("running", AT - 3 * HOUR, None)),
        ([START, END], ("failed", AT - 3 * HOUR, AT - 2 * HOUR)),
        # A late start adds the start time, and does not reopen the run.
        ([END, START], ("failed", AT - 3 * HOUR, AT - 2 * HOUR)),
        ([END, START, START], ("failed", AT - 3 * HOUR, AT - 2 * HOUR)),
        # Another attempt shows once it ends.
        ([END, Run("one", "running", LATER)], ("failed", None, AT - 2 * HOUR)),
        ([START, END, Run("one", "running", LATER)], ("failed", AT - 3 * HOUR, AT - 2 * HOUR)),
        ([START, END, Run("one", "running")], ("failed", AT - 3 * HOUR, AT - 2 * HOUR)),
        ([START, END, OK], ("succeeded", LATER - HOUR / 2, LATER)),
        # Without an end time a run ends now, once.
        ([START, Run("one", "succeeded")], ("succeeded", AT - 3 * HOUR, AT)),
        ([OK, Run("one", "succeeded")], ("succeeded", LATER - HOUR / 2, LATER)),
        ([OK, OK], ("succeeded", LATER - HOUR / 2, LATER)),
    ],
)
def test_a_run_follows_the_same_rule_for_any_order_of_reports(daily_growth, runs, state, report):
    report(daily_growth, runs)
    assert stored() == state


def test_a_run_that_is_purged_meanwhile_is_stored_again(daily_growth, monkeypatch):
    report_run(daily_growth, run=START, at=AT - HOUR)
    select_for_update, purged = models.QuerySet.select_for_update, []

    def purge_first(rows, *arguments, **options):
        if not purged:
            purged.append(ReportedRun.objects.all().delete())
        return select_for_update(rows, *arguments, **options)

    monkeypatch.setattr(models.QuerySet, "select_for_update", purge_first)
    together(daily_growth, [END])
    assert stored() == ("failed", None, AT - 2 * HOUR)
    assert purged
