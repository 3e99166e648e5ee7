"""Events that are posted to channels."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

INCIDENT_OPENED = "incident.opened"
INCIDENT_ACKNOWLEDGED = "incident.acknowledged"
INCIDENT_REASSIGNED = "incident.reassigned"
INCIDENT_ESCALATED = "incident.escalated"
INCIDENT_RESOLVED = "incident.resolved"
INCIDENT_REOPENED = "incident.reopened"
CHECK_FAILED = "check.failed"
CHECK_RECOVERED = "check.recovered"
RESTATEMENT_OPENED = "restatement.opened"
RESTATEMENT_SETTLED = "restatement.settled"
SHIFT_STARTED = "shift.started"
SHIFT_ENDED = "shift.ended"
WEEK_STARTED = "week.started"
# Cannot be chosen: a test is sent only to its channel.
TEST = "test"

# In the order of forms, with their labels.
INCIDENT_EVENTS = {
    INCIDENT_OPENED: "Incident opened",
    INCIDENT_ACKNOWLEDGED: "Incident acknowledged",
    INCIDENT_REASSIGNED: "Incident reassigned",
    INCIDENT_ESCALATED: "Incident escalated",
    INCIDENT_RESOLVED: "Incident resolved",
    INCIDENT_REOPENED: "Incident reopened",
}
CHECK_EVENTS = {
    CHECK_FAILED: "Check failed",
    CHECK_RECOVERED: "Check recovered",
}
RESTATEMENT_EVENTS = {
    RESTATEMENT_OPENED: "Published numbers changed",
    RESTATEMENT_SETTLED: "Changed numbers are safe to use",
}
SHIFT_EVENTS = {
    SHIFT_STARTED: "Shift started",
    SHIFT_ENDED: "Shift ended, with the hand-off",
    WEEK_STARTED: "Who is on call this week (Mondays)",
}
# Events for channels of pipelines. Channels of rotations can get all events.
PIPELINE_EVENTS = {**INCIDENT_EVENTS, **CHECK_EVENTS, **RESTATEMENT_EVENTS}
EVENTS = {**PIPELINE_EVENTS, **SHIFT_EVENTS}

MAX_TITLE_LENGTH = 250
# Together with title and facts, it stays below the limits of all services. The smallest are Discord's 4,096 characters
# for a description and Teams's 28 KB for a message.
MAX_TEXT_LENGTH = 2000
MAX_FACTS = 8
MAX_FACT_LENGTH = 200


@dataclass(frozen=True, slots=True)
class ChannelEvent:
    """An event, as channels get it."""

    type: str
    # Identifies the event in every channel and for every attempt.
    id: str
    occurred_at: dt.datetime
    title: str
    # The page that the event is about.
    path: str
    text: str = ""
    # Pairs of a label and a value.
    facts: tuple[tuple[str, str], ...] = ()
    # The event as webhooks get it.
    data: Mapping[str, Any] = field(default_factory=dict)


def shorten(text: str, *, length: int) -> str:
    """Return a text of at most `length` characters; a shortened one ends with "…"."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
