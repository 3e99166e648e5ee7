"""Transitions of an incident: open, acknowledge, reassign, annotate, edit, resolve and reopen."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from common.exceptions import DomainError, InvalidInputError
from incidents.models import EscalationStep, Incident
from incidents.queries.incidents import all_incidents, open_counts, open_incidents, timeline
from incidents.services.escalation import escalate_due
from incidents.services.maintenance import schedule_maintenance
from incidents.services.runbook_runs import start_run
from incidents.services.transitions import (
    NewIncident,
    Snooze,
    acknowledge,
    add_note,
    open_incident,
    reassign,
    reopen,
    resolve,
    restore_snooze,
    snooze,
    update_incident,
)
from incidents.services.triggers import latest_incident, mark_recovered
from notifications.models import Message
from notifications.queries.outbox import is_still_relevant, message_link
from tests.each import each

MINUTE = dt.timedelta(minutes=1)


def make_incident(pipeline, *, at, by=None, **fields):
    fields.setdefault("kind", "issue")
    fields.setdefault("title", "Too few rows")
    return open_incident(pipeline, what=NewIncident(**fields), by=by, at=at)


def notified_people(incident):
    rows = EscalationStep.objects.filter(incident=incident).order_by("round", "at", "pk")
    return [row.engineer for row in rows.select_related("engineer")]


def timeline_kinds(incident):
    return list(incident.timeline.values_list("kind", flat=True))


def test_the_responder_is_notified_with_a_link_to_the_runbook(pipeline, chain, now, a):
    incident = make_incident(pipeline, at=now, by=a, text="Half of yesterday’s.")
    message = Message.objects.get()
    assert message.recipient == chain(now)[0]
    assert "/runbooks/daily-growth-experiment-focused/" in message.text
    assert "Half of yesterday’s." in message.text
    assert message_link(message) == f"http://127.0.0.1:8000/incidents/{incident.pk}/"
    assert (message.due_at, message.type, message.urgent) == (now, "incident-escalated", True)
    assert timeline_kinds(incident) == ["opened", "notified"]
    assert incident.next_escalation_at == now + 15 * MINUTE


def test_a_notification_is_dropped_once_the_incident_is_acknowledged(pipeline, chain, now):
    incident = make_incident(pipeline, at=now)
    message = Message.objects.get()
    assert is_still_relevant(message, at=now)
    acknowledge(incident, by=chain(now)[0], at=now)
    assert not is_still_relevant(message, at=now)


def test_an_incident_is_acknowledged_once(pipeline, now, a, b):
    incident = make_incident(pipeline, at=now)
    acknowledged = acknowledge(incident, by=a, at=now + MINUTE)
    assert (acknowledged.state, acknowledged.acknowledged_by, acknowledged.assignee, acknowledged.next_escalation_at) == (
        "acknowledged", a, a, None,
    )  # fmt: skip
    with pytest.raises(DomainError, match="Engineer A already acknowledged this incident"):
        acknowledge(incident, by=b, at=now + MINUTE)
    assert timeline_kinds(incident)[-1] == "acknowledged"


def test_reassigning_notifies_the_new_assignee(pipeline, now, a, b, outsider):
    incident = make_incident(pipeline, at=now)
    Message.objects.all().delete()
    reassigned = reassign(incident, to=b, by=a, at=now + MINUTE, text="Lunch.")
    assert (reassigned.state, reassigned.acknowledged_by, reassigned.assignee) == ("open", None, b)
    message = Message.objects.get()
    assert (message.recipient, message.type) == (b, "incident-assigned")
    for part in (
        "Engineer A assigned this incident to you.",
        "Lunch.",
        "Issue: Too few rows",
        f"/runbooks/{pipeline.slug}/",
    ):
        assert part in message.text
    assert is_still_relevant(message, at=now)
    with pytest.raises(DomainError, match="already assigned to Engineer B"):
        reassign(incident, to=b, by=a, at=now)
    reassign(incident, to=a, by=b, at=now + MINUTE)
    reassign(incident, to=b, by=a, at=now + 2 * MINUTE)
    assert Message.objects.filter(recipient=b).count() == 2
    type(outsider).objects.filter(pk=outsider.pk).update(is_active=False)
    outsider.refresh_from_db()
    with pytest.raises(InvalidInputError, match="inactive"):
        reassign(incident, to=outsider, by=a, at=now)
    resolve(incident, by=a, at=now + MINUTE)
    assert not is_still_relevant(message, at=now)


def test_a_resolved_incident_can_only_be_reopened(pipeline, chain, now, a, b):
    incident = make_incident(pipeline, at=now)
    resolved = resolve(incident, by=b, at=now + MINUTE, text="It ran late.")
    assert (resolved.state, resolved.resolved_by, resolved.resolved_at, resolved.next_escalation_at) == (
        "resolved", b, now + MINUTE, None,
    )  # fmt: skip
    for action in (
        lambda: resolve(incident, by=a, at=now),
        lambda: acknowledge(incident, by=a, at=now),
        lambda: reassign(incident, to=a, by=b, at=now),
        lambda: start_run(incident, by=b, at=now),
    ):
        with pytest.raises(DomainError):
            action()
    add_note(incident, text="Found the cause.", by=a, at=now + 2 * MINUTE)
    reopened = reopen(incident, by=a, at=now + 3 * MINUTE, text="Again.")
    assert (reopened.state, reopened.round, reopened.acknowledged_at, reopened.resolved_at, reopened.resolved_by) == (
        "open", 2, None, None, None,
    )  # fmt: skip
    assert reopened.next_escalation_at == now + 18 * MINUTE
    assert notified_people(incident) == [chain(now)[0]] * 2
    assert Message.objects.count() == 2
    with pytest.raises(DomainError, match="not resolved"):
        reopen(incident, by=a, at=now)
    assert timeline_kinds(incident) == ["opened", "notified", "resolved", "note", "reopened", "notified"]


def test_an_incident_can_be_edited(pipeline, now, a):
    incident = make_incident(pipeline, at=now)
    row = update_incident(incident, by=a, at=now, kind="outage", title="Nothing arrives")
    assert (row.kind, row.title) == ("outage", "Nothing arrives")
    assert timeline_kinds(incident)[-1] == "edited"
    update_incident(incident, by=a, at=now, kind="outage")
    assert timeline_kinds(incident).count("edited") == 1
    with pytest.raises(InvalidInputError) as caught:
        update_incident(incident, by=a, at=now, kind="storm", title=" ", text="x" * 10_001)
    assert set(caught.value.problems) == {"kind", "title", "text"}


def test_assigning_an_incident_to_oneself_acknowledges_it(pipeline, now, a):
    row = reassign(make_incident(pipeline, at=now), to=a, by=a, at=now + MINUTE)
    assert (row.state, row.acknowledged_by, row.assignee, row.next_escalation_at) == ("acknowledged", a, a, None)
    assert Message.objects.filter(type="incident-assigned").count() == 0


def test_the_timeline_is_in_the_order_things_happened(pipeline, now, a, b):
    """A slow clock or a wait for the lock never puts an entry before the ones that were written first."""
    incident = make_incident(pipeline, at=now)
    add_note(incident, text="Looking.", by=a, at=now + 5 * MINUTE)
    acknowledge(incident, by=b, at=now + 2 * MINUTE)
    resolve(incident, by=b, at=now + 3 * MINUTE)
    assert timeline_kinds(incident) == ["opened", "notified", "note", "acknowledged", "resolved"]
    assert [entry.kind for entry in timeline(incident)] == ["resolved", "acknowledged", "note", "notified", "opened"]
    times = list(incident.timeline.values_list("at", flat=True))
    assert times == sorted(times)


@pytest.mark.parametrize("in_maintenance", [False, True])
def test_a_snooze_that_is_undone_wakes_nobody_about_what_recovered_or_is_held(pipeline, chain, now, a, in_maintenance):
    incident = make_incident(pipeline, at=now)
    before = Snooze(None, incident.next_escalation_at)
    until = now + 120 * MINUTE
    snooze(incident, until=until, by=a, at=now + MINUTE)
    if in_maintenance:
        window = {"starts_at": now + 2 * MINUTE, "ends_at": now + 60 * MINUTE, "reason": "Migration"}
        schedule_maintenance(pipeline, by=a, at=now + 2 * MINUTE, **window)
    else:
        mark_recovered(incident, cooldown=30 * MINUTE, at=now + 2 * MINUTE)
    restore_snooze(incident, before=before, saved=until, by=a, at=now + 3 * MINUTE)
    for minute in range(4, 40):
        escalate_due(at=now + minute * MINUTE)
    assert notified_people(incident) == chain(now)[:1]


def test_snoozing_stops_escalation_until_the_snooze_ends(pipeline, chain, now, a):
    incident = make_incident(pipeline, at=now)
    row = snooze(incident, until=now + 120 * MINUTE, by=a, at=now + MINUTE)
    assert (row.snoozed_until, row.next_escalation_at) == (now + 120 * MINUTE, None)
    assert escalate_due(at=now + 119 * MINUTE) == 0
    assert escalate_due(at=now + 120 * MINUTE) == 1
    row.refresh_from_db()
    assert (row.state, row.snoozed_until, row.next_escalation_at) == ("open", None, now + 135 * MINUTE)
    assert notified_people(incident) == [chain(now)[0]] * 2
    assert timeline_kinds(incident) == ["opened", "notified", "snoozed", "snooze_ended", "notified"]


def test_a_snoozed_acknowledged_incident_goes_back_to_its_assignee(pipeline, chain, now, outsider):
    incident = make_incident(pipeline, at=now)
    acknowledge(incident, by=outsider, at=now)
    snooze(incident, until=now + 60 * MINUTE, by=outsider, at=now)
    escalate_due(at=now + 60 * MINUTE)
    incident.refresh_from_db()
    assert (incident.state, incident.assignee, incident.acknowledged_by) == ("open", outsider, None)
    escalate_due(at=now + 75 * MINUTE)
    assert notified_people(incident) == [chain(now)[0], outsider, chain(now)[0]]


@pytest.mark.parametrize("change", ["acknowledge", "reassign", "resolve"])
def test_a_decision_ends_the_snooze(pipeline, now, a, b, change):
    incident = make_incident(pipeline, at=now)
    snooze(incident, until=now + 60 * MINUTE, by=a, at=now)
    services = {
        "acknowledge": lambda: acknowledge(incident, by=a, at=now),
        "reassign": lambda: reassign(incident, to=b, by=a, at=now),
        "resolve": lambda: resolve(incident, by=a, at=now),
    }
    assert services[change]().snoozed_until is None


@pytest.mark.parametrize("minutes", [-1, 0, 30 * 1440 + 1])
def test_a_snooze_ends_in_the_future_within_30_days(pipeline, now, a, minutes):
    incident = make_incident(pipeline, at=now)
    with pytest.raises(InvalidInputError, match="until: Choose a time"):
        snooze(incident, until=now + minutes * MINUTE, by=a, at=now)
    resolve(incident, by=a, at=now)
    with pytest.raises(DomainError, match="already resolved"):
        snooze(incident, until=now + MINUTE, by=a, at=now)


@each(
    ("fields", "field"),
    [
        ({"title": "  "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"kind": "x"}, "kind"),
        ({"severity": "x"}, "severity"),
        ({"text": "\0"}, "text"),
    ],
)
def test_an_invalid_incident_is_refused_by_field(pipeline, now, fields, field):
    with pytest.raises(InvalidInputError) as caught:
        make_incident(pipeline, at=now, **fields)
    assert list(caught.value.problems) == [field]
    assert not Incident.objects.exists()


def test_an_empty_or_invalid_note_is_refused(pipeline, now, a):
    incident = make_incident(pipeline, at=now)
    for text in ("", "   ", "x" * 10_001, "a\0"):
        with pytest.raises(InvalidInputError):
            add_note(incident, text=text, by=a, at=now)


@each(
    ("again", "seconds", "notes"),
    [("Looking.", 59, 1), ("  Looking. ", 59, 1), ("Looking!", 59, 2), ("Looking.", 60, 2)],
)
def test_the_same_note_within_a_minute_is_stored_once(pipeline, now, a, again, seconds, notes):
    incident = make_incident(pipeline, at=now)
    sent = [
        add_note(incident, text="Looking.", by=a, at=now),
        add_note(incident, text=again, by=a, at=now + dt.timedelta(seconds=seconds)),
    ]
    assert (len({entry.pk for entry in sent}), incident.timeline.filter(kind="note").count()) == (notes, notes)


def test_the_same_note_by_another_person_is_another_note(pipeline, now, a, b):
    incident = make_incident(pipeline, at=now)
    for person in (a, b):
        add_note(incident, text="On it.", by=person, at=now)
    assert [entry.by for entry in incident.timeline.filter(kind="note")] == [a, b]


def test_a_check_and_an_alert_have_one_open_incident_each(pipeline, now, a):
    first = make_incident(pipeline, at=now, source="check", check_id=7)
    alert = make_incident(pipeline, at=now, source="alert", fingerprint="abc")
    for fields in ({"check_id": 7}, {"fingerprint": "abc"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            make_incident(pipeline, at=now, **fields)
    resolve(first, by=a, at=now)
    second = make_incident(pipeline, at=now + MINUTE, source="check", check_id=7)
    with pytest.raises(DomainError, match="another open incident"):
        reopen(first, by=a, at=now)
    assert latest_incident(check_id=7) == second
    assert latest_incident(fingerprint="abc") == alert
    assert latest_incident(check_id=8) is None


def test_the_database_refuses_impossible_incidents(pipeline, now, a):
    incident = make_incident(pipeline, at=now)
    rows = Incident.objects.filter(pk=incident.pk)
    for fields in (
        {"title": ""},
        {"state": "resolved"},
        {"resolved_at": now},
        {"state": "acknowledged"},
        {"state": "resolved", "resolved_at": now - MINUTE, "next_escalation_at": None},
        {"state": "resolved", "resolved_at": now},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**fields)


def test_open_incidents_come_first_and_are_counted(pipeline, now, a):
    one, two, three = (make_incident(pipeline, at=now + MINUTE * place, title=f"No. {place}") for place in range(3))
    resolve(three, by=a, at=now + 5 * MINUTE)
    acknowledge(two, by=a, at=now + 5 * MINUTE)
    assert list(all_incidents()) == [one, two, three]
    assert list(open_incidents(pipeline=pipeline)) == [one, two]
    assert open_counts([pipeline]) == {pipeline.pk: 2}
