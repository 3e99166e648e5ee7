"""Publication and restatements: what was published, what changed afterwards, and why."""

import datetime as dt
import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from incidents.services.transitions import NewIncident, open_incident, resolve
from readiness.domain.ledger import RELATIVE_TOLERANCE, differs
from readiness.domain.verdict import Readiness, Verdict
from readiness.models import Publication, Restatement, SweepCursor
from readiness.services import publication
from readiness.services.channel_posts import MAX_VALUES_SENT, post_restatements
from readiness.services.publication import SweepResult, sweep_publications
from team_channels.models import ChannelDelivery, TeamChannel
from tests.thorough import cases
from tests.validation.fixtures import AT, DAY, bucket, push, run
from validation.models import MetricPoint
from validation.services.points import NewPoint, push_points

HOUR = dt.timedelta(hours=1)
YESTERDAY = dt.date(2026, 11, 24)


@pytest.fixture
def published(pipeline, metric, check):
    push(metric, [20.0, 20.0])
    run(check)
    assert sweep_publications(at=AT) == SweepResult(published=1)
    return Publication.objects.get()


def restate(metric, check, value, *, at, newest=1):
    push(metric, [value], at=at, newest=newest)
    run(check, at=at)
    return sweep_publications(at=at)


def test_a_day_is_published_when_it_becomes_safe(pipeline, metric, check):
    push(metric, [20.0, 2.0])
    run(check)
    assert sweep_publications(at=AT) == SweepResult()
    restate(metric, check, 20.0, at=AT + HOUR)
    [row] = Publication.objects.all()
    assert (row.pipeline, row.day, row.published_at) == (pipeline, YESTERDAY, AT + HOUR)
    assert Restatement.objects.count() == 0
    assert sweep_publications(at=AT + 2 * HOUR) == SweepResult()


def test_a_day_that_becomes_wrong_just_before_it_is_published_is_not(pipeline, metric, check, monkeypatch):
    push(metric, [20.0])
    run(check)
    lock = publication._lock_metrics

    def push_before_lock(pipelines):
        push(metric, [2.0], at=AT + HOUR)
        run(check, at=AT + HOUR)
        return lock(pipelines)

    monkeypatch.setattr(publication, "_lock_metrics", push_before_lock)
    assert sweep_publications(at=AT + HOUR) == SweepResult()
    assert not Publication.objects.exists()


def test_metrics_and_checks_are_read_once_for_all_unpublished_days(pipeline, metric, check):
    push(metric, [2.0])
    run(check)
    with CaptureQueriesContext(connection) as context:
        assert sweep_publications(at=AT) == SweepResult()
    tables = [re.search(r'FROM "?(\w+)', query["sql"])[1] for query in context if query["sql"].startswith("SELECT ")]
    assert tables.count("validation_checkresult") >= publication.PUBLISHED_DAYS - 1, "one for each day"
    assert tables.count("validation_metric") == 1
    assert tables.count("validation_check") == 2, "those that wait longer than their metric, and all"


def test_a_published_value_that_changes_is_restated(published, metric, check):
    assert restate(metric, check, 25.0, at=AT + HOUR) == SweepResult(opened=1, settled=1)
    [row] = Restatement.objects.all()
    assert (row.metric, row.segment, row.bucket) == (metric, "", bucket(1))
    assert (row.from_value, row.to_value, row.change, row.percent) == (20.0, 25.0, 5.0, 25.0)
    assert (row.published_at, row.changed_at, row.restated_at, row.settled_at) == (AT, *[AT + HOUR] * 3)
    assert row.wrong_since == AT
    assert (row.cause, row.incident) == ("backfill", None)


def test_the_next_restatement_starts_from_the_last(published, metric, check):
    restate(metric, check, 25.0, at=AT + HOUR)
    restate(metric, check, 24.0, at=AT + 2 * HOUR)
    rows = [(row.from_value, row.to_value, row.published_at) for row in Restatement.objects.order_by("pk")]
    assert rows == [(20.0, 25.0, AT), (25.0, 24.0, AT + HOUR)]


def test_a_restatement_is_open_until_the_day_is_safe_again(published, metric, check):
    assert restate(metric, check, 2.0, at=AT + HOUR) == SweepResult(opened=1)
    assert restate(metric, check, 1.0, at=AT + 2 * HOUR) == SweepResult()
    assert restate(metric, check, 20.0, at=AT + 3 * HOUR) == SweepResult(settled=1)
    [row] = Restatement.objects.all()
    assert (row.from_value, row.farthest_value, row.to_value) == (20.0, 1.0, 20.0)
    # It was published right: readers saw a wrong number from the first change on.
    assert (row.has_returned, row.wrong_since) == (True, AT + HOUR)
    assert (row.changed_at, row.restated_at, row.settled_at) == (AT + HOUR, AT + 3 * HOUR, AT + 3 * HOUR)


def test_a_change_and_its_reversal_between_two_sweeps_are_recorded(published, metric, check):
    push(metric, [2.0], at=AT + HOUR)
    assert restate(metric, check, 20.0, at=AT + 2 * HOUR) == SweepResult(opened=1, settled=1)
    [row] = Restatement.objects.all()
    assert (row.changed_at, row.restated_at, row.farthest_value) == (AT + HOUR, AT + 2 * HOUR, 2.0)


def test_changes_within_the_tolerance_are_not_restatements_until_they_add_up(published, metric, check):
    for number in range(1, 4):
        restate(metric, check, 20.0 + number * 20 * RELATIVE_TOLERANCE / 2, at=AT + number * HOUR)
        assert Restatement.objects.count() == int(number > 2)
    assert Restatement.objects.get().from_value == 20.0


def test_a_value_that_arrives_after_publication_was_not_published(published, metric, check):
    push(metric, [5.0], at=AT + HOUR, segment="eu")
    push(metric, [6.0], at=AT + 2 * HOUR, segment="eu")
    run(check, at=AT + 2 * HOUR)
    assert sweep_publications(at=AT + 2 * HOUR) == SweepResult()


def test_the_cause_is_the_incident_that_was_open(published, pipeline, metric, check, a):
    incident = open_incident(pipeline, what=NewIncident(kind="issue", title="Odd"), by=a, at=AT + HOUR)
    restate(metric, check, 25.0, at=AT + 2 * HOUR)
    resolve(incident, by=a, at=AT + 3 * HOUR)
    assert sweep_publications(at=AT + 3 * HOUR) == SweepResult(settled=1)
    row = Restatement.objects.get()
    assert (row.cause, row.incident) == ("incident", incident)


def test_a_backfill_of_an_older_day_is_a_restatement_of_that_day(published, metric, check):
    run(check, at=AT - DAY)
    sweep_publications(at=AT)
    assert Publication.objects.count() == 2
    restate(metric, check, 30.0, at=AT + HOUR, newest=2)
    row = Restatement.objects.get()
    assert (row.publication.day, row.bucket) == (YESTERDAY - DAY, bucket(2))


steps = st.lists(
    st.tuples(
        st.sampled_from(["push", "replay", "sweep", "safe", "unsafe"]),
        st.integers(1, 3),
        st.sampled_from(["", "eu"]),
        st.sampled_from([0.0, 10.0, 10.001, 11.0, 20.0]),
        st.integers(0, 6),
    ),
    max_size=14,
)


def test_published_value_plus_ledger_is_the_current_value(pipeline, metric, check, monkeypatch):
    """In any order of pushes, replays and backfills of three days, with sweeps and verdicts in between."""
    safe = {"now": True}

    def readiness(pipelines, *, at, day=None, rows=None):
        verdict = Verdict.SAFE if safe["now"] else Verdict.WRONG
        return {row.pk: Readiness(day or YESTERDAY, verdict, (), 1, None) for row in pipelines}

    monkeypatch.setattr(publication, "readiness_by_pipeline", readiness)
    monkeypatch.setattr(publication, "PUBLISHED_DAYS", 3)

    @settings(max_examples=cases(30))
    @given(steps)
    def run_steps(chosen):
        for rows in (Publication.objects, SweepCursor.objects, metric.points):
            rows.all().delete()
        at, last = AT, None
        first = {(segment, bucket(day)): 10.0 for segment in ("", "eu") for day in (1, 2, 3)}
        push_points(metric, points=[NewPoint(key[1], value, key[0]) for key, value in first.items()], at=at)
        safe["now"] = True
        sweep_publications(at=at)
        assert Publication.objects.count() == 3
        for action, day, segment, value, minutes in chosen:
            at += dt.timedelta(minutes=minutes)
            if action == "push":
                last = NewPoint(bucket(day), value, segment)
            if action in ("push", "replay") and last is not None:
                push_points(metric, points=[last], at=at)
            elif action == "sweep":
                sweep_publications(at=at)
            elif action in ("safe", "unsafe"):
                safe["now"] = action == "safe"
        sweep_publications(at=at)
        for (segment, day), value in first.items():
            current = MetricPoint.objects.get(metric=metric, segment=segment, bucket=day).value
            ledger = list(Restatement.objects.filter(metric=metric, segment=segment, bucket=day).order_by("pk"))
            total = value + sum(row.change for row in ledger)
            assert not differs(current, total)
            chain = [value, *(row.to_value for row in ledger)]
            assert [row.from_value for row in ledger] == chain[:-1]
            assert sum(row.settled_at is None for row in ledger) <= (not safe["now"])

    run_steps()


def test_channels_get_a_restatement_and_its_end_once(published, pipeline, metric, check):
    TeamChannel.objects.create(
        pipeline=pipeline,
        kind="mattermost",
        name="#data",
        address="https://chat.example.org/hooks/x",
        shown_as="chat.example.org",
        events=["restatement.opened", "restatement.settled"],
    )
    restate(metric, check, 25.0, at=AT + HOUR)
    sweep_publications(at=AT + 2 * HOUR)
    opened, settled = ChannelDelivery.objects.order_by("pk")
    assert (opened.event, settled.event) == ("restatement.opened", "restatement.settled")
    assert opened.title.startswith(f"Published numbers changed: {pipeline}, ")
    assert "20" in opened.text
    assert "25" in opened.text
    [row] = opened.data["restatements"]
    assert (row["metric"], row["from_value"], row["to_value"]) == (metric.slug, 20.0, 25.0)
    assert opened.data["restatements_total"] == 1


def test_a_post_has_a_limited_number_of_restatements_and_their_total(published, pipeline, metric, check):
    TeamChannel.objects.create(
        pipeline=pipeline, kind="mattermost", name="#data", address="https://chat.example.org/hooks/x", shown_as="chat.example.org",
        events=["restatement.opened"],
    )  # fmt: skip
    restate(metric, check, 25.0, at=AT + HOUR)
    sweep_publications(at=AT + 2 * HOUR)
    row = Restatement.objects.get()
    ChannelDelivery.objects.all().delete()
    post_restatements("restatement.opened", row.publication, restatements=[row] * 3_000, at=AT + 2 * HOUR)
    data = ChannelDelivery.objects.get().data
    assert (len(data["restatements"]), data["restatements_total"]) == (MAX_VALUES_SENT, 3_000)
