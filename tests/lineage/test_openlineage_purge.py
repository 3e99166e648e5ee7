"""OpenLineage's jobs and datasets are deleted when no event has named them for a while."""

import datetime as dt

import pytest
from django.utils import timezone

from lineage import tasks
from lineage.models import Edge, OpenLineageNode, OpenLineageUse
from lineage.services import openlineage
from lineage.services.openlineage import Use, purge_unseen, record_uses

DAY = dt.timedelta(days=1)


@pytest.fixture
def report(shop):
    """Return a function that reports a job with its input and output, some days ago."""
    staging, core, _ = shop

    def report_job(name, *, days_ago):
        job, source, target = f"job/n/{name}", f"dataset/n/{name}.in", f"dataset/n/{name}.out"
        pipelines = {job: None, source: staging.pk, target: core.pk}
        record_uses([Use(job, source), Use(target, job)], pipelines=pipelines, at=timezone.now() - days_ago * DAY)

    return report_job


def names():
    return {key.rpartition("/")[2] for key in OpenLineageNode.objects.values_list("key", flat=True)}


def purge():
    while purge_unseen(at=timezone.now()):
        pass


def test_jobs_and_datasets_not_named_for_90_days_are_deleted_and_edges_stay(report):
    report("old", days_ago=91)
    report("young", days_ago=89)
    purge()
    assert names() == {"young", "young.in", "young.out"}
    assert OpenLineageUse.objects.count() == 2
    assert Edge.objects.count() == 1


def test_a_dataset_that_is_still_named_keeps_only_its_current_readers(report):
    report("old", days_ago=91)
    fresh = {"job/n/new": None, "dataset/n/old.in": None}
    record_uses([Use("job/n/new", "dataset/n/old.in")], pipelines=fresh, at=timezone.now())
    purge()
    assert names() == {"new", "old.in"}
    assert OpenLineageUse.objects.count() == 1


def test_the_setting_sets_the_retention(report, settings):
    settings.REPORT_RETENTION_DAYS = 30
    report("old", days_ago=31)
    report("young", days_ago=29)
    purge()
    assert names() == {"young", "young.in", "young.out"}


def test_the_nightly_task_deletes_in_batches_within_its_time(report, monkeypatch):
    monkeypatch.setattr(openlineage, "BATCH_SIZE", 2)
    report("old", days_ago=100)
    monkeypatch.setattr(tasks, "PURGE_SECONDS", -1)
    tasks.purge_openlineage()
    assert (OpenLineageUse.objects.count(), OpenLineageNode.objects.count()) == (0, 3)
    monkeypatch.setattr(tasks, "PURGE_SECONDS", 60)
    tasks.purge_openlineage()
    assert OpenLineageNode.objects.count() == 0


def test_the_purge_runs_every_night():
    from oncall_site.celery import app

    [entry] = [one for one in app.conf.beat_schedule.values() if one["task"] == tasks.purge_openlineage.name]
    assert entry["schedule"].hour == {3}
    assert len(entry["schedule"].minute) == 1
