"""An incident's life: opened, told, acknowledged, handed over, noted, resolved, reopened."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction

from common.exceptions import DomainError, InvalidInputError
from incidents.models import EscalationStep, Incident
from incidents.queries.incidents import all_incidents, latest_of, open_counts, open_incidents
from incidents.services.opening import NewIncident, open_incident
from incidents.services.runbook_runs import start_run
from incidents.services.transitions import acknowledge, add_note, reassign, reopen, resolve, update_incident
from notifications.models import Message
from notifications.queries.outbox import is_still_relevant, message_link

MINUTE = dt.timedelta(minutes=1)


def opened(pipeline, *, at, by=None, **fields):
    fields.setdefault("kind", "issue")
    fields.setdefault("title", "Too few rows")
    return open_incident(pipeline, what=NewIncident(**fields), by=by, at=at)


def told(incident):
    rows = EscalationStep.objects.filter(incident=incident).order_by("round", "at", "pk")
    return [row.engineer for row in rows.select_related("engineer")]


def kinds(incident):
    return list(incident.timeline.values_list("kind", flat=True))


def test_the_responder_is_told_with_the_runbook_s_link(pipeline, chain, now, a):
    incident = opened(pipeline, at=now, by=a, text="Half of yesterday’s.")
    message = Message.objects.get()
    assert message.recipient == chain(now)[0]
    assert "/runbooks/daily-growth-experiment-focused/" in message.text
    assert "Half of yesterday’s." in message.text
    assert message_link(message) == f"http://127.0.0.1:8000/incidents/{incident.pk}/"
    assert (message.due_at, message.type, message.urgent) == (now, "incident-escalated", True)
    assert kinds(incident) == ["opened", "told"]
    assert incident.next_escalation_at == now + 15 * MINUTE


def test_a_message_about_an_incident_that_somebody_took_is_no_longer_true(pipeline, chain, now):
    incident = opened(pipeline, at=now)
    message = Message.objects.get()
    assert is_still_relevant(message, at=now)
    acknowledge(incident, by=chain(now)[0], at=now)
    assert not is_still_relevant(message, at=now)


def test_an_incident_is_acknowledged_once(pipeline, now, a, b):
    incident = opened(pipeline, at=now)
    taken = acknowledge(incident, by=a, at=now + MINUTE)
    assert (taken.state, taken.acknowledged_by, taken.assignee, taken.next_escalation_at) == (
        "acknowledged", a, a, None,
    )  # fmt: skip
    with pytest.raises(DomainError, match="Engineer A has acknowledged it already"):
        acknowledge(incident, by=b, at=now + MINUTE)
    assert kinds(incident)[-1] == "acknowledged"


def test_an_incident_is_handed_over_and_the_other_is_told(pipeline, now, a, b, outsider):
    incident = opened(pipeline, at=now)
    Message.objects.all().delete()
    handed = reassign(incident, to=b, by=a, at=now + MINUTE, text="Lunch.")
    assert (handed.state, handed.acknowledged_by, handed.assignee) == ("acknowledged", a, b)
    message = Message.objects.get()
    assert (message.recipient, message.type) == (b, "incident-assigned")
    assert is_still_relevant(message, at=now)
    with pytest.raises(DomainError, match="works on it already"):
        reassign(incident, to=b, by=a, at=now)
    reassign(incident, to=a, by=b, at=now + MINUTE)
    reassign(incident, to=b, by=a, at=now + 2 * MINUTE)
    assert Message.objects.filter(recipient=b).count() == 2
    type(outsider).objects.filter(pk=outsider.pk).update(is_active=False)
    outsider.refresh_from_db()
    with pytest.raises(InvalidInputError, match="not active"):
        reassign(incident, to=outsider, by=a, at=now)
    resolve(incident, by=a, at=now + MINUTE)
    assert not is_still_relevant(message, at=now)


def test_what_is_resolved_is_over_until_it_is_reopened(pipeline, chain, now, a, b):
    incident = opened(pipeline, at=now)
    done = resolve(incident, by=b, at=now + MINUTE, text="It ran late.")
    assert (done.state, done.resolved_by, done.resolved_at, done.next_escalation_at) == (
        "resolved", b, now + MINUTE, None,
    )  # fmt: skip
    for again in (
        lambda: resolve(incident, by=a, at=now),
        lambda: acknowledge(incident, by=a, at=now),
        lambda: reassign(incident, to=a, by=b, at=now),
        lambda: start_run(incident, by=b, at=now),
    ):
        with pytest.raises(DomainError):
            again()
    add_note(incident, text="Found the cause.", by=a, at=now + 2 * MINUTE)
    back = reopen(incident, by=a, at=now + 3 * MINUTE, text="Again.")
    assert (back.state, back.round, back.acknowledged_at, back.resolved_at, back.resolved_by) == (
        "open", 2, None, None, None,
    )  # fmt: skip
    assert back.next_escalation_at == now + 18 * MINUTE
    assert told(incident) == [chain(now)[0]] * 2
    assert Message.objects.count() == 2
    with pytest.raises(DomainError, match="not resolved"):
        reopen(incident, by=a, at=now)
    assert kinds(incident) == ["opened", "told", "resolved", "noted", "reopened", "told"]


def test_what_an_incident_is_said_to_be_can_be_corrected(pipeline, now, a):
    incident = opened(pipeline, at=now)
    row = update_incident(incident, by=a, at=now, kind="outage", title="Nothing arrives")
    assert (row.kind, row.title) == ("outage", "Nothing arrives")
    assert kinds(incident)[-1] == "changed"
    update_incident(incident, by=a, at=now, kind="outage")
    assert kinds(incident).count("changed") == 1
    with pytest.raises(InvalidInputError) as caught:
        update_incident(incident, by=a, at=now, kind="storm", title=" ", text="x" * 10_001)
    assert set(caught.value.problems) == {"kind", "title", "text"}


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"title": "  "}, "title"), ({"title": "x" * 201}, "title"), ({"kind": "x"}, "kind"), ({"text": "\0"}, "text")],
)
def test_an_incident_of_the_wrong_words_is_refused_by_field(pipeline, now, fields, field):
    with pytest.raises(InvalidInputError) as caught:
        opened(pipeline, at=now, **fields)
    assert list(caught.value.problems) == [field]
    assert not Incident.objects.exists()


def test_a_note_says_something(pipeline, now, a):
    incident = opened(pipeline, at=now)
    for text in ("", "   ", "x" * 10_001, "a\0"):
        with pytest.raises(InvalidInputError):
            add_note(incident, text=text, by=a, at=now)


def test_a_check_and_an_alert_have_one_open_incident_each(pipeline, now, a):
    first = opened(pipeline, at=now, source="check", check_key=7)
    alert = opened(pipeline, at=now, source="alert", fingerprint="abc")
    for fields in ({"check_key": 7}, {"fingerprint": "abc"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            opened(pipeline, at=now, **fields)
    resolve(first, by=a, at=now)
    second = opened(pipeline, at=now + MINUTE, source="check", check_key=7)
    with pytest.raises(DomainError, match="another open incident"):
        reopen(first, by=a, at=now)
    assert latest_of(check_key=7) == second
    assert latest_of(fingerprint="abc") == alert
    assert latest_of(check_key=8) is None


def test_the_database_forbids_what_can_never_be_true(pipeline, now, a):
    incident = opened(pipeline, at=now)
    rows = Incident.objects.filter(pk=incident.pk)
    for wrong in (
        {"title": ""},
        {"state": "resolved"},
        {"resolved_at": now},
        {"state": "acknowledged"},
        {"state": "resolved", "resolved_at": now - MINUTE, "next_escalation_at": None},
        {"state": "resolved", "resolved_at": now},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**wrong)


def test_open_ones_come_first_and_are_counted(pipeline, now, a):
    one, two, three = (opened(pipeline, at=now + MINUTE * place, title=f"No. {place}") for place in range(3))
    resolve(three, by=a, at=now + 5 * MINUTE)
    acknowledge(two, by=a, at=now + 5 * MINUTE)
    assert list(all_incidents()) == [one, two, three]
    assert list(open_incidents(pipeline=pipeline)) == [one, two]
    assert open_counts([pipeline]) == {pipeline.pk: 2}
