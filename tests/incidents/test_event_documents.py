"""Documents of the PagerDuty Events API v2: which are valid, and what they mean. No database."""

import pytest

from incidents.domain.events import InvalidEventError, read_event
from tests.each import each

KEY = "0123456789abcdef0123456789abcdef"
PAYLOAD = {"summary": "Replica lag", "source": "db-2", "severity": "error"}


def trigger(**fields):
    return {"routing_key": KEY, "event_action": "trigger", "payload": PAYLOAD, **fields}


def errors(document):
    with pytest.raises(InvalidEventError) as caught:
        read_event(document)
    return caught.value.errors


def test_a_trigger_has_a_title_and_every_detail():
    payload = {
        **PAYLOAD,
        "component": "postgres",
        "group": "prod",
        "class": "lag",
        "timestamp": "2026-11-25T10:00:00Z",
        "custom_details": {"seconds": 340, "hosts": ["a", "b"]},
    }
    event = read_event(
        trigger(
            payload=payload,
            dedup_key="lag",
            client="Monitor",
            client_url="https://monitor.example.org/",
            links=[{"href": "https://runbook.example.org/", "text": "Runbook"}, {"text": "no address"}, "text"],
            images=[{"src": "https://monitor.example.org/plot.png"}],
            unknown="ignored",
        )
    )
    assert (event.title, event.dedup_key, event.severity, event.kind) == ("Replica lag", "lag", "high", "issue")
    assert event.text.splitlines() == [
        "source: db-2",
        "component: postgres",
        "group: prod",
        "class: lag",
        "timestamp: 2026-11-25T10:00:00Z",
        "seconds: 340",
        'hosts: ["a", "b"]',
        "Runbook: https://runbook.example.org/",
        "https://monitor.example.org/plot.png",
        "Monitor: https://monitor.example.org/",
    ]


@pytest.mark.parametrize(
    ("severity", "expected", "kind"),
    [
        ("critical", "critical", "outage"),
        ("error", "high", "issue"),
        ("warning", "high", "issue"),
        ("info", "low", "issue"),
    ],
)
def test_severities(severity, expected, kind):
    event = read_event(trigger(payload={**PAYLOAD, "severity": severity}))
    assert (event.severity, event.kind) == (expected, kind)


def test_custom_details_may_name_the_kind():
    assert read_event(trigger(payload={**PAYLOAD, "custom_details": {"kind": "Delay"}})).kind == "delay"


@pytest.mark.parametrize(
    ("details", "text"), [(None, "source: db-2"), ("full", "source: db-2\nfull"), (7, "source: db-2\n7")]
)
def test_custom_details_are_any_json(details, text):
    assert read_event(trigger(payload={**PAYLOAD, "custom_details": details})).text == text


@each(
    ("document", "expected"),
    [
        ([], ["The event must be a JSON object"]),
        (
            {},
            [
                "'routing_key' is missing or blank",
                "'event_action' must be one of trigger, acknowledge, resolve",
            ],
        ),
        (trigger(routing_key="short"), ["Length of 'routing_key' is incorrect (should be 32 characters)"]),
        (trigger(event_action=["trigger"]), ["'event_action' must be one of trigger, acknowledge, resolve"]),
        (trigger(dedup_key=7), ["'dedup_key' must be a string"]),
        (trigger(dedup_key="x" * 256), ["'dedup_key' is too long (at most 255 characters)"]),
        (
            {"routing_key": KEY, "event_action": "resolve"},
            ["'dedup_key' is required for the event action 'resolve'"],
        ),
        (trigger(payload=None), ["'payload' is missing"]),
        (
            trigger(payload={"severity": ["info"], "summary": " "}),
            [
                "'payload.summary' is missing or blank",
                "'payload.source' is missing or blank",
                "'payload.severity' must be one of critical, error, warning, info",
            ],
        ),
    ],
)
def test_every_problem_of_a_document_is_reported(document, expected):
    assert errors(document) == expected
