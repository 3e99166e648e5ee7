"""Drills: through rules, chain and escalation, with a stopwatch, and without a trace in statuses and reports."""

import datetime as dt

import pytest
from django.utils import timezone

from common.exceptions import DomainError
from incidents.models import Incident
from incidents.queries.incidents import open_counts, open_incidents
from incidents.queries.reports import pipeline_reports
from incidents.queries.statuses import statuses
from incidents.queries.stopwatch import stopwatch
from incidents.services.drills import end_old_drills, start_drill
from incidents.services.escalation import escalate_due
from incidents.services.transitions import acknowledge, resolve
from notifications.models import Message
from notifications.services.delivery import deliver_one
from oncall_site.queries import pipelines_needing_attention
from tests.factories import bearer
from tests.incidents.test_incidents import MINUTE, notified_people

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def drill(pipeline, chain, now, b):
    return start_drill(pipeline, by=b, at=now)


def test_a_drill_notifies_and_escalates_as_an_incident_does(drill, pipeline, chain, now):
    [message] = Message.objects.all()
    assert "Drill: nothing is wrong" in message.subject
    assert (message.type, message.urgent) == ("incident-escalated", True)
    assert escalate_due(at=now + 15 * MINUTE) == 1
    assert notified_people(drill) == chain(now)[:2]
    acknowledge(drill, by=chain(now)[1], at=now + 16 * MINUTE)
    assert escalate_due(at=now + 60 * MINUTE) == 0


def test_a_drill_touches_no_status_and_no_report(drill, pipeline, now):
    assert statuses([pipeline])[pipeline.pk].open_incidents == 0
    assert statuses([pipeline])[pipeline.pk].name == "unknown"
    assert list(open_incidents()) == []
    assert open_counts([pipeline]) == {}
    assert pipelines_needing_attention() == set()
    assert pipeline_reports([now.date().replace(day=1)]) == []


def test_the_stopwatch_has_every_step(drill, pipeline, chain, now):
    person = chain(now)[0]
    type(person).objects.filter(pk=person.pk).update(email="a@example.org")
    Message.objects.update(due_at=timezone.now(), expires_at=timezone.now() + HOUR)
    deliver_one()
    Message.objects.update(sent_at=now + MINUTE)
    acknowledge(drill, by=person, at=now + 2 * MINUTE)
    resolved = resolve(drill, by=person, at=now + 3 * MINUTE)
    assert [(step.what, step.after) for step in stopwatch(resolved)] == [
        (f"{person} notified", dt.timedelta()),
        (f"E-mail to {person}", MINUTE),
        (f"Acknowledged by {person}", 2 * MINUTE),
        (f"Resolved by {person}", 3 * MINUTE),
    ]


def test_one_drill_runs_at_a_time_and_ends_after_four_hours(drill, pipeline, now, b):
    with pytest.raises(DomainError, match="is running"):
        start_drill(pipeline, by=b, at=now)
    assert end_old_drills(at=now + 4 * HOUR - MINUTE) == 0
    assert end_old_drills(at=now + 4 * HOUR) == 1
    assert Incident.objects.get().state == "resolved"
    start_drill(pipeline, by=b, at=now)


def test_a_drill_is_started_on_the_page_and_by_the_api(signed_in, client, pipeline, a):
    browser, path = signed_in(a), f"/pipelines/{pipeline.slug}/drill/"
    page = browser.post(path, follow=True).content.decode()
    assert "Drill started." in page
    assert "Time after opening" in page
    assert "A drill is already in progress for this pipeline." in browser.post(path, follow=True).content.decode()
    body = {"pipeline": pipeline.slug}
    answer = client.post("/api/v1/incidents/drills/", body, content_type="application/json", **bearer(a))
    assert answer.status_code == 409
    Incident.objects.all().delete()
    row = client.post("/api/v1/incidents/drills/", body, content_type="application/json", **bearer(a)).json()
    assert (row["source"], row["state"]) == ("drill", "open")
    [step] = [
        step
        for step in client.get(f"/api/v1/incidents/{row['id']}/stopwatch/", **bearer(a)).json()
        if step["what"].endswith("notified")
    ]
    assert step["after_seconds"] == 0
