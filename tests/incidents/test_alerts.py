"""Alertmanager's webhook, and incidents of the site's own and of external checks."""

import datetime as dt

import pytest
from django.utils import timezone

from incidents import tasks
from incidents.models import Alert, Incident
from incidents.services.transitions import acknowledge
from incidents.services.triggers import sync_with_checks, sync_with_external_checks
from notifications.models import Message
from pipelines.models import Pipeline
from tests.factories import bearer
from tests.incidents.test_incidents import MINUTE
from validation.models import Check, ExternalCheck, MappingRule
from validation.services.external_results import save_mapping_rule

JSON = "application/json"
SLUG = "daily-growth-experiment-focused"


def webhook(*alerts, **group):
    return {"version": "4", "status": "firing", "alerts": list(alerts), **group}


def alert(fingerprint="f00d", status="firing", **labels):
    labels.setdefault("alertname", "LogsLate")
    labels.setdefault("pipeline", SLUG)
    return {
        "status": status,
        "fingerprint": fingerprint,
        "labels": {name: value for name, value in labels.items() if value is not None},
        "annotations": {"summary": "No logs for an hour"},
        "startsAt": "2026-11-25T12:00:00Z",
        "endsAt": "2026-11-25T13:00:00Z" if status == "resolved" else "0001-01-01T00:00:00Z",
        "generatorURL": "",
    }


@pytest.fixture
def send(client, pipeline, a):
    headers = bearer(a)

    def do(*alerts):
        answer = client.post("/api/v1/integrations/alertmanager/", webhook(*alerts), content_type=JSON, **headers)
        assert answer.status_code == 200, answer.content
        return answer.json()

    return do


def test_a_firing_alert_opens_one_incident_and_a_resolved_one_resolves_it(send, pipeline):
    assert send(alert()) == {"firing": 1, "closed": 0, "unmapped": []}
    row = Incident.objects.get()
    assert (row.pipeline, row.source, row.fingerprint, row.state) == (pipeline, "alert", "f00d", "open")
    assert row.title == "LogsLate: No logs for an hour"
    assert Message.objects.count() == 1
    send(alert())
    row.refresh_from_db()
    assert (Incident.objects.count(), row.repeats, Message.objects.count()) == (1, 1, 1)
    assert send(alert("beef")) == {"firing": 1, "closed": 0, "unmapped": []}
    assert send(alert(status="resolved")) == {"firing": 0, "closed": 1, "unmapped": []}
    row.refresh_from_db()
    assert (row.state, row.resolved_by) == ("resolved", None)
    assert Incident.objects.unresolved().count() == 1
    assert send(alert(status="resolved"))["closed"] == 0


def test_a_resolved_alert_resolves_an_acknowledged_incident(send, pipeline, a):
    send(alert())
    acknowledge(Incident.objects.get(), by=a, at=timezone.now())
    assert send(alert(status="resolved")) == {"firing": 0, "closed": 1, "unmapped": []}
    assert Incident.objects.get().state == "resolved"


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        ({}, "issue"),
        ({"severity": "critical"}, "outage"),
        ({"kind": "delay"}, "delay"),
        ({"severity": "warning"}, "issue"),
    ],
)
def test_the_labels_of_an_alert_set_the_kind(send, labels, kind):
    send(alert(**labels))
    assert Incident.objects.get().kind == kind


def test_an_alert_maps_to_a_pipeline_by_label_or_rule(send, pipeline):
    send(alert("1", pipeline="Daily growth (Experiment-focused)"))
    assert Incident.objects.get().pipeline == pipeline
    other = Pipeline.objects.get(slug="aggregate-profit-investor-reporting")
    save_mapping_rule(MappingRule(tool="", pattern="alertmanager.Ledger*", pipeline=other))
    send(alert("2", pipeline=None, alertname="LedgerDown"))
    assert Incident.objects.get(fingerprint="2").pipeline == other


def test_an_unmapped_alert_is_listed_and_opens_an_incident_once_a_rule_maps_it(send, client, pipeline, a):
    answer = send(alert("1", pipeline="nothing"), alert("2"))
    assert answer == {"firing": 1, "closed": 0, "unmapped": ["1"]}
    listed = client.get("/api/v1/alerts/?unmapped=1", **bearer(a)).json()
    assert [(row["fingerprint"], row["pipeline"], row["firing"]) for row in listed["results"]] == [("1", None, True)]
    assert client.get("/api/v1/alerts/", **bearer(a)).json()["count"] == 2
    tasks.sync_incidents()
    assert Incident.objects.count() == 1
    save_mapping_rule(MappingRule(tool="", pattern="alertmanager.LogsLate", pipeline=pipeline))
    tasks.sync_incidents()
    tasks.sync_incidents()
    assert Incident.objects.get(fingerprint="1").pipeline == pipeline
    assert not Alert.objects.unmapped().exists()


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b'"x"', b"{}", b'{"version": "3"}', b'{"version": "4", "alerts": 7}', b"{" * 9000, b"\xff",
     b'{"version": "4", "alerts": [7]}'],
)  # fmt: skip
def test_an_invalid_webhook_is_a_400(client, pipeline, a, body):
    answer = client.post("/api/v1/integrations/alertmanager/", body, content_type=JSON, **bearer(a))
    assert answer.status_code == 400, answer.content
    assert not Alert.objects.exists()


def test_a_webhook_needs_a_token_that_may_write(client, pipeline, a):
    path = "/api/v1/integrations/alertmanager/"
    assert client.post(path, webhook(alert()), content_type=JSON).status_code == 401
    assert client.post(path, webhook(alert()), content_type=JSON, **bearer(a, scope="read")).status_code == 403


def test_malformed_alerts_cause_no_server_error(send):
    odd = {"status": "firing", "labels": {"pipeline": "\0", "alertname": "x" * 5000}, "startsAt": "yesterday"}
    assert len(send(odd, {**odd, "fingerprint": "y" * 5000}, {}, alert("3", status="odd"))["unmapped"]) == 2


@pytest.fixture
def check(pipeline):
    return Check.objects.create(
        pipeline=pipeline, name="Logs are fresh", check_type="freshness", is_active=False, cooldown_minutes=45
    )


def alerts_at(check, at, *, since=None, status="fail"):
    fields = {"alerting_since": since or at, "last_run_at": at, "last_status": status, "last_message": "9 hours old"}
    Check.objects.filter(pk=check.pk).update(**fields)


def test_an_alerting_check_has_one_incident_to_which_repeats_add(pipeline, check, now):
    assert sync_with_checks(at=now) == 0
    for minutes in (0, 5, 10):
        alerts_at(check, now + minutes * MINUTE, since=now)
        for _ in range(2):
            assert sync_with_checks(at=now + minutes * MINUTE) == 1
    row = Incident.objects.get()
    assert (row.check_id, row.kind, row.title, row.repeats) == (check.pk, "delay", "Logs are fresh", 2)
    assert Message.objects.get().subject == "[Delay] Daily growth (experiment-focused): Logs are fresh"
    assert "9 hours old" in Message.objects.get().text


def test_a_check_error_is_not_a_repeat(pipeline, check, now):
    alerts_at(check, now)
    sync_with_checks(at=now)
    alerts_at(check, now + 5 * MINUTE, since=now, status="error")
    sync_with_checks(at=now + 5 * MINUTE)
    assert Incident.objects.get().repeats == 0


def test_an_unacknowledged_incident_is_resolved_after_its_check_passed_for_the_cooldown(pipeline, check, now):
    alerts_at(check, now)
    sync_with_checks(at=now)
    Check.objects.update(alerting_since=None, alert_ended_at=now, last_status="pass")
    sync_with_checks(at=now + 5 * MINUTE)
    sync_with_checks(at=now + 49 * MINUTE)
    assert Incident.objects.get().state == "open"
    sync_with_checks(at=now + 50 * MINUTE)
    assert Incident.objects.get().state == "resolved"


def test_the_incident_of_a_deleted_check_is_resolved_too(pipeline, check, now):
    alerts_at(check, now)
    sync_with_checks(at=now)
    check.delete()
    sync_with_checks(at=now + MINUTE)
    sync_with_checks(at=now + 40 * MINUTE)
    assert Incident.objects.get().state == "resolved"


def test_a_check_that_only_warns_opens_no_incident(pipeline, check, now):
    Check.objects.update(severity="warn")
    alerts_at(check, now)
    sync_with_checks(at=now)
    assert not Incident.objects.exists()


def test_a_failing_external_check_has_an_incident_until_it_passes(pipeline, now):
    row = ExternalCheck.objects.create(
        tool="dbt", key="test.shop.unique_orders", name="unique_orders", pipeline=pipeline, status="fail",
        message="3 failures", at=now, created_at=now,
    )  # fmt: skip
    for _ in range(2):
        assert sync_with_external_checks(at=now + MINUTE) == 1
    made = Incident.objects.get()
    assert (made.source, made.fingerprint) == ("check", "dbt:test.shop.unique_orders")
    row.at, row.status = now + 60 * MINUTE, "error"
    row.save()
    sync_with_external_checks(at=now + 61 * MINUTE)
    assert Incident.objects.get().recovered_at is None
    row.at, row.status = now + 120 * MINUTE, "pass"
    row.save()
    sync_with_external_checks(at=now + 121 * MINUTE)
    sync_with_external_checks(at=now + 121 * MINUTE + dt.timedelta(hours=1))
    made.refresh_from_db()
    assert made.state == "resolved"


def test_the_worker_task_syncs_incidents(pipeline, check):
    alerts_at(check, timezone.now())
    tasks.sync_incidents()
    assert Incident.objects.get().check_id == check.pk
