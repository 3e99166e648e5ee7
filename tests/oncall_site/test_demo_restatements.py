"""Failures of the demo that are injected after publication and repaired give one restatement each, with the right dates."""

import datetime as dt

import pytest

from examples.warehouse import SCENARIOS, inject
from incidents.models import Incident
from incidents.services.transitions import resolve
from incidents.services.triggers import sync_with_checks
from people.domain.names import match_key
from pipelines.models import Pipeline
from readiness.models import Publication, Restatement
from readiness.services.publication import sweep_publications
from tests.oncall_site.conftest import DAY, NOON
from tests.oncall_site.test_demo import judged
from validation.domain.buckets import date_bucket
from validation.models import Check, CheckResult
from validation.services.known_events import acknowledge_expected

# On one worker of xdist with the other tests of this demo, so that it is built once.
pytestmark = pytest.mark.xdist_group("demo")

HOUR = dt.timedelta(hours=1)


def work(pipeline, *, at):
    """Run the checks of a pipeline, open or resolve its incidents, and sweep its publications."""
    judged(*Check.objects.filter(pipeline=pipeline), at=at)
    sync_with_checks(at=at)
    return sweep_publications(at=at)


@pytest.mark.parametrize(
    ("name", "metric", "segment"),
    [
        ("wrong-tags", "unknown-tags", ""),
        ("regional-discrepancy", "regional-profit", "south"),
    ],
)
def test_a_repaired_failure_is_one_restatement(built_demo, healthy_warehouse, admin, name, metric, segment):
    scenario = SCENARIOS[name]
    pipeline = Pipeline.objects.get(match_key=match_key(scenario.pipeline))
    assert work(pipeline, at=NOON).published == 1
    assert Publication.objects.get().day == DAY
    inject(built_demo, scenario, day=DAY)
    work(pipeline, at=NOON + HOUR)
    incident = Incident.objects.get()
    assert Restatement.objects.get().settled_at is None
    built_demo.write_bytes(healthy_warehouse)
    work(pipeline, at=NOON + 2 * HOUR)
    # The incident stays open for the check's recovery time.
    work(pipeline, at=NOON + 3 * HOUR)
    [row] = Restatement.objects.all()
    assert (row.metric.pipeline, row.metric.slug, row.segment, row.bucket) == (
        pipeline,
        metric,
        segment,
        date_bucket(DAY),
    )
    assert (row.has_returned, row.farthest_value != row.from_value) == (True, True)
    assert (row.published_at, row.wrong_since, row.restated_at) == (NOON, NOON + HOUR, NOON + 2 * HOUR)
    assert row.settled_at == NOON + 3 * HOUR
    assert (row.cause, row.incident) == ("incident", incident)


def test_a_cohort_that_was_missing_at_publication_is_one_restatement_when_it_arrives(
    built_demo, healthy_warehouse, admin
):
    scenario = SCENARIOS["missing-cohort"]
    inject(built_demo, scenario, day=DAY)
    pipeline = Pipeline.objects.get(match_key=match_key(scenario.pipeline))
    assert work(pipeline, at=NOON).published == 0
    # An engineer takes the gap for expected, so that the day is published without the cohort.
    for result in CheckResult.objects.filter(status__in=["fail", "warn"]):
        acknowledge_expected(result, by=admin, at=NOON)
    resolve(Incident.objects.get(), by=admin, at=NOON)
    assert sweep_publications(at=NOON).published == 1
    built_demo.write_bytes(healthy_warehouse)
    work(pipeline, at=NOON + HOUR)
    [row] = Restatement.objects.all()
    assert (row.metric.slug, row.segment, row.bucket) == ("active-by-cohort", "", date_bucket(DAY))
    assert (row.to_value > row.from_value, row.has_returned) == (True, False)
    assert (row.published_at, row.wrong_since) == (NOON, NOON)
    assert (row.changed_at, row.restated_at, row.settled_at) == (NOON + HOUR,) * 3
    assert (row.cause, row.incident) == ("backfill", None)
