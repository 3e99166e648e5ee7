"""Checks and alerts: one incident each, repeats add to it, flapping within the cooldown too."""

import datetime as dt
from dataclasses import replace

import pytest

from incidents.models import Incident
from incidents.services.escalation import escalate_due
from incidents.services.transitions import acknowledge, resolve
from incidents.services.triggers import IncidentTrigger, mark_recovered, resolve_alert, trigger_incident
from notifications.models import Message
from tests.incidents.test_incidents import MINUTE, kinds, told

COOLDOWN = 30 * MINUTE


@pytest.fixture
def cause(now):
    return IncidentTrigger(
        kind="delay",
        title="Freshness of logs",
        text="The newest point is 9 hours old.",
        since=now,
        seen_at=now,
        cooldown=COOLDOWN,
        check_id=7,
    )


def again(cause, minutes, **fields):
    return replace(cause, seen_at=cause.seen_at + minutes * MINUTE, **fields)


def test_a_failing_check_has_one_incident_and_repeats_add_to_it(pipeline, cause, now):
    made = trigger_incident(pipeline, trigger=cause, at=now)
    assert (made.source, made.check_id, made.opened_by) == ("check", 7, None)
    for minutes in (5, 10, 15):
        assert trigger_incident(pipeline, trigger=again(cause, minutes), at=now + minutes * MINUTE) == made
    row = Incident.objects.get()
    assert (row.repeats, row.last_seen_at) == (3, now + 15 * MINUTE)
    assert kinds(row) == ["opened", "notified", "repeated"]
    assert row.timeline.last().data["times"] == 3
    assert Message.objects.count() == 1


def test_what_was_seen_already_adds_nothing(pipeline, cause, now):
    trigger_incident(pipeline, trigger=cause, at=now)
    for _ in range(3):
        trigger_incident(pipeline, trigger=cause, at=now + MINUTE)
    assert Incident.objects.get().repeats == 0


def test_a_check_that_passes_stops_the_escalation_and_is_closed_after_its_cooldown(pipeline, cause, now):
    made = trigger_incident(pipeline, trigger=cause, at=now)
    mark_recovered(made, cooldown=COOLDOWN, at=now + 5 * MINUTE)
    assert escalate_due(at=now + 20 * MINUTE) == 0
    row = mark_recovered(made, cooldown=COOLDOWN, at=now + 34 * MINUTE)
    assert (row.state, row.recovered_at) == ("open", now + 5 * MINUTE)
    row = mark_recovered(made, cooldown=COOLDOWN, at=now + 35 * MINUTE)
    assert (row.state, row.resolved_by) == ("resolved", None)
    assert kinds(row) == ["opened", "notified", "recovered", "resolved"]


def test_a_check_that_flaps_within_its_cooldown_is_one_incident_and_one_message(pipeline, cause, now):
    made = trigger_incident(pipeline, trigger=cause, at=now)
    for turn in range(1, 5):
        mark_recovered(made, cooldown=COOLDOWN, at=now + (turn * 10 - 5) * MINUTE)
        trigger_incident(pipeline, trigger=again(cause, turn * 10), at=now + turn * 10 * MINUTE)
    row = Incident.objects.get()
    assert (row.state, row.repeats, row.recovered_at) == ("open", 4, None)
    assert row.next_escalation_at == now + 55 * MINUTE
    assert Message.objects.count() == 1


def test_who_has_taken_an_incident_decides_when_it_is_over(pipeline, cause, now, a):
    made = trigger_incident(pipeline, trigger=cause, at=now)
    acknowledge(made, by=a, at=now + MINUTE)
    mark_recovered(made, cooldown=COOLDOWN, at=now + 5 * MINUTE)
    row = mark_recovered(made, cooldown=COOLDOWN, at=now + dt.timedelta(days=1))
    assert (row.state, row.recovered_at) == ("acknowledged", now + 5 * MINUTE)


def test_what_a_person_resolved_is_not_opened_again_while_it_goes_on(pipeline, cause, now, a):
    made = trigger_incident(pipeline, trigger=cause, at=now)
    resolve(made, by=a, at=now + 5 * MINUTE)
    assert trigger_incident(pipeline, trigger=again(cause, 6), at=now + 6 * MINUTE) is None
    later = trigger_incident(pipeline, trigger=again(cause, 40), at=now + 40 * MINUTE)
    assert later != made
    assert Incident.objects.count() == 2


def test_failing_anew_within_the_cooldown_reopens_it(pipeline, cause, now, a):
    made = trigger_incident(pipeline, trigger=cause, at=now)
    resolve(made, by=a, at=now + 5 * MINUTE)
    later = again(cause, 10, since=now + 10 * MINUTE)
    assert trigger_incident(pipeline, trigger=later, at=now + 10 * MINUTE) == made
    row = Incident.objects.get()
    assert (row.state, row.round) == ("open", 2)
    assert len(told(row)) == 2


def test_an_alert_that_is_over_closes_its_incident(pipeline, cause, now):
    alert = replace(cause, check_id=None, fingerprint="f00", source="alert")
    made = trigger_incident(pipeline, trigger=alert, at=now)
    assert made.source == "alert"
    assert resolve_alert("f00", at=now + MINUTE).state == "resolved"
    assert resolve_alert("f00", at=now + MINUTE) is None
    assert resolve_alert("unheard of", at=now) is None
    assert trigger_incident(pipeline, trigger=again(alert, 5, since=now + 5 * MINUTE), at=now + 5 * MINUTE) == made


def test_a_long_title_is_cut(pipeline, cause, now):
    made = trigger_incident(pipeline, trigger=replace(cause, title="x " * 300), at=now)
    assert len(made.title) <= 200
