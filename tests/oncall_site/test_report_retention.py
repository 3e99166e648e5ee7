"""Old reports without a pipeline and expired sessions are deleted at night. What belongs to a pipeline stays."""

import datetime as dt

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from incidents import tasks as incident_tasks
from incidents.models import Alert
from incidents.services import alerts
from oncall_site.celery import app
from people import tasks as people_tasks
from tests.factories import make_pipeline
from validation import tasks as validation_tasks
from validation.importers.results import ExternalResult, ResultStatus
from validation.models import ExternalCheck, ExternalFinding, MappingRule, ReportedRun
from validation.services import retention
from validation.services.external_results import record_external_results
from validation.services.pipeline_runs import Run, report_run

DAY = dt.timedelta(days=1)


@pytest.fixture
def pipeline(a, b):
    return make_pipeline("Orders", primary=a, secondary=b)


def ago(days):
    return timezone.now() - days * DAY


def report_check(key, *, days_ago, tool="openlineage", result_days_ago=None):
    result = ExternalResult(
        tool=tool, key=key, name=key, status=ResultStatus.PASS, value=None, message="", subject=key, measure="run",
        at=ago(days_ago if result_days_ago is None else result_days_ago),
    )  # fmt: skip
    record_external_results([result], at=ago(days_ago))


def test_checks_without_a_pipeline_are_deleted_after_90_days_without_a_report(pipeline):
    MappingRule.objects.create(tool="openlineage", pattern="job/n/mapped", pipeline=pipeline)
    for key in ("old", "mapped", "young", "reported again"):
        report_check(f"job/n/{key}", days_ago=89 if key == "young" else 91)
    report_check("job/n/reported again", days_ago=1)
    # An old file that was imported yesterday.
    report_check("model.shop.backfilled", days_ago=1, result_days_ago=300, tool="dbt")
    report_check("model.shop.old", days_ago=91, tool="dbt")
    validation_tasks.purge_reports()
    assert set(ExternalCheck.objects.values_list("key", flat=True)) == {
        "job/n/mapped",
        "job/n/young",
        "job/n/reported again",
        "model.shop.backfilled",
    }
    assert ExternalFinding.objects.count() == 5


def test_runs_are_deleted_after_90_days(pipeline):
    for days in (91, 89):
        report_run(pipeline, run=Run(key=f"{days} days", state="succeeded"), at=ago(days))
    # A later report of a run counts.
    report_run(pipeline, run=Run(key="long", state="running"), at=ago(95))
    report_run(pipeline, run=Run(key="long", state="failed"), at=ago(1))
    validation_tasks.purge_reports()
    assert set(ReportedRun.objects.values_list("key", flat=True)) == {"89 days", "long"}


def test_alerts_without_a_pipeline_are_deleted_after_90_days(pipeline):
    def alert(name, days, **fields):
        return Alert(fingerprint=name, name=name, is_firing=False, starts_at=ago(days), received_at=ago(days), **fields)

    Alert.objects.bulk_create([alert("old", 91), alert("young", 89), alert("mapped", 200, pipeline=pipeline)])
    incident_tasks.purge_alerts()
    assert set(Alert.objects.values_list("fingerprint", flat=True)) == {"young", "mapped"}


def test_the_retention_is_a_setting(pipeline, settings):
    settings.REPORT_RETENTION_DAYS = 30
    report_check("job/n/old", days_ago=31)
    report_run(pipeline, run=Run(key="old", state="succeeded"), at=ago(31))
    validation_tasks.purge_reports()
    assert (ExternalCheck.objects.count(), ReportedRun.objects.count()) == (0, 0)


def test_each_task_deletes_in_batches_within_its_time(pipeline, monkeypatch):
    for number in range(3):
        report_check(f"job/n/{number}", days_ago=100)
        report_run(pipeline, run=Run(key=str(number), state="succeeded"), at=ago(100))
        Alert.objects.create(
            fingerprint=str(number), name="Late", is_firing=True, starts_at=ago(100), received_at=ago(100)
        )
    for module in (retention, alerts, validation_tasks, incident_tasks):
        for name in ("RUNS_PER_BATCH", "CHECKS_PER_BATCH", "PURGED_PER_BATCH", "PURGE_SECONDS"):
            monkeypatch.setattr(module, name, -1 if name == "PURGE_SECONDS" else 2, raising=False)
    validation_tasks.purge_reports()
    incident_tasks.purge_alerts()
    models = (ExternalCheck, ReportedRun, Alert)
    assert [model.objects.count() for model in models] == [1, 1, 1]
    monkeypatch.setattr(validation_tasks, "PURGE_SECONDS", 60)
    validation_tasks.purge_reports()
    assert [model.objects.count() for model in models] == [0, 0, 1]


@pytest.mark.django_db
def test_expired_sessions_are_deleted_and_others_stay(a):
    browsers = [Client(), Client()]
    for browser in browsers:
        browser.force_login(a)
    first = Session.objects.order_by("expire_date").first()
    Session.objects.filter(pk=first.pk).update(expire_date=ago(1))
    people_tasks.purge_sessions()
    assert Session.objects.count() == 1
    assert sorted(browser.get("/").status_code for browser in browsers) == [200, 302]


@pytest.mark.parametrize(
    "task", [validation_tasks.purge_reports, incident_tasks.purge_alerts, people_tasks.purge_sessions]
)
def test_each_purge_runs_every_night(task):
    [entry] = [one for one in app.conf.beat_schedule.values() if one["task"] == task.name]
    assert entry["schedule"].hour <= {3, 4}
    assert len(entry["schedule"].minute) == 1
