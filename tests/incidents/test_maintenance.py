"""Maintenance windows: nothing escalates while one lasts, and open incidents escalate at its end."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from common.exceptions import DomainError, InvalidInputError
from incidents.models import Incident, MaintenanceWindow
from incidents.queries.statuses import statuses
from incidents.services.escalation import escalate_due
from incidents.services.maintenance import change_maintenance, end_maintenance, schedule_maintenance
from incidents.services.transitions import acknowledge, snooze, update_incident
from notifications.models import Message
from notifications.queries.outbox import is_still_relevant
from pipelines.models import Pipeline
from tests.factories import bearer
from tests.incidents.test_incidents import MINUTE, make_incident, notified_people, timeline_kinds

HOUR = 60 * MINUTE
JSON = "application/json"
ADDRESS = "/api/v1/maintenance-windows/"


@pytest.fixture
def window(pipeline, now, a):
    """Two hours of maintenance that start now."""
    return maintain(pipeline, now, a)


def maintain(pipeline, at, by, **fields):
    values = {"starts_at": at, "ends_at": at + 2 * HOUR, "reason": "Migration", **fields}
    return schedule_maintenance(pipeline, by=by, at=at, **values)


def test_an_incident_of_maintenance_notifies_at_its_end(pipeline, chain, window, now):
    incident = make_incident(pipeline, at=now + MINUTE)
    assert Message.objects.count() == 0
    assert (incident.state, incident.is_held, incident.next_escalation_at) == ("open", True, window.ends_at)
    assert escalate_due(at=window.ends_at - MINUTE) == 0
    assert escalate_due(at=window.ends_at) == 1
    assert notified_people(incident) == chain(window.ends_at)[:1]
    assert timeline_kinds(incident) == ["opened", "held", "maintenance_ended", "notified"]
    incident.refresh_from_db()
    assert (incident.is_held, incident.next_escalation_at) == (False, window.ends_at + 15 * MINUTE)


def test_an_open_incident_is_held_and_starts_again_from_the_responder(pipeline, chain, now, a):
    incident = make_incident(pipeline, at=now)
    [message] = Message.objects.all()
    window = maintain(pipeline, now + 5 * MINUTE, a)
    assert not is_still_relevant(message, at=now + 6 * MINUTE)
    assert escalate_due(at=now + 6 * MINUTE) == 1
    assert escalate_due(at=now + 30 * MINUTE) == 0
    assert escalate_due(at=window.ends_at) == 1
    assert notified_people(incident) == [chain(now)[0], chain(window.ends_at)[0]]


def test_a_planned_window_changes_nothing_before_it_starts(pipeline, now, a):
    window = maintain(pipeline, now, a, starts_at=now + HOUR)
    make_incident(pipeline, at=now)
    assert Message.objects.count() == 1
    assert escalate_due(at=now + 15 * MINUTE) == 1
    assert escalate_due(at=window.starts_at) == 1
    assert Incident.objects.get().is_held


def test_another_pipeline_escalates(pipeline, window, now):
    make_incident(Pipeline.objects.exclude(pk=pipeline.pk)[0], at=now)
    assert Message.objects.count() == 1


def test_an_acknowledged_incident_stays_acknowledged(pipeline, window, now, a):
    incident = acknowledge(make_incident(pipeline, at=now), by=a, at=now)
    assert (incident.is_held, escalate_due(at=window.ends_at)) == (False, 0)


def test_a_snooze_that_ends_in_maintenance_waits_for_its_end(pipeline, window, now, a):
    incident = make_incident(pipeline, at=now)
    snooze(incident, until=now + HOUR, by=a, at=now)
    assert escalate_due(at=now + HOUR) == 1
    incident.refresh_from_db()
    assert (incident.snoozed_until, incident.next_escalation_at) == (None, window.ends_at)
    assert Message.objects.count() == 0


def test_a_raised_severity_does_not_end_the_hold(pipeline, window, now, a):
    incident = make_incident(pipeline, at=now, severity="low")
    update_incident(incident, by=a, at=now, severity="critical")
    escalate_due(at=now + MINUTE)
    incident.refresh_from_db()
    assert (incident.is_held, incident.next_escalation_at) == (True, window.ends_at)
    assert timeline_kinds(incident).count("held") == 1


def test_ending_a_window_early_escalates_at_once(pipeline, window, now):
    make_incident(pipeline, at=now)
    end_maintenance(window, at=now + HOUR)
    assert escalate_due(at=now + HOUR) == 1
    assert Message.objects.count() == 1
    with pytest.raises(DomainError, match="is over"):
        end_maintenance(window, at=now + HOUR)


def test_a_longer_window_holds_longer(pipeline, window, now):
    incident = make_incident(pipeline, at=now)
    change_maintenance(window, at=now, ends_at=now + 4 * HOUR)
    assert escalate_due(at=now + 3 * HOUR) == 0
    assert escalate_due(at=now + 4 * HOUR) == 1
    assert len(notified_people(incident)) == 1


def test_a_window_that_has_not_started_is_removed(pipeline, now, a):
    end_maintenance(maintain(pipeline, now, a, starts_at=now + HOUR), at=now)
    assert MaintenanceWindow.objects.count() == 0


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"starts_at": -HOUR}, "starts_at"),
        ({"ends_at": dt.timedelta()}, "ends_at"),
        ({"ends_at": dt.timedelta(days=31)}, "ends_at"),
        ({"reason": " "}, "reason"),
    ],
)
def test_invalid_windows_are_refused(pipeline, now, a, fields, field):
    values = {name: now + value if isinstance(value, dt.timedelta) else value for name, value in fields.items()}
    with pytest.raises(InvalidInputError) as caught:
        maintain(pipeline, now, a, **values)
    assert list(caught.value.problems) == [field]


def test_windows_of_a_pipeline_never_overlap(pipeline, window, now, a):
    with pytest.raises(DomainError, match="another maintenance window"):
        maintain(pipeline, now, a, starts_at=now + HOUR, ends_at=now + 5 * HOUR)
    with pytest.raises(IntegrityError), transaction.atomic():
        MaintenanceWindow.objects.create(
            pipeline=pipeline, starts_at=now + HOUR, ends_at=now + 3 * HOUR, reason="x", created_by=a
        )
    maintain(pipeline, now, a, starts_at=window.ends_at, ends_at=now + 5 * HOUR)
    maintain(Pipeline.objects.exclude(pk=pipeline.pk)[0], now, a)


@pytest.fixture
def current(pipeline, a):
    return maintain(pipeline, timezone.now(), a)


def test_the_api_schedules_changes_and_ends_windows(client, pipeline, a):
    headers = bearer(a)
    ends_at = (timezone.now() + HOUR).replace(microsecond=0)
    body = {"pipeline": pipeline.slug, "ends_at": ends_at.isoformat(), "reason": "Migration"}
    answer = client.post(ADDRESS, body, content_type=JSON, **headers)
    assert answer.status_code == 201, answer.content
    row = answer.json()
    assert (row["pipeline"], row["reason"], row["created_by"]) == (pipeline.slug, "Migration", "engineer-a")
    assert client.post(ADDRESS, body, content_type=JSON, **headers).status_code == 409
    path = f"{ADDRESS}{row['id']}/"
    assert client.patch(path, {"reason": "Longer"}, content_type=JSON, **headers).json()["reason"] == "Longer"
    for query, count in (("active=true", 1), ("active=false", 0), (f"pipeline={pipeline.slug}", 1)):
        assert client.get(f"{ADDRESS}?{query}", **headers).json()["count"] == count
    assert client.get(f"/api/v1/pipelines/{pipeline.slug}/", **headers).json()["in_maintenance"] is True
    assert client.delete(path, **headers).status_code == 204
    assert client.delete(path, **headers).status_code == 409
    assert client.get(f"/api/v1/pipelines/{pipeline.slug}/", **headers).json()["in_maintenance"] is False


def test_the_page_schedules_and_ends_windows(signed_in, pipeline, a):
    client, path = signed_in(a), f"/pipelines/{pipeline.slug}/maintenance/"
    wrong = client.post(path, {"ends_at": "2020-01-01T10:00", "reason": "Typed"})
    assert wrong.status_code == 400
    assert "Typed" in wrong.content.decode()
    ends_at = f"{timezone.now() + HOUR:%Y-%m-%dT%H:%M}"
    assert client.post(path, {"ends_at": ends_at, "reason": "Migration"}).status_code == 302
    window = MaintenanceWindow.objects.get()
    for shown in (path, f"/pipelines/{pipeline.slug}/", "/"):
        assert "Migration" in client.get(shown).content.decode()
    assert "maintenance</span>" in client.get("/pipelines/").content.decode()
    assert client.post(f"{path}{window.pk}/end/").status_code == 302
    assert not MaintenanceWindow.objects.active(at=timezone.now()).exists()


def test_incident_pages_show_the_hold(signed_in, pipeline, current, a):
    incident = make_incident(pipeline, at=timezone.now())
    client = signed_in(a)
    for path in ("/", f"/incidents/{incident.pk}/"):
        assert "Escalation paused for maintenance until" in client.get(path).content.decode()
    assert statuses([pipeline])[pipeline.pk].in_maintenance


def test_an_admin_ends_windows_in_the_admin(signed_in, current, admin):
    client = signed_in(admin)
    path = "/admin/incidents/maintenancewindow/"
    assert client.post(path, {"action": "end", "_selected_action": current.pk}).status_code == 302
    assert not MaintenanceWindow.objects.active(at=timezone.now()).exists()
