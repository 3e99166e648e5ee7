"""Events of other tools (PagerDuty Events API v2): a trigger opens an incident, others acknowledge and resolve it."""

import datetime as dt
import hashlib
import uuid

from django.db import transaction

from common.exceptions import DomainError
from common.text import one_line, printable
from incidents.domain.events import ACKNOWLEDGE, TRIGGER, Change, Event, InvalidEventError
from incidents.models import MAX_TEXT_LENGTH, MAX_TITLE_LENGTH, Incident, IntegrationKey, TimelineEntry
from incidents.services.integration_keys import count_event, find_integration_key
from incidents.services.transitions import acknowledge_for_tool, lock_incident, resolve
from incidents.services.triggers import MIN_COOLDOWN, IncidentTrigger, latest_incident, trigger_incident

# A change is added to at most this many open incidents of its pipeline, oldest first.
MAX_INCIDENTS_PER_CHANGE = 20


class TooManyEventsError(Exception):
    """The integration key has sent too many events this minute."""


def ingest_event(event: Event, *, at: dt.datetime) -> str:
    """Open, acknowledge or resolve the incident of an event; return its deduplication key.

    Sent again, an event changes nothing more, and acknowledging or resolving what is not open changes nothing at all. Raises
    InvalidEventError for an unknown integration key, and TooManyEventsError.
    """
    key = find_integration_key(event.routing_key)
    if key is None:
        raise InvalidEventError(["'routing_key' is not an active integration key"])
    if not count_event(key, at=at):
        raise TooManyEventsError
    dedup_key = event.dedup_key or uuid.uuid4().hex
    fingerprint = event_fingerprint(key, dedup_key)
    if event.action == TRIGGER:
        trigger_incident(key.pipeline, trigger=_trigger(event, key=key, fingerprint=fingerprint, at=at), at=at)
        return dedup_key
    incident = latest_incident(fingerprint=fingerprint)
    if incident is not None and not incident.is_resolved:
        _acknowledge_or_resolve(incident, action=event.action, tool=key.name, at=at)
    return dedup_key


def ingest_change(change: Change, *, at: dt.datetime) -> int:
    """Add a change, such as a deployment, to the timelines of the pipeline's open incidents; return their number.

    Opens no incident. Raises the same errors as `ingest_event`.
    """
    key = find_integration_key(change.routing_key)
    if key is None:
        raise InvalidEventError(["'routing_key' is not an active integration key"])
    if not count_event(key, at=at):
        raise TooManyEventsError
    text = printable("\n".join(part for part in (change.title, change.text, f"sent by: {key.name}") if part))
    rows = Incident.objects.unresolved().without_drills().filter(pipeline=key.pipeline_id)
    count = 0
    for row in rows.order_by("pk")[:MAX_INCIDENTS_PER_CHANGE]:
        with transaction.atomic():
            incident = lock_incident(row)
            if not incident.is_resolved:
                incident.add_entry(TimelineEntry.Kind.CHANGE, at=at, text=text[:MAX_TEXT_LENGTH])
                count += 1
    return count


def event_fingerprint(key: IntegrationKey, dedup_key: str) -> str:
    """Return the fingerprint of an event's incident. It is the pipeline's, so that a key can be replaced while it is open."""
    name = dedup_key if dedup_key == one_line(dedup_key) else hashlib.sha256(dedup_key.encode()).hexdigest()
    return f"events:{key.pipeline_id}:{name}"


def _trigger(event: Event, *, key: IntegrationKey, fingerprint: str, at: dt.datetime) -> IncidentTrigger:
    # A long summary is cut in the title only.
    summary = event.title if len(event.title) > MAX_TITLE_LENGTH else ""
    return IncidentTrigger(
        kind=event.kind,
        title=event.title,
        text="\n".join(part for part in (summary, event.text, f"sent by: {key.name}") if part),
        severity=event.severity,
        seen_at=at,
        cooldown=MIN_COOLDOWN,
        fingerprint=fingerprint,
        source=Incident.Source.ALERT,
    )


def _acknowledge_or_resolve(incident: Incident, *, action: str, tool: str, at: dt.datetime) -> None:
    try:
        if action == ACKNOWLEDGE:
            acknowledge_for_tool(incident, tool=tool, at=at)
        else:
            resolve(incident, by=None, at=at, text=f"Auto-resolved by {tool}.")
    except DomainError:
        # A person or another event has already done it.
        return
