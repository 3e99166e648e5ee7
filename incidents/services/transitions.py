"""Open, acknowledge, annotate, edit, reassign, resolve and reopen incidents.

Each transition locks the incident first, so that of two at the same time the second sees what the first did.
"""

import datetime as dt
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from common.exceptions import DomainError, InvalidInputError
from common.text import clean_text, text_error
from incidents.models import MAX_TEXT_LENGTH, MAX_TITLE_LENGTH, Incident, TimelineEntry
from incidents.notifications import notify_assignment
from incidents.services.escalation import escalate_to_next
from incidents.services.runbook_runs import end_run
from people.models import User
from pipelines.models import Pipeline


@dataclass(frozen=True, slots=True)
class NewIncident:
    """An incident to open: what is wrong, and the check or alert that found it."""

    kind: str
    title: str
    text: str = ""
    source: str = Incident.Source.PERSON
    check_id: int | None = None
    fingerprint: str = ""


@transaction.atomic
def open_incident(pipeline: Pipeline, *, what: NewIncident, by: User | None, at: dt.datetime) -> Incident:
    """Open an incident and notify the responder in one transaction; return the incident.

    Raises InvalidInputError, or django.db.IntegrityError if the check or alert already has an open incident.
    """
    _validate(title=what.title, text=what.text, kind=what.kind)
    incident = Incident.objects.create(
        pipeline=pipeline,
        kind=what.kind,
        title=what.title.strip(),
        text=what.text.strip(),
        source=what.source,
        check_id=what.check_id,
        fingerprint=what.fingerprint,
        opened_by=by,
        opened_at=at,
        last_seen_at=at,
    )
    incident.add_entry(TimelineEntry.Kind.OPENED, at=at, by=by, text=incident.get_source_display())
    escalate_to_next(incident, at=at)
    return incident


def _validate(*, title: str, text: str, kind: str) -> None:
    """Raise InvalidInputError, by field, if an incident cannot have these values."""
    errors = {
        "title": text_error(title, max_length=MAX_TITLE_LENGTH, required="Enter a title."),
        "text": text_error(text, max_length=MAX_TEXT_LENGTH),
        "kind": "" if kind in Incident.Kind.values else f"Use one of {', '.join(Incident.Kind.values)}.",
    }
    if any(errors.values()):
        raise InvalidInputError({field: [error] for field, error in errors.items() if error})


def lock_incident(incident: Incident) -> Incident:
    """Lock an incident until the transaction ends; return its current row with its pipeline and people."""
    rows = Incident.objects.select_related("pipeline", "acknowledged_by", "resolved_by", "assignee", "opened_by")
    return rows.select_for_update(of=("self",), no_key=True).get(pk=incident.pk)


@transaction.atomic
def acknowledge(incident: Incident, *, by: User, at: dt.datetime) -> Incident:
    """Acknowledge an incident, which assigns it to `by` and stops its escalation; return it.

    Raises DomainError if it is acknowledged or resolved already.
    """
    row = lock_incident(incident)
    if row.state == Incident.State.ACKNOWLEDGED:
        raise DomainError(f"{row.acknowledged_by} already acknowledged this incident.")
    _check_unresolved(row)
    _acknowledge(row, by=by, at=at)
    return row


def _acknowledge(row: Incident, *, by: User, at: dt.datetime) -> None:
    row.state, row.next_escalation_at = Incident.State.ACKNOWLEDGED, None
    row.acknowledged_at, row.acknowledged_by, row.assignee = at, by, by
    row.save(update_fields=["state", "next_escalation_at", "acknowledged_at", "acknowledged_by", "assignee"])
    row.add_entry(TimelineEntry.Kind.ACKNOWLEDGED, at=at, by=by)


@transaction.atomic
def add_note(incident: Incident, *, text: str, by: User, at: dt.datetime) -> Incident:
    """Add a note to an incident's timeline, resolved or not; return the incident. Raises InvalidInputError."""
    note = clean_text(text, field="text", max_length=MAX_TEXT_LENGTH, required="Enter a note.")
    row = lock_incident(incident)
    row.add_entry(TimelineEntry.Kind.NOTE, at=at, by=by, text=note)
    return row


@transaction.atomic
def update_incident(
    incident: Incident,
    *,
    by: User,
    at: dt.datetime,
    kind: str | None = None,
    title: str | None = None,
    text: str | None = None,
) -> Incident:
    """Edit an incident's kind, title or text; return it. Raises InvalidInputError by field."""
    row = lock_incident(incident)
    values = {"kind": kind, "title": title, "text": text}
    fields = {name: value.strip() for name, value in values.items() if value is not None}
    _validate(**{"kind": row.kind, "title": row.title, "text": row.text, **fields})
    changed = [name for name, value in fields.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, fields[name])
    if changed:
        row.save(update_fields=changed)
        row.add_entry(TimelineEntry.Kind.EDITED, at=at, by=by, text=", ".join(changed).capitalize())
    return row


@transaction.atomic
def reassign(incident: Incident, *, to: User, by: User, at: dt.datetime, text: str = "") -> Incident:
    """Assign an incident to another engineer, who is notified; return it.

    Reassigning an open incident also acknowledges it. Raises DomainError if it is resolved or already theirs, and
    InvalidInputError if they are deactivated.
    """
    note = clean_text(text, field="text", max_length=MAX_TEXT_LENGTH)
    row = lock_incident(incident)
    _check_unresolved(row)
    if not to.is_active:
        raise InvalidInputError({"engineer": [f"{to} is deactivated."]})
    if row.assignee_id == to.pk:
        raise DomainError(f"This incident is already assigned to {to}.")
    if row.state == Incident.State.OPEN:
        _acknowledge(row, by=by, at=at)
    row.assignee = to
    row.save(update_fields=["assignee"])
    row.add_entry(TimelineEntry.Kind.REASSIGNED, at=at, by=by, text=note, engineer=to.username)
    if to.pk != by.pk:
        notify_assignment(row, to=to, by=by, at=at, note=note)
    return row


@transaction.atomic
def resolve(
    incident: Incident, *, by: User | None, at: dt.datetime, text: str = "", fixed_by_step: int | None = None
) -> Incident:
    """Resolve an incident and end its runbook run; return it. `by` is None if its check or alert recovered.

    `fixed_by_step` is the position of the step that fixed it. Raises DomainError if it is resolved already or that step is not
    done, and InvalidInputError if there is no such step.
    """
    resolution = clean_text(text, field="text", max_length=MAX_TEXT_LENGTH)
    row = lock_incident(incident)
    _check_unresolved(row)
    end_run(row, at=at, fixed_by_step=fixed_by_step)
    row.state, row.next_escalation_at = Incident.State.RESOLVED, None
    row.resolved_at, row.resolved_by = max(at, row.opened_at), by
    row.save(update_fields=["state", "next_escalation_at", "resolved_at", "resolved_by"])
    row.add_entry(TimelineEntry.Kind.RESOLVED, at=at, by=by, text=resolution)
    return row


@transaction.atomic
def reopen(incident: Incident, *, by: User | None, at: dt.datetime, text: str = "") -> Incident:
    """Reopen a resolved incident, which starts a new escalation round; return it.

    Raises DomainError if it is not resolved, or if its check or alert has another open incident.
    """
    reason = clean_text(text, field="text", max_length=MAX_TEXT_LENGTH)
    row = lock_incident(incident)
    if not row.is_resolved:
        raise DomainError("This incident is not resolved.")
    row.state, row.round = Incident.State.OPEN, row.round + 1
    row.acknowledged_at = row.acknowledged_by = row.resolved_at = row.resolved_by = row.assignee = None
    row.recovered_at, row.last_seen_at = None, at
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise DomainError("Its check or alert has another open incident.") from error
    row.add_entry(TimelineEntry.Kind.REOPENED, at=at, by=by, text=reason)
    escalate_to_next(row, at=at)
    return row


def _check_unresolved(row: Incident) -> None:
    if row.is_resolved:
        raise DomainError(f"This incident was already resolved by {row.resolved_by or 'its check or alert'}.")
