"""Posts about incidents to the channels of their pipeline and its rotation, in the transaction of the change."""

import datetime as dt
from collections.abc import Iterable

from django.urls import reverse

from common.datetimes import isoformat_z
from common.formatting import format_instant
from incidents.models import Incident, TimelineEntry
from incidents.notifications import incident_text
from people.models import User
from team_channels.domain.events import (
    INCIDENT_ACKNOWLEDGED,
    INCIDENT_ESCALATED,
    INCIDENT_OPENED,
    INCIDENT_REASSIGNED,
    INCIDENT_REOPENED,
    INCIDENT_RESOLVED,
    ChannelEvent,
)
from team_channels.queries import channels_for
from team_channels.services.outbox import post_event

EVENT_TITLES = {
    INCIDENT_OPENED: "Opened",
    INCIDENT_ACKNOWLEDGED: "Acknowledged",
    INCIDENT_REASSIGNED: "Reassigned",
    INCIDENT_ESCALATED: "Escalated",
    INCIDENT_RESOLVED: "Resolved",
    INCIDENT_REOPENED: "Reopened",
}
# These show what is wrong. The others show what was done, with its note.
WITH_TEXT = (INCIDENT_OPENED, INCIDENT_REOPENED, INCIDENT_ESCALATED)


def post_incident(event: str, entry: TimelineEntry, *, incident: Incident, at: dt.datetime) -> None:
    """Post an entry of an incident's timeline to the channels that want it. The caller holds the incident's lock."""
    channels = channels_for(event, pipeline=incident.pipeline)
    if not channels:
        return
    notified = _notified(incident)
    facts = [
        ("Pipeline", str(incident.pipeline)),
        ("Severity", str(incident.get_severity_display())),
        ("Kind", str(incident.get_kind_display())),
        ("Assigned to", str(incident.assignee or "Nobody")),
        ("Notified", ", ".join(str(person) for person in notified)),
        ("By", str(entry.by or "")),
        ("At", format_instant(entry.at, dt.UTC)),
    ]
    new = ChannelEvent(
        type=event,
        id=f"incident-{incident.pk}-{entry.pk}",
        occurred_at=entry.at,
        title=f"{EVENT_TITLES[event]}: {incident.pipeline}: {incident.marked_title}",
        text=incident_text(incident) if event in WITH_TEXT else entry.text,
        path=reverse("incident", args=[incident.pk]),
        facts=tuple((label, value) for label, value in facts if value),
        data={"incident": incident_data(incident, notified=notified), "by": _username(entry.by), "note": entry.text},
    )
    post_event(channels, new, at=at)


def incident_data(incident: Incident, *, notified: Iterable[User]) -> dict[str, object]:
    """Return an incident as webhooks get it, with the field names of the API; `notified` are those notified in its round, in order."""
    return {
        "id": incident.pk,
        "pipeline": incident.pipeline.slug,
        "title": incident.title,
        "kind": incident.kind,
        "severity": incident.severity,
        "state": incident.state,
        "source": incident.source,
        "opened_at": isoformat_z(incident.opened_at),
        "acknowledged_at": isoformat_z(incident.acknowledged_at) if incident.acknowledged_at else None,
        "acknowledged_by": _username(incident.acknowledged_by),
        "resolved_at": isoformat_z(incident.resolved_at) if incident.resolved_at else None,
        "resolved_by": _username(incident.resolved_by),
        "assignee": _username(incident.assignee),
        "notified": [person.username for person in notified],
    }


def _notified(incident: Incident) -> list[User]:
    """Return who was notified in this round, in order."""
    steps = incident.escalation_steps.filter(round=incident.round).select_related("engineer").order_by("pk")
    return [step.engineer for step in steps]


def _username(person: User | None) -> str | None:
    return person.username if person is not None else None
