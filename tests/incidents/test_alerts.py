"""Alertmanager's webhook, and incidents of the site's own and of external checks."""

import datetime as dt

import pytest
from django.core.management import call_command
from django.utils import timezone

from incidents import tasks
from incidents.models import Alert, EscalationStep, Incident
from incidents.services.escalation import escalate_due
from incidents.services.transitions import acknowledge, resolve
from incidents.services.triggers import check_title, sync_with_checks, sync_with_external_checks
from notifications.models import Message
from pipelines.models import Pipeline
from tests.each import each
from tests.factories import bearer
from tests.incidents.test_incidents import MINUTE, notified_people, timeline_kinds
from tests.validation.fixtures import make_metric
from validation.check_types import CHECK_TYPES
from validation.models import Check, ExternalCheck, MappingRule
from validation.services.external_results import save_mapping_rule

JSON = "application/json"
PAUSED_ALERT = """{"version": "4", "groupKey": "{}", "status": "STATUS", "alerts": [{"status": "STATUS",
"labels": {"alertname": "Pause", "pipeline": "daily-growth-experiment-focused", "severity": "critical"}, "annotations": {},
"startsAt": "2026-11-28T18:00:00Z", "endsAt": "ENDS", "generatorURL": "", "fingerprint": "pause1"}]}"""
SLUG = "daily-growth-experiment-focused"


def webhook(*alerts, **group):
    return {"version": "4", "status": "firing", "alerts": list(alerts), **group}


def alert(fingerprint="f00d", status="firing", *, starts="12:00", ends="13:00", **labels):
    labels.setdefault("alertname", "LogsLate")
    labels.setdefault("pipeline", SLUG)
    return {
        "status": status,
        "fingerprint": fingerprint,
        "labels": {name: value for name, value in labels.items() if value is not None},
        "annotations": {"summary": "No logs for an hour"},
        "startsAt": f"2026-11-25T{starts}:00Z",
        "endsAt": f"2026-11-25T{ends}:00Z" if status == "resolved" else "0001-01-01T00:00:00Z",
        "generatorURL": "",
    }


@pytest.fixture
def send(client, pipeline, a):
    headers = bearer(a)

    def do(*alerts, **group):
        body = webhook(*alerts, **group)
        answer = client.post("/api/v1/integrations/alertmanager/", body, content_type=JSON, **headers)
        assert answer.status_code == 200, answer.content
        return answer.json()

    return do


def test_a_firing_alert_opens_one_incident_and_a_resolved_one_resolves_it(send, pipeline):
    assert send(alert()) == {"firing": 1, "closed": 0, "unmapped": [], "ignored": []}
    row = Incident.objects.get()
    assert (row.pipeline, row.source, row.fingerprint, row.state) == (pipeline, "alert", "f00d", "open")
    assert row.title == "LogsLate: No logs for an hour"
    assert Message.objects.count() == 1
    send(alert())
    row.refresh_from_db()
    assert (Incident.objects.count(), row.repeats, Message.objects.count()) == (1, 1, 1)
    assert send(alert("beef")) == {"firing": 1, "closed": 0, "unmapped": [], "ignored": []}
    assert send(alert(status="resolved")) == {"firing": 0, "closed": 1, "unmapped": [], "ignored": []}
    row.refresh_from_db()
    assert (row.state, row.resolved_by) == ("resolved", None)
    assert Incident.objects.unresolved().count() == 1
    assert send(alert(status="resolved"))["closed"] == 0


def test_a_resolved_alert_resolves_an_acknowledged_incident(send, pipeline, a):
    send(alert())
    acknowledge(Incident.objects.get(), by=a, at=timezone.now())
    assert send(alert(status="resolved")) == {"firing": 0, "closed": 1, "unmapped": [], "ignored": []}
    assert Incident.objects.get().state == "resolved"


FIRING_ONCE = {"firing": 1, "closed": 0, "unmapped": [], "ignored": []}
NO_CHANGE = {"firing": 0, "closed": 0, "unmapped": [], "ignored": []}


def test_an_alert_that_fires_again_with_the_same_start_reopens_its_incident(send):
    send(alert())
    send(alert(status="resolved"))
    assert send(alert()) == FIRING_ONCE
    incident, row = Incident.objects.get(), Alert.objects.get()
    assert (incident.state, timeline_kinds(incident)) == ("open", ["opened", "notified", "resolved", "reopened"])
    assert (row.is_firing, row.ends_at) == (True, None)


def test_an_alert_that_fires_again_much_later_reopens_its_incident(send):
    send(alert())
    send(alert(status="resolved"))
    now = timezone.now()
    Incident.objects.update(opened_at=now - 900 * MINUTE, resolved_at=now - 600 * MINUTE)
    assert send(alert()) == FIRING_ONCE
    assert Incident.objects.get().state == "open"


@pytest.mark.parametrize("kind", ["command", "api"])
def test_the_three_webhooks_of_a_paused_alert_leave_one_open_incident(client, pipeline, a, capsys, tmp_path, kind):
    for name in ("1-firing", "2-resolved", "3-firing-again"):
        body = PAUSED_ALERT.replace("STATUS", "resolved" if name == "2-resolved" else "firing")
        body = body.replace("ENDS", "2026-11-29T00:20:00Z" if name == "2-resolved" else "0001-01-01T00:00:00Z")
        if kind == "api":
            answer = client.post("/api/v1/integrations/alertmanager/", body, content_type=JSON, **bearer(a)).json()
        else:
            path = tmp_path / f"{name}.json"
            path.write_text(body)
            call_command("import_results", "alertmanager", str(path))
            answer = capsys.readouterr().out
    assert answer == (FIRING_ONCE if kind == "api" else "firing: 1\nclosed: 0\n")
    assert Incident.objects.get().state == "open"


def test_a_stale_copy_of_an_old_firing_opens_nothing_and_keeps_the_end(send):
    send(alert(starts="12:00"))
    send(alert(status="resolved", starts="12:00", ends="13:00"))
    send(alert(starts="14:00"))
    send(alert(status="resolved", starts="14:00", ends="15:00"))
    before = Alert.objects.values().get()
    assert send(alert(starts="12:00")) == NO_CHANGE
    assert Alert.objects.values().get() == before
    assert not Incident.objects.unresolved().exists()


def test_a_stale_copy_of_an_old_resolution_resolves_nothing(send):
    for starts in ("12:00", "14:00"):
        send(alert(starts=starts))
        assert send(alert(status="resolved", starts="12:00", ends="13:00"))["closed"] == (starts == "12:00")
    assert Incident.objects.get().state == "open"


def test_a_copy_of_the_last_resolution_does_not_resolve_what_fires_again(send):
    send(alert())
    send(alert(status="resolved", ends="13:00"))
    send(alert())
    assert send(alert(status="resolved", ends="13:00")) == NO_CHANGE
    assert Incident.objects.get().state == "open"
    assert send(alert(status="resolved", ends="13:30"))["closed"] == 1


@pytest.mark.parametrize("minutes", [5, 600])
def test_an_incident_that_a_person_resolved_stays_resolved_until_the_alert_fires_again(send, a, minutes):
    send(alert())
    resolve(Incident.objects.get(), by=a, at=timezone.now())
    Incident.objects.update(opened_at=timezone.now() - 900 * MINUTE, resolved_at=timezone.now() - minutes * MINUTE)
    assert send(alert()) == NO_CHANGE
    assert Incident.objects.get().state == "resolved"
    send(alert(status="resolved"))
    assert send(alert()) == FIRING_ONCE
    assert Incident.objects.get().state == "open"


def test_a_flapping_alert_notifies_the_responder_once(send, chain, a):
    send(alert())
    for number in range(5):
        send(alert(status="resolved", ends=f"13:0{number}"))
        send(alert())
    incident = Incident.objects.get()
    assert (incident.state, incident.round, notified_people(incident)) == ("open", 1, chain(timezone.now())[:1])
    assert Message.objects.count() == 1
    [step] = incident.escalation_steps.all()
    assert incident.next_escalation_at == step.at + 15 * MINUTE


def test_a_flapping_alert_still_escalates(send, chain):
    send(alert())
    send(alert(status="resolved"))
    send(alert())
    now = timezone.now()
    assert escalate_due(at=now + 15 * MINUTE) == 1
    assert notified_people(Incident.objects.get()) == chain(now)[:2]


def test_a_flapping_alert_asks_for_a_new_acknowledgement(send, a):
    send(alert())
    acknowledge(Incident.objects.get(), by=a, at=timezone.now())
    send(alert(status="resolved"))
    before = timezone.now()
    send(alert())
    incident = Incident.objects.get()
    assert (incident.state, incident.assignee, Message.objects.count()) == ("open", None, 1)
    assert incident.next_escalation_at >= before + 15 * MINUTE


def test_an_alert_that_fires_again_after_the_flap_window_notifies_again(send):
    send(alert())
    EscalationStep.objects.update(at=timezone.now() - 31 * MINUTE)
    send(alert(status="resolved"))
    send(alert())
    assert (Incident.objects.get().round, Message.objects.count()) == (2, 2)


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
    assert answer == {"firing": 1, "closed": 0, "unmapped": ["1"], "ignored": []}
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


@each(
    ("label", "severity"),
    [
        ("critical", "critical"), ("PAGE", "critical"), ("high", "high"), ("warning", "high"), ("", "high"), ("Low", "low"),
        ("info", "low"),
    ],
)  # fmt: skip
def test_the_severity_label_sets_the_severity(send, label, severity):
    send(alert(severity=label))
    assert Incident.objects.get().severity == severity


GROUP = {"groupKey": '{}:{alertname="LogsLate"}'}


def test_alerts_of_one_group_join_one_incident(send, client, a):
    assert send(alert("1"), alert("2"), **GROUP) == {"firing": 2, "closed": 0, "unmapped": [], "ignored": []}
    assert send(alert("3"), **GROUP) == FIRING_ONCE
    incident = Incident.objects.get()
    assert Message.objects.count() == 1
    assert timeline_kinds(incident) == ["opened", "notified", "alert_added"]
    assert (incident.timeline.last().data["times"], incident.repeats) == (2, 0)
    listed = client.get(f"/api/v1/alerts/?incident={incident.pk}", **bearer(a)).json()
    assert sorted(row["fingerprint"] for row in listed["results"]) == ["1", "2", "3"]


def test_a_group_is_resolved_when_its_last_alert_is(send):
    send(alert("1"), alert("2"), **GROUP)
    assert send(alert("1", status="resolved"), **GROUP) == NO_CHANGE
    assert Incident.objects.get().state == "open"
    assert send(alert("2", status="resolved"), **GROUP)["closed"] == 1
    assert timeline_kinds(Incident.objects.get())[-2:] == ["alert_resolved", "resolved"]


def test_a_group_has_one_incident_per_pipeline(send):
    send(alert("1"), alert("2", pipeline="aggregate-profit-investor-reporting"), **GROUP)
    assert Incident.objects.count() == 2


def test_groups_have_incidents_of_their_own(send):
    send(alert("1"), **GROUP)
    send(alert("2"), groupKey="x" * 5000)
    send(alert("3"), groupKey="x" * 4999 + "y")
    assert Incident.objects.count() == 3


def test_an_alert_of_a_group_that_fires_again_reopens_the_incident_of_the_group(send):
    send(alert("1"), alert("2"), **GROUP)
    send(alert("1", status="resolved"), alert("2", status="resolved"), **GROUP)
    assert send(alert("2"), **GROUP) == FIRING_ONCE
    assert Incident.objects.get().state == "open"


@each(
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


def test_an_alert_with_an_unknown_status_is_named_and_the_others_count(send):
    assert send(alert("1"), alert("2", status="suppressed")) == {
        "firing": 1, "closed": 0, "unmapped": [], "ignored": ["2"],
    }  # fmt: skip
    assert [row.fingerprint for row in Alert.objects.all()] == ["1"]


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
    assert (row.check_id, row.kind, row.title, row.repeats) == (check.pk, "delay", "Late data: Logs are fresh", 2)
    assert Message.objects.get().subject == "[Delay] Daily growth (experiment-focused): Late data: Logs are fresh"
    assert "9 hours old" in Message.objects.get().text


@each(
    ("check_type", "value", "bucket", "title"),  # a metric of hours if the title has one
    [
        ("completeness", 3, None, "Missing data: Logs are fresh (3 missing)"),
        ("freshness", 540, None, "Late data: Logs are fresh (9 h)"),
        ("range", 1200, dt.datetime(2026, 11, 28, tzinfo=dt.UTC), "Value out of range: Logs are fresh (1,200, 28 Nov)"),
        (
            "range",
            0.5,
            dt.datetime(2026, 11, 28, 9, tzinfo=dt.UTC),
            "Value out of range: Logs are fresh (0.5 users, 28 Nov 09:00 UTC)",
        ),
        (
            "range",
            0.5,
            dt.datetime(2026, 11, 28, tzinfo=dt.UTC),
            "Value out of range: Logs are fresh (0.5 users, 28 Nov 00:00 UTC)",
        ),
        ("custom_sql", None, None, "Query check failed: Logs are fresh"),
    ],
)
def test_the_title_states_the_problem(pipeline, check, now, check_type, value, bucket, title):
    metric = make_metric(pipeline, grain="hour") if "UTC" in title else None
    Check.objects.update(check_type=check_type, last_value=value, last_bucket=bucket, metric=metric)
    alerts_at(check, now)
    sync_with_checks(at=now)
    assert Incident.objects.get().title == title
    assert title in Message.objects.get().subject


@each("check_type", sorted(CHECK_TYPES))
def test_every_check_type_names_its_problem(pipeline, check_type):
    assert check_title(Check(check_type=check_type, name="Fine")) == f"{CHECK_TYPES[check_type].failure}: Fine"


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


@pytest.mark.parametrize(("severity", "expected"), [("low", "low"), ("fail", "high"), ("critical", "critical")])
def test_a_check_sets_the_severity(pipeline, check, now, severity, expected):
    Check.objects.update(severity=severity)
    alerts_at(check, now)
    sync_with_checks(at=now)
    assert Incident.objects.get().severity == expected


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
    created = Incident.objects.get()
    assert (created.source, created.fingerprint) == ("check", "dbt:test.shop.unique_orders")
    row.at, row.status = now + 60 * MINUTE, "error"
    row.save()
    sync_with_external_checks(at=now + 61 * MINUTE)
    assert Incident.objects.get().recovered_at is None
    row.at, row.status = now + 120 * MINUTE, "pass"
    row.save()
    sync_with_external_checks(at=now + 121 * MINUTE)
    sync_with_external_checks(at=now + 121 * MINUTE + dt.timedelta(hours=1))
    created.refresh_from_db()
    assert created.state == "resolved"


def test_the_worker_task_syncs_incidents(pipeline, check):
    alerts_at(check, timezone.now())
    tasks.sync_incidents()
    assert Incident.objects.get().check_id == check.pk
