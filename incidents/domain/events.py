"""Events of other tools in the PagerDuty Events API v2 format: what a valid event is, and what it means here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ROUTING_KEY_LENGTH = 32
MAX_DEDUP_KEY_LENGTH = 255
TRIGGER, ACKNOWLEDGE, RESOLVE = ACTIONS = ("trigger", "acknowledge", "resolve")
# Severity of an event: severity of its incident (docs/rules.md, Events).
SEVERITIES = {"critical": "critical", "error": "high", "warning": "high", "info": "low"}
KINDS = ("issue", "outage", "delay")
# Fields of the payload that the incident's text lists, in this order.
LISTED_FIELDS = ("source", "component", "group", "class", "timestamp")


class InvalidEventError(Exception):
    """The event is not valid; `errors` are the reasons, one per problem."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Event:
    """A valid event. An event without a `dedup_key` starts an alert of its own. Only triggers have a title."""

    routing_key: str
    action: str
    dedup_key: str
    title: str = ""
    text: str = ""
    severity: str = "high"
    kind: str = "issue"


@dataclass(frozen=True, slots=True)
class Change:
    """A valid change event, such as a deployment."""

    routing_key: str
    title: str
    text: str = ""


def read_change(document: object) -> Change:
    """Return a posted document as a change event; raise InvalidEventError with every problem."""
    if not isinstance(document, dict):
        raise InvalidEventError(["The event must be a JSON object"])
    payload = document.get("payload")
    errors = _routing_key_errors(document.get("routing_key"))
    if not isinstance(payload, dict):
        errors.append("'payload' is missing")
    elif not isinstance(payload.get("summary"), str) or not payload["summary"].strip():
        errors.append("'payload.summary' is missing or blank")
    if errors or not isinstance(payload, dict):
        raise InvalidEventError(errors)
    return Change(str(document["routing_key"]), title=payload["summary"].strip(), text=_payload_text(payload, document))


def read_event(document: object) -> Event:
    """Return a posted document as an event; raise InvalidEventError with every problem."""
    if not isinstance(document, dict):
        raise InvalidEventError(["The event must be a JSON object"])
    routing_key, action, dedup_key = (document.get(name) for name in ("routing_key", "event_action", "dedup_key"))
    payload = document.get("payload")
    errors = _routing_key_errors(routing_key)
    if action not in ACTIONS:
        errors.append(f"'event_action' must be one of {', '.join(ACTIONS)}")
    if dedup_key is not None and not isinstance(dedup_key, str):
        errors.append("'dedup_key' must be a string")
    elif len(dedup_key or "") > MAX_DEDUP_KEY_LENGTH:
        errors.append(f"'dedup_key' is too long (at most {MAX_DEDUP_KEY_LENGTH} characters)")
    elif not dedup_key and action in (ACKNOWLEDGE, RESOLVE):
        errors.append(f"'dedup_key' is required for the event action '{action}'")
    if action == TRIGGER:
        errors += _payload_errors(payload)
    if errors:
        raise InvalidEventError(errors)
    event = Event(routing_key=str(routing_key), action=str(action), dedup_key=str(dedup_key or ""))
    return _trigger(event, document) if action == TRIGGER else event


def _routing_key_errors(routing_key: object) -> list[str]:
    if not isinstance(routing_key, str) or not routing_key:
        return ["'routing_key' is missing or blank"]
    if len(routing_key) != ROUTING_KEY_LENGTH:
        return [f"Length of 'routing_key' is incorrect (should be {ROUTING_KEY_LENGTH} characters)"]
    return []


def _payload_errors(payload: object) -> list[str]:
    if not isinstance(payload, dict):
        return ["'payload' is missing"]
    errors = [
        f"'payload.{name}' is missing or blank"
        for name in ("summary", "source")
        if not isinstance(payload.get(name), str) or not str(payload.get(name)).strip()
    ]
    if payload.get("severity") not in list(SEVERITIES):
        errors.append(f"'payload.severity' must be one of {', '.join(SEVERITIES)}")
    return errors


def _trigger(event: Event, document: Mapping[str, Any]) -> Event:
    payload = document["payload"]
    details = payload.get("custom_details")
    kind = str(details.get("kind", "")).casefold() if isinstance(details, dict) else ""
    if kind not in KINDS:
        kind = "outage" if payload["severity"] == "critical" else "issue"
    return Event(
        routing_key=event.routing_key,
        action=event.action,
        dedup_key=event.dedup_key,
        title=payload["summary"].strip(),
        text=_payload_text(payload, document),
        severity=SEVERITIES[payload["severity"]],
        kind=kind,
    )


def _payload_text(payload: Mapping[str, Any], document: Mapping[str, Any]) -> str:
    """Return the fields and details of a payload, and the links of its event, as lines."""
    lines = [f"{name}: {_text(payload[name])}" for name in LISTED_FIELDS if payload.get(name) not in (None, "")]
    lines += _details(payload.get("custom_details"))
    lines += [f"{text}: {href}" if text else href for text, href in _links(document)]
    return "\n".join(lines)


def _details(details: object) -> list[str]:
    """Return the custom details as lines; they are any JSON value."""
    if isinstance(details, dict):
        return [f"{name}: {_text(value)}" for name, value in details.items()]
    return [] if details in (None, "") else [_text(details)]


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _links(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the text and the address of the event's links, images and client; what is malformed is left out."""
    rows = [(row.get("text"), row.get("href")) for row in _objects(document.get("links"))]
    rows += [(row.get("alt"), row.get("src")) for row in _objects(document.get("images"))]
    rows.append((document.get("client"), document.get("client_url")))
    return [(text if isinstance(text, str) else "", href) for text, href in rows if isinstance(href, str) and href]


def _objects(value: object) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
