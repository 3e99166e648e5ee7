"""What a failing check or a firing alert does: one incident, to which repeats and flapping add (product.md §8)."""

import datetime as dt
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from common.exceptions import DomainError
from incidents.models import LONGEST_TEXT, LONGEST_TITLE, Incident, TimelineEntry
from incidents.queries.incidents import latest_of
from incidents.services.escalation import wait_of
from incidents.services.opening import NewIncident, open_incident
from incidents.services.timeline import append_entry, append_repeat
from incidents.services.transitions import lock_incident, reopen, resolve
from pipelines.models import Pipeline


@dataclass(frozen=True, slots=True)
class IncidentTrigger:
    """A check that fails or an alert that fires: since when, when it was last seen, and how long flapping is one incident."""

    kind: str
    title: str
    text: str
    since: dt.datetime
    seen_at: dt.datetime
    cooldown: dt.timedelta
    check_key: int | None = None
    fingerprint: str = ""
    source: str = Incident.Source.CHECK

    @property
    def opening(self) -> NewIncident:
        """The incident it opens."""
        return NewIncident(
            kind=self.kind,
            title=" ".join(self.title.split())[:LONGEST_TITLE],
            text=self.text[:LONGEST_TEXT],
            source=self.source,
            check_key=self.check_key,
            fingerprint=self.fingerprint,
        )


def trigger_incident(pipeline: Pipeline, *, cause: IncidentTrigger, at: dt.datetime) -> Incident | None:
    """Open an incident for what fails, or add to the one there is; return it, None where a person has just resolved it.

    Within the cooldown after it was resolved, failing anew reopens it; going on as before waits, since whoever resolved it
    knows. Of two workers at once one opens it and the other adds to it.
    """
    latest = latest_of(check_key=cause.check_key, fingerprint=cause.fingerprint)
    if latest is None or (latest.resolved_at is not None and at >= latest.resolved_at + cause.cooldown):
        try:
            with transaction.atomic():
                return open_incident(pipeline, what=cause.opening, by=None, at=at)
        except IntegrityError:
            # Another worker opened it in this moment.
            return latest_of(check_key=cause.check_key, fingerprint=cause.fingerprint)
    if latest.resolved_at is None:
        return _add(latest, cause=cause, at=at)
    if cause.since <= latest.resolved_at:
        return None
    try:
        return reopen(latest, by=None, at=at, text=f"It fails again: {cause.text}"[:LONGEST_TEXT])
    except DomainError:
        return latest_of(check_key=cause.check_key, fingerprint=cause.fingerprint)


@transaction.atomic
def _add(incident: Incident, *, cause: IncidentTrigger, at: dt.datetime) -> Incident:
    """Add a repeat to an open incident; what was seen before adds nothing."""
    row = lock_incident(incident)
    if row.is_resolved or cause.seen_at <= row.last_seen_at:
        return row
    row.repeats, row.last_seen_at = row.repeats + 1, cause.seen_at
    if row.recovered_at is not None:
        row.recovered_at = None
        if row.state == Incident.State.OPEN:
            row.next_escalation_at = at + wait_of(row.pipeline)
    row.save(update_fields=["repeats", "last_seen_at", "recovered_at", "next_escalation_at"])
    append_repeat(row, at=at, text=cause.text)
    return row


@transaction.atomic
def mark_recovered(incident: Incident, *, cooldown: dt.timedelta, at: dt.datetime) -> Incident:
    """Note that an incident's check passes again; after the cooldown close it, unless somebody has taken it. Return it.

    From then on nobody else is told. Whoever acknowledged it decides when it is over.
    """
    row = lock_incident(incident)
    if row.is_resolved:
        return row
    if row.recovered_at is None:
        row.recovered_at, row.next_escalation_at = at, None
        row.save(update_fields=["recovered_at", "next_escalation_at"])
        append_entry(row, kind=TimelineEntry.Kind.RECOVERED, at=at)
    if row.state == Incident.State.OPEN and at >= row.recovered_at + cooldown:
        return resolve(row, by=None, at=at, text="The check passes again, and nobody had taken it.")
    return row


def resolve_alert(fingerprint: str, *, at: dt.datetime, text: str = "") -> Incident | None:
    """Close the open incident of an alert, since Alertmanager says it is over; return it, None where there is none."""
    latest = latest_of(fingerprint=fingerprint)
    if latest is None or latest.is_resolved:
        return None
    try:
        return resolve(latest, by=None, at=at, text=text)
    except DomainError:
        return None
