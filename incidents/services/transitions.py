"""What people decide about an incident: acknowledge, note, change, hand over, resolve, reopen.

Each locks the incident's row first, so that of two at once the second sees what the first has done.
"""

import datetime as dt

from django.db import IntegrityError, transaction

from common.exceptions import DomainError, InvalidInputError
from incidents.models import LONGEST_TEXT, Incident, TimelineEntry
from incidents.notifications import notify_assignment
from incidents.services.escalation import escalate_to_next
from incidents.services.opening import check_words
from incidents.services.runbook_runs import end_run
from incidents.services.timeline import append_entry
from people.models import User


def lock_incident(incident: Incident) -> Incident:
    """Lock an incident's row until the transaction ends; return it as it is now, with its pipeline and people."""
    rows = Incident.objects.select_related("pipeline", "acknowledged_by", "resolved_by", "assignee", "opened_by")
    return rows.select_for_update(of=("self",), no_key=True).get(pk=incident.pk)


@transaction.atomic
def acknowledge(incident: Incident, *, by: User, at: dt.datetime) -> Incident:
    """Let somebody take an incident: from now on nobody else is told; return it.

    Raises Refused where it is acknowledged already or over.
    """
    row = lock_incident(incident)
    if row.state == Incident.State.ACKNOWLEDGED:
        raise DomainError(f"{row.acknowledged_by} has acknowledged it already.")
    _refuse_over(row)
    _acknowledge(row, by=by, at=at)
    return row


def _acknowledge(row: Incident, *, by: User, at: dt.datetime) -> None:
    row.state, row.next_escalation_at = Incident.State.ACKNOWLEDGED, None
    row.acknowledged_at, row.acknowledged_by, row.assignee = at, by, by
    row.save(update_fields=["state", "next_escalation_at", "acknowledged_at", "acknowledged_by", "assignee"])
    append_entry(row, kind=TimelineEntry.Kind.ACKNOWLEDGED, at=at, by=by)


@transaction.atomic
def add_note(incident: Incident, *, text: str, by: User, at: dt.datetime) -> Incident:
    """Write a note on an incident's timeline, also on one that is over; return the incident. Raises Invalid."""
    _check_text(text, required=True)
    row = lock_incident(incident)
    append_entry(row, kind=TimelineEntry.Kind.NOTED, at=at, by=by, text=text.strip())
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
    """Correct what an incident is said to be; return it. Raises Invalid by field."""
    row = lock_incident(incident)
    given = {"kind": kind, "title": title, "text": text}
    wanted = {name: value.strip() for name, value in given.items() if value is not None}
    check_words(**{"kind": row.kind, "title": row.title, "text": row.text, **wanted})
    changed = [name for name, value in wanted.items() if getattr(row, name) != value]
    for name in changed:
        setattr(row, name, wanted[name])
    if changed:
        row.save(update_fields=changed)
        append_entry(row, kind=TimelineEntry.Kind.CHANGED, at=at, by=by, text=", ".join(changed))
    return row


@transaction.atomic
def reassign(incident: Incident, *, to: User, by: User, at: dt.datetime, text: str = "") -> Incident:
    """Give an incident to another engineer, who is told; return it.

    Whoever hands over one that nobody had acknowledged has thereby acknowledged it. Raises Refused where it is over or
    theirs already; Invalid where they are not active.
    """
    _check_text(text)
    row = lock_incident(incident)
    _refuse_over(row)
    if not to.is_active:
        raise InvalidInputError({"engineer": [f"{to} is not active."]})
    if row.assignee_id == to.pk:
        raise DomainError(f"{to} works on it already.")
    if row.state == Incident.State.OPEN:
        _acknowledge(row, by=by, at=at)
    row.assignee = to
    row.save(update_fields=["assignee"])
    append_entry(row, kind=TimelineEntry.Kind.HANDED_OVER, at=at, by=by, text=text.strip(), engineer=to.username)
    if to.pk != by.pk:
        notify_assignment(row, to=to, by=by, at=at, note=text.strip())
    return row


@transaction.atomic
def resolve(
    incident: Incident, *, by: User | None, at: dt.datetime, text: str = "", ended_by_step: int | None = None
) -> Incident:
    """Close an incident and the run of its runbook; return it. `by` is nobody where what opened it says it is over.

    `ended_by_step` is the position of the step that ended it. Raises Refused where it is over, or where that step is not done;
    Invalid where there is no such step.
    """
    _check_text(text)
    row = lock_incident(incident)
    _refuse_over(row)
    end_run(row, at=at, ended_by_step=ended_by_step)
    row.state, row.next_escalation_at = Incident.State.RESOLVED, None
    row.resolved_at, row.resolved_by = max(at, row.opened_at), by
    row.save(update_fields=["state", "next_escalation_at", "resolved_at", "resolved_by"])
    append_entry(row, kind=TimelineEntry.Kind.RESOLVED, at=at, by=by, text=text.strip())
    return row


@transaction.atomic
def reopen(incident: Incident, *, by: User | None, at: dt.datetime, text: str = "") -> Incident:
    """Open an incident again: the responder is told anew and escalation starts from the beginning; return it.

    Raises Refused where it is not over, or where its check or alert has another open one.
    """
    _check_text(text)
    row = lock_incident(incident)
    if not row.is_resolved:
        raise DomainError("It is not resolved.")
    row.state, row.round = Incident.State.OPEN, row.round + 1
    row.acknowledged_at = row.acknowledged_by = row.resolved_at = row.resolved_by = row.assignee = None
    row.recovered_at, row.last_seen_at = None, at
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise DomainError("Its check or alert has another open incident.") from error
    append_entry(row, kind=TimelineEntry.Kind.REOPENED, at=at, by=by, text=text.strip())
    escalate_to_next(row, at=at)
    return row


def _refuse_over(row: Incident) -> None:
    if row.is_resolved:
        raise DomainError(f"{row.resolved_by or 'What opened it'} has resolved it already.")


def _check_text(text: str, *, required: bool = False) -> None:
    if required and not text.strip():
        raise InvalidInputError({"text": ["Write something."]})
    if len(text) > LONGEST_TEXT:
        raise InvalidInputError({"text": [f"At most {LONGEST_TEXT:,} characters."]})
    if "\0" in text:
        raise InvalidInputError({"text": ["Null characters are not allowed."]})
