"""Events in the PagerDuty Events API v2 format: they open, acknowledge and resolve incidents."""

import contextlib

import httpx2
import pytest
from pagerduty import EventsApiV2Client, HttpError

from incidents.models import Incident, IntegrationKey, TimelineEntry
from incidents.services import integration_keys
from incidents.services.integration_keys import create_integration_key, revoke_integration_key
from incidents.services.transitions import acknowledge, resolve
from notifications.models import Message
from tests.each import each
from tests.incidents.test_incidents import notified_people, timeline_kinds

ADDRESS = "/api/v1/integrations/events/"
PAYLOAD = {"summary": "Replica lag", "source": "db-2", "severity": "critical"}


@pytest.fixture
def key(pipeline, admin):
    return create_integration_key(pipeline, name="Grafana", by=admin)


@pytest.fixture
def send(client, key):
    def post(action="trigger", *, path=ADDRESS, **fields):
        document = {"routing_key": key.secret, "event_action": action, **fields}
        if action == "trigger":
            document.setdefault("payload", PAYLOAD)
        return client.post(path, document, content_type="application/json")

    return post


class PlainTransport(httpx2.HTTPTransport):
    """Sends to the test server, which has no certificate: the client insists on https."""

    def handle_request(self, request):
        request.url = request.url.copy_with(scheme="http")
        return super().handle_request(request)


@pytest.fixture
def vendor_client(live_server):
    """Return a function that returns PagerDuty's own client with an integration key, pointed at this site."""
    base_url = f"{live_server.url}/api/v1/integrations/events".replace("http://", "https://")
    with contextlib.ExitStack() as stack:
        yield lambda secret: stack.enter_context(
            EventsApiV2Client(secret, base_url=base_url, transport=PlainTransport())
        )


def test_the_vendors_client_triggers_acknowledges_and_resolves(vendor_client, pipeline, key):
    client = vendor_client(key.secret)
    dedup_key = client.trigger(
        "Replica lag",
        "db-2",
        severity="warning",
        custom_details={"seconds": 340},
        links=[{"href": "https://runbook.example.org/", "text": "Runbook"}],
    )
    incident = Incident.objects.get()
    assert (incident.title, incident.severity, incident.source, incident.state) == (
        "Replica lag",
        "high",
        "alert",
        "open",
    )
    assert incident.pipeline == pipeline
    [responder] = notified_people(incident)
    assert client.trigger("Replica lag", "db-2", dedup_key=dedup_key) == dedup_key
    assert client.acknowledge(dedup_key) == dedup_key
    incident.refresh_from_db()
    assert (incident.state, incident.assignee, incident.repeats) == ("acknowledged", responder, 1)
    assert client.resolve(dedup_key) == dedup_key
    incident.refresh_from_db()
    assert (incident.state, incident.resolved_by) == ("resolved", None)
    assert Incident.objects.count() == 1
    with pytest.raises(HttpError) as caught:
        vendor_client("0" * 32).resolve(dedup_key)
    assert caught.value.response.status_code == 400


def test_the_vendors_client_sends_images_severities_and_payloads(vendor_client, key):
    client = vendor_client(key.secret)
    for severity in ("critical", "error", "warning", "info"):
        client.trigger("Replica lag", "db-2", dedup_key=severity, severity=severity)
    rows = Incident.objects.order_by("pk").values_list("severity", flat=True)
    assert list(rows) == ["critical", "high", "high", "low"]
    client.trigger(
        "Disk",
        "db-2",
        dedup_key="disk",
        payload={"component": "postgres", "class": "disk", "custom_details": {"free": "3 %"}},
        images=[{"src": "https://graphs.example.org/1.png", "alt": "Free space", "href": "https://example.org/"}],
        links=[{"href": "https://runbook.example.org/", "text": "Runbook"}],
    )
    assert Incident.objects.get(title="Disk").text.splitlines() == [
        "source: db-2",
        "component: postgres",
        "class: disk",
        "free: 3 %",
        "Runbook: https://runbook.example.org/",
        "Free space: https://graphs.example.org/1.png",
        "sent by: Grafana",
    ]


def test_a_change_event_is_added_to_the_timelines_of_open_incidents(vendor_client, signed_in, a, key, now):
    client = vendor_client(key.secret)
    at = "2026-11-25T12:00Z"  # without it, this version of the client fails
    client.submit("Deploy 41", source="ci", timestamp=at)
    assert Incident.objects.count() == 0
    for name in ("open", "resolved"):
        client.trigger("Replica lag", "db-2", dedup_key=name)
    client.resolve("resolved")
    link = {"href": "https://ci.example.org/42", "text": "Build"}
    client.submit("Deploy 42", source="ci", custom_details={"branch": "main"}, links=[link], timestamp=at)
    [entry] = TimelineEntry.objects.filter(kind="change")
    assert entry.incident.state == "open"
    assert entry.text.splitlines() == [
        "Deploy 42",
        "source: ci",
        "timestamp: 2026-11-25T12:00Z",
        "branch: main",
        "Build: https://ci.example.org/42",
        "sent by: Grafana",
    ]
    page = signed_in(a).get(f"/incidents/{entry.incident_id}/").content.decode()
    assert "Deploy 42" in page
    with pytest.raises(HttpError) as caught:
        vendor_client("0" * 32).submit("Deploy 43", timestamp=at)
    assert caught.value.response.status_code == 400


@pytest.mark.parametrize("path", [ADDRESS, f"{ADDRESS}v2/enqueue"])
def test_a_trigger_opens_an_incident_and_notifies_the_responder(send, pipeline, path):
    answer = send(path=path, dedup_key="lag")
    assert (answer.status_code, answer.json()) == (
        202,
        {"status": "success", "message": "Event processed", "dedup_key": "lag"},
    )
    incident = Incident.objects.get()
    assert (incident.pipeline, incident.kind, incident.severity) == (pipeline, "outage", "critical")
    assert incident.text == "source: db-2\nsent by: Grafana"
    assert timeline_kinds(incident) == ["opened", "notified"]
    assert Message.objects.count() == 1


def test_a_repeated_trigger_adds_to_the_open_incident(send):
    send(dedup_key="lag")
    send(dedup_key="lag")
    send(dedup_key="disk")
    assert [(row.repeats, row.state) for row in Incident.objects.order_by("pk")] == [(1, "open"), (0, "open")]


def test_triggers_without_a_key_are_alerts_of_their_own(send):
    keys = {send().json()["dedup_key"] for _ in range(2)}
    assert len(keys) == 2
    assert Incident.objects.count() == 2


def test_a_trigger_after_the_resolution_reopens_the_incident(send):
    for action in ("trigger", "resolve", "trigger"):
        assert send(action, dedup_key="lag").status_code == 202
    incident = Incident.objects.get()
    assert incident.state == "open"
    # It is flapping: nobody is notified twice.
    assert timeline_kinds(incident) == ["opened", "notified", "resolved", "reopened"]


@pytest.mark.parametrize("action", ["acknowledge", "resolve"])
def test_ending_what_is_not_open_changes_nothing(send, action):
    assert send(action, dedup_key="unknown").status_code == 202
    assert Incident.objects.count() == 0
    send(dedup_key="lag")
    send("resolve", dedup_key="lag")
    before = timeline_kinds(Incident.objects.get())
    assert send(action, dedup_key="lag").status_code == 202
    assert timeline_kinds(Incident.objects.get()) == before


def test_a_person_who_acknowledged_keeps_the_incident(send, a, now):
    send(dedup_key="lag")
    acknowledge(Incident.objects.get(), by=a, at=now)
    send("acknowledge", dedup_key="lag")
    assert Incident.objects.get().acknowledged_by == a


def test_a_resolved_incident_of_a_person_opens_again_with_a_new_trigger(send, a, now):
    send(dedup_key="lag")
    resolve(Incident.objects.get(), by=a, at=now)
    send(dedup_key="lag")
    assert Incident.objects.get().state == "open"


def test_an_acknowledgement_names_the_tool(send, chain):
    send(dedup_key="lag")
    send("acknowledge", dedup_key="lag")
    entry = Incident.objects.get().timeline.last()
    responder = notified_people(Incident.objects.get())[0]
    assert (entry.kind, entry.by, entry.text) == ("acknowledged", None, f"By Grafana, for {responder}.")


def test_a_replaced_key_resolves_what_the_old_one_opened(send, client, key, pipeline, admin, now):
    send(dedup_key="lag")
    other = create_integration_key(pipeline, name="Grafana 2", by=admin)
    revoke_integration_key(key.key, by=admin, at=now)
    document = {"routing_key": other.secret, "event_action": "resolve", "dedup_key": "lag"}
    assert client.post(ADDRESS, document, content_type="application/json").status_code == 202
    assert Incident.objects.get().state == "resolved"


def test_a_revoked_key_is_refused(send, key, admin, now):
    revoke_integration_key(key.key, by=admin, at=now)
    answer = send(dedup_key="lag")
    assert (answer.status_code, answer.json()) == (
        400,
        {
            "status": "invalid event",
            "message": "Event object is invalid",
            "errors": ["'routing_key' is not an active integration key"],
        },
    )
    assert Incident.objects.count() == 0


@each(
    ("body", "problem"),
    [
        ("{", "JSON parse error"),
        ("[]", "The event must be a JSON object"),
        ('{"routing_key": "\\ud800"}', "This JSON contains a lone surrogate."),
        ("[" * 100_000, "This JSON is nested too deeply."),
        ('"' + "x" * 600_000 + '"', "The event is larger than 512 KiB"),
    ],
)
def test_what_is_no_event_is_refused_in_their_shape(client, pipeline, body, problem):
    answer = client.post(ADDRESS, body, content_type="application/json")
    assert (answer.status_code, answer.json()["status"]) == (400, "invalid event")
    assert answer.json()["errors"][0].startswith(problem)


def test_texts_are_made_printable_and_a_long_summary_is_cut_in_the_title_only(send):
    send(payload={**PAYLOAD, "summary": f"a\x00b\u202e {'x' * 500}"}, dedup_key="odd\x00key")
    incident = Incident.objects.get()
    assert incident.title.startswith("a\ufffdb\ufffd x")
    assert len(incident.title) == 200
    assert "x" * 500 in incident.text
    assert send("resolve", dedup_key="odd\x00key").status_code == 202
    assert Incident.objects.get().state == "resolved"


UNPRINTABLE = {**PAYLOAD, "custom_details": {"log": "\0\x1b[31mred\u202e" + "x" * 20_000}}


def test_a_repeat_and_a_reopening_with_odd_text_are_not_lost(send):
    send(dedup_key="lag")
    assert send(dedup_key="lag", payload=UNPRINTABLE).status_code == 202
    incident = Incident.objects.get()
    assert incident.repeats == 1
    assert "\N{REPLACEMENT CHARACTER}" in incident.timeline.get(kind="repeated").text
    assert len(incident.timeline.get(kind="repeated").text) <= 10_000
    send("resolve", dedup_key="lag")
    assert send(dedup_key="lag", payload=UNPRINTABLE).status_code == 202
    incident.refresh_from_db()
    assert incident.state == "open"


def test_too_many_events_in_a_minute_are_refused(send, key, monkeypatch):
    monkeypatch.setattr(integration_keys, "MAX_EVENTS_PER_MINUTE", 2)
    answers = [send("resolve", dedup_key="x") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert answers[2].json()["status"] == "throttle exceeded"
    assert answers[2].headers["Retry-After"] == "60"


def test_a_new_minute_counts_again(key, now):
    counted = [
        integration_keys.count_event(key.key, at=now + second * integration_keys.RATE_WINDOW / 2) for second in range(4)
    ]
    assert counted == [True] * 4
    assert IntegrationKey.objects.get().events_in_minute == 2
