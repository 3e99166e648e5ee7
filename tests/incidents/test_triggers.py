"""Checks and alerts: one incident each; repeats and flapping within the cooldown add to it."""

import datetime as dt
from dataclasses import replace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from incidents.models import Alert, Incident
from incidents.services.escalation import escalate_due
from incidents.services.runbook_runs import start_run
from incidents.services.transitions import acknowledge, add_note, resolve
from incidents.services.triggers import IncidentTrigger, mark_recovered, resolve_alerts, trigger_incident
from notifications.models import Message
from tests.incidents.test_incidents import MINUTE, notified_people, timeline_kinds

COOLDOWN = 30 * MINUTE


@pytest.fixture
def trigger(now):
    return IncidentTrigger(
        kind="delay",
        title="Freshness of logs",
        text="The newest point is 9 hours old.",
        since=now,
        seen_at=now,
        cooldown=COOLDOWN,
        check_id=7,
    )


def again(trigger, minutes, **fields):
    return replace(trigger, seen_at=trigger.seen_at + minutes * MINUTE, **fields)


def resolved_alert(incident, *, fingerprint="f00"):
    """Return the resolved alert of an incident."""
    return Alert.objects.create(
        fingerprint=fingerprint,
        name="Late",
        pipeline=incident.pipeline,
        incident=incident,
        is_firing=False,
        starts_at=incident.opened_at,
        received_at=incident.opened_at,
    )


def test_a_failing_check_has_one_incident_and_repeats_add_to_it(pipeline, trigger, now):
    created = trigger_incident(pipeline, trigger=trigger, at=now)
    assert (created.source, created.check_id, created.opened_by) == ("check", 7, None)
    for minutes in (5, 10, 15):
        assert trigger_incident(pipeline, trigger=again(trigger, minutes), at=now + minutes * MINUTE) == created
    row = Incident.objects.get()
    assert (row.repeats, row.last_seen_at) == (3, now + 15 * MINUTE)
    assert timeline_kinds(row) == ["opened", "notified", "repeated"]
    assert row.timeline.last().data["times"] == 3
    assert Message.objects.count() == 1


def test_a_result_that_was_seen_already_adds_nothing(pipeline, trigger, now):
    opened = trigger_incident(pipeline, trigger=trigger, at=now)
    with CaptureQueriesContext(connection) as context:
        for _ in range(3):
            assert trigger_incident(pipeline, trigger=trigger, at=now + MINUTE) == opened
    assert Incident.objects.get().repeats == 0
    assert not [query["sql"] for query in context if not query["sql"].startswith("SELECT") or " FOR " in query["sql"]]


def test_a_recovered_check_stops_escalation_and_resolves_after_the_cooldown(pipeline, trigger, now):
    created = trigger_incident(pipeline, trigger=trigger, at=now)
    mark_recovered(created, cooldown=COOLDOWN, at=now + 5 * MINUTE)
    assert escalate_due(at=now + 20 * MINUTE) == 0
    row = mark_recovered(created, cooldown=COOLDOWN, at=now + 34 * MINUTE)
    assert (row.state, row.recovered_at) == ("open", now + 5 * MINUTE)
    row = mark_recovered(created, cooldown=COOLDOWN, at=now + 35 * MINUTE)
    assert (row.state, row.resolved_by) == ("resolved", None)
    assert timeline_kinds(row) == ["opened", "notified", "recovered", "resolved"]


def test_flapping_within_the_cooldown_is_one_incident_and_one_message(pipeline, trigger, now):
    created = trigger_incident(pipeline, trigger=trigger, at=now)
    for cycle in range(1, 5):
        mark_recovered(created, cooldown=COOLDOWN, at=now + (cycle * 10 - 5) * MINUTE)
        trigger_incident(pipeline, trigger=again(trigger, cycle * 10), at=now + cycle * 10 * MINUTE)
    row = Incident.objects.get()
    assert (row.state, row.repeats, row.recovered_at) == ("open", 4, None)
    assert row.next_escalation_at == now + 55 * MINUTE
    assert Message.objects.count() == 1


def test_an_acknowledged_incident_is_not_resolved_by_a_recovered_check(pipeline, trigger, now, a):
    created = trigger_incident(pipeline, trigger=trigger, at=now)
    acknowledge(created, by=a, at=now + MINUTE)
    mark_recovered(created, cooldown=COOLDOWN, at=now + 5 * MINUTE)
    row = mark_recovered(created, cooldown=COOLDOWN, at=now + dt.timedelta(days=1))
    assert (row.state, row.recovered_at) == ("acknowledged", now + 5 * MINUTE)


def test_an_ongoing_failure_does_not_reopen_what_a_person_resolved(pipeline, trigger, now, a):
    created = trigger_incident(pipeline, trigger=trigger, at=now)
    resolve(created, by=a, at=now + 5 * MINUTE)
    assert trigger_incident(pipeline, trigger=again(trigger, 6), at=now + 6 * MINUTE) is None
    later = trigger_incident(pipeline, trigger=again(trigger, 40), at=now + 40 * MINUTE)
    assert later != created
    assert Incident.objects.count() == 2


def test_a_new_failure_within_the_cooldown_reopens_the_incident(pipeline, trigger, now, a):
    created = trigger_incident(pipeline, trigger=trigger, at=now)
    resolve(created, by=a, at=now + 5 * MINUTE)
    later = again(trigger, 10, since=now + 10 * MINUTE)
    assert trigger_incident(pipeline, trigger=later, at=now + 10 * MINUTE) == created
    row = Incident.objects.get()
    assert (row.state, row.round) == ("open", 2)
    assert len(notified_people(row)) == 2


def test_a_resolved_alert_resolves_its_incident(pipeline, trigger, now):
    alert = replace(trigger, check_id=None, fingerprint="f00", source="alert")
    created = trigger_incident(pipeline, trigger=alert, at=now)
    assert created.source == "alert"
    row = resolved_alert(created)
    assert resolve_alerts([row], at=now + MINUTE).state == "resolved"
    row.refresh_from_db()
    assert resolve_alerts([row], at=now + MINUTE) is None
    assert resolve_alerts([Alert(fingerprint="unknown")], at=now) is None
    assert trigger_incident(pipeline, trigger=again(alert, 5, since=now + 5 * MINUTE), at=now + 5 * MINUTE) == created


@pytest.mark.parametrize("notes", [0, 1])
def test_a_resolved_alert_resolves_an_acknowledged_incident_and_its_run(pipeline, trigger, now, a, notes):
    alert = replace(trigger, check_id=None, fingerprint="f00", source="alert")
    incident = trigger_incident(pipeline, trigger=alert, at=now)
    acknowledge(incident, by=a, at=now + MINUTE)
    start_run(incident, by=a, at=now + 2 * MINUTE)
    for _ in range(notes):
        add_note(incident, text="Looking.", by=a, at=now + 3 * MINUTE)
    row = resolve_alerts([resolved_alert(incident)], at=now + 5 * MINUTE)
    assert (row.state, row.resolved_at, row.resolved_by) == ("resolved", now + 5 * MINUTE, None)
    assert (row.acknowledged_by, row.assignee) == (a, a)
    assert incident.runs.get().ended_at == now + 5 * MINUTE
    assert timeline_kinds(row)[-1] == "resolved"
    assert escalate_due(at=now + 60 * MINUTE) == 0


def test_a_resolved_alert_leaves_other_incidents_open(pipeline, trigger, now):
    alerts = [replace(trigger, check_id=None, fingerprint=name, source="alert") for name in ("f00", "f01")]
    first, second = (trigger_incident(pipeline, trigger=alert, at=now) for alert in alerts)
    check = trigger_incident(pipeline, trigger=trigger, at=now)
    resolve_alerts([resolved_alert(first)], at=now + MINUTE)
    assert list(Incident.objects.filter(state="resolved")) == [first]
    assert set(Incident.objects.unresolved()) == {second, check}


def test_a_long_title_is_cut(pipeline, trigger, now):
    created = trigger_incident(pipeline, trigger=replace(trigger, title="x " * 300), at=now)
    assert len(created.title) <= 200
