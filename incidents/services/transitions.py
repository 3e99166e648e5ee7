"""Open, acknowledge, annotate, edit, reassign, snooze, resolve and reopen incidents.

Each transition locks the incident first, so that of two at the same time the second sees what the first did.
"""

import datetime as dt
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from common.datetimes import isoformat_z
from common.db import lock_rows
from common.exceptions import DomainError, InvalidInputError
from common.text import clean_text, text_error
from incidents.models import (
    MAX_TEXT_LENGTH,
    MAX_TITLE_LENGTH,
    EscalationStep,
    Failure,
    Incident,
    RunbookRun,
    TimelineEntry,
)
from incidents.notifications import notify_assignment
from incidents.services.channel_posts import post_incident
from incidents.services.escalation import earliest_notification, escalate_to_next, escalation_wait, record_step
from incidents.services.runbook_runs import end_run, start_run
from people.models import User
from people.services.accounts import check_active
from pipelines.models import Pipeline
from team_channels.domain.events import (
    INCIDENT_ACKNOWLEDGED,
    INCIDENT_OPENED,
    INCIDENT_REASSIGNED,
    INCIDENT_REOPENED,
    INCIDENT_RESOLVED,
)

MAX_SNOOZE = dt.timedelta(days=30)
# A form that is sent again after Back and a reload has a new key, so its text says that it is the same note.
REPEAT_PERIOD = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class NewIncident:
    """An incident to open: what is wrong, the check or alert that found it, and the incident upstream that caused it."""

    kind: str
    title: str
    text: str = ""
    source: str = Incident.Source.PERSON
    severity: str = Incident.Severity.HIGH
    check_id: int | None = None
    fingerprint: str = ""
    group_key: str = ""
    parent: Incident | None = None


@transaction.atomic
def open_incident(pipeline: Pipeline, *, what: NewIncident, by: User | None, at: dt.datetime) -> Incident:
    """Open an incident and notify the responder in one transaction; return the incident.

    Raises InvalidInputError, or django.db.IntegrityError if the check or alert already has an open incident.
    """
    _validate(title=what.title, text=what.text, kind=what.kind, severity=what.severity)
    incident = Incident.objects.create(
        pipeline=pipeline,
        kind=what.kind,
        title=what.title.strip(),
        text=what.text.strip(),
        source=what.source,
        check_id=what.check_id,
        fingerprint=what.fingerprint,
        group_key=what.group_key,
        severity=what.severity,
        parent=what.parent,
        opened_by=by,
        opened_at=at,
        last_seen_at=at,
    )
    if what.source == Incident.Source.CHECK and (what.check_id is not None or what.fingerprint):
        add_failure(incident, what=what, at=at)
    is_by_hand = by is not None and incident.source == Incident.Source.PERSON
    entry = incident.add_entry(
        TimelineEntry.Kind.OPENED, at=at, by=by, text="" if is_by_hand else str(incident.get_source_display())
    )
    escalate_to_next(incident, at=at)
    post_incident(INCIDENT_OPENED, entry, incident=incident, at=at)
    return incident


def add_failure(incident: Incident, *, what: NewIncident, at: dt.datetime) -> Failure:
    """Add a failing check to an incident and return it; the caller holds the incident's lock."""
    return incident.failures.create(
        check_id=what.check_id,
        fingerprint="" if what.check_id is not None else what.fingerprint,
        title=what.title,
        text=what.text,
        started_at=at,
        last_seen_at=at,
    )


def raise_severity(row: Incident, *, severity: str, at: dt.datetime) -> None:
    """Set a higher severity without saving; an incident that waited for working hours escalates at once."""
    was_low, row.severity = row.severity == Incident.Severity.LOW, severity
    if was_low and row.next_escalation_at is not None:
        row.next_escalation_at = min(row.next_escalation_at, at + escalation_wait(row))
        if not row.escalation_steps.filter(round=row.round).exists():
            row.next_escalation_at = at


def _validate(*, title: str, text: str, kind: str, severity: str) -> None:
    """Raise InvalidInputError, by field, if an incident cannot have these values."""
    errors = {
        "title": text_error(title, max_length=MAX_TITLE_LENGTH, required="Enter a title.", is_line=True),
        "text": text_error(text, max_length=MAX_TEXT_LENGTH),
        "kind": "" if kind in Incident.Kind.values else f"Use one of {', '.join(Incident.Kind.values)}.",
        "severity": ""
        if severity in Incident.Severity.values
        else f"Use one of {', '.join(Incident.Severity.values)}.",
    }
    if any(errors.values()):
        raise InvalidInputError({field: [error] for field, error in errors.items() if error})


def lock_incident(incident: Incident) -> Incident:
    """Lock an incident until the transaction ends; return its current row with its pipeline and people."""
    rows = Incident.objects.select_related("pipeline", "acknowledged_by", "resolved_by", "assignee", "opened_by")
    return lock_rows(rows.filter(pk=incident.pk), no_key=True).get()


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


@transaction.atomic
def acknowledge_and_run(
    incident: Incident, *, by: User, at: dt.datetime, first_step_done_in: int | None = None
) -> RunbookRun:
    """Acknowledge an incident and start its runbook in one transaction; return the run. Raises the errors of both."""
    acknowledge(incident, by=by, at=at)
    return start_run(incident, by=by, at=at, first_step_done_in=first_step_done_in)


def _acknowledge(row: Incident, *, by: User, at: dt.datetime) -> None:
    _assign(row, to=by, at=at)
    entry = row.add_entry(TimelineEntry.Kind.ACKNOWLEDGED, at=at, by=by)
    post_incident(INCIDENT_ACKNOWLEDGED, entry, incident=row, at=at)


def _assign(row: Incident, *, to: User, at: dt.datetime) -> None:
    row.state, row.next_escalation_at, row.snoozed_until = Incident.State.ACKNOWLEDGED, None, None
    row.hold = ""
    row.acknowledged_at, row.acknowledged_by, row.assignee = at, to, to
    row.save()


@transaction.atomic
def acknowledge_for_tool(incident: Incident, *, tool: str, at: dt.datetime) -> Incident:
    """Acknowledge an incident because a tool reports that someone is working on it; return it.

    It is assigned to its assignee, or else to the engineer who was notified last. Raises DomainError if it is acknowledged or
    resolved already, or if nobody has been notified yet.
    """
    row = lock_incident(incident)
    if row.state == Incident.State.ACKNOWLEDGED:
        raise DomainError(f"{row.acknowledged_by} already acknowledged this incident.")
    _check_unresolved(row)
    steps = row.escalation_steps.filter(round=row.round, engineer__is_active=True).select_related("engineer")
    last = steps.order_by("-pk").first()
    engineer = last.engineer if last else None
    if row.assignee is not None and row.assignee.is_active:
        engineer = row.assignee
    if engineer is None:
        raise DomainError("Nobody has been notified of this incident yet.")
    _assign(row, to=engineer, at=at)
    text = f"By {tool}, for {engineer}."
    entry = row.add_entry(TimelineEntry.Kind.ACKNOWLEDGED, at=at, text=text, engineer=engineer.username)
    post_incident(INCIDENT_ACKNOWLEDGED, entry, incident=row, at=at)
    return row


@transaction.atomic
def add_note(incident: Incident, *, text: str, by: User, at: dt.datetime) -> TimelineEntry:
    """Add a note to an incident's timeline, resolved or not; return its entry. Raises InvalidInputError.

    The same text by the same person within REPEAT_PERIOD is the same note.
    """
    note = clean_text(text, field="text", max_length=MAX_TEXT_LENGTH, required="Enter a note.")
    row = lock_incident(incident)
    own = row.timeline.filter(kind=TimelineEntry.Kind.NOTE, by=by, text=note, at__gt=at - REPEAT_PERIOD)
    if earlier := own.last():
        return earlier
    return row.add_entry(TimelineEntry.Kind.NOTE, at=at, by=by, text=note)


@transaction.atomic
def delete_note(incident: Incident, *, entry: int, by: User) -> None:
    """Delete a note by `by` that was added by mistake; raise DomainError if it no longer exists."""
    row = lock_incident(incident)
    deleted, _ = row.timeline.filter(pk=entry, kind=TimelineEntry.Kind.NOTE, by=by).delete()
    if not deleted:
        raise DomainError("This note has since been removed.")


@transaction.atomic
def update_incident(
    incident: Incident,
    *,
    by: User,
    at: dt.datetime,
    kind: str | None = None,
    severity: str | None = None,
    title: str | None = None,
    text: str | None = None,
) -> Incident:
    """Edit an incident's kind, severity, title or text; return it. Raises InvalidInputError by field.

    An incident that waited for working hours escalates at once if its severity rises.
    """
    row = lock_incident(incident)
    values = {"kind": kind, "severity": severity, "title": title, "text": text}
    fields = {name: value.strip() for name, value in values.items() if value is not None}
    _validate(**{"kind": row.kind, "severity": row.severity, "title": row.title, "text": row.text, **fields})
    changed = [name for name, value in fields.items() if getattr(row, name) != value]
    if "severity" in changed:
        raise_severity(row, severity=fields["severity"], at=at)
    for name in changed:
        setattr(row, name, fields[name])
    if changed:
        row.save(update_fields=[*changed, "next_escalation_at"])
        row.add_entry(TimelineEntry.Kind.EDITED, at=at, by=by, text=", ".join(changed).capitalize())
    return row


@transaction.atomic
def reassign(incident: Incident, *, to: User, by: User, at: dt.datetime, text: str = "") -> Incident:
    """Assign an incident to another engineer, who is notified; return it.

    It escalates until they acknowledge it. Assigning it to oneself acknowledges it. Raises DomainError if it is resolved or
    already theirs, and InvalidInputError if they are deactivated.
    """
    note = clean_text(text, field="text", max_length=MAX_TEXT_LENGTH)
    row = lock_incident(incident)
    _check_unresolved(row)
    check_active(to, field="engineer")
    if row.assignee_id == to.pk:
        raise DomainError(f"This incident is already assigned to {to}.")
    row.assignee = to
    entry = row.add_entry(TimelineEntry.Kind.REASSIGNED, at=at, by=by, text=note, engineer=to.username)
    if to.pk == by.pk:
        _acknowledge(row, by=by, at=at)
        return row
    notified_at = earliest_notification(row, to, at=at)
    row.state, row.snoozed_until = Incident.State.OPEN, None
    row.acknowledged_at = row.acknowledged_by = None
    if row.hold == Incident.Hold.UPSTREAM:
        row.hold = ""
    row.next_escalation_at = None if row.recovered_at else notified_at + escalation_wait(row)
    row.save()
    record_step(row, to, role=EscalationStep.Role.ASSIGNEE, at=at)
    notify_assignment(row, to=to, by=by, at=notified_at, note=note)
    post_incident(INCIDENT_REASSIGNED, entry, incident=row, at=at)
    return row


@transaction.atomic
def snooze(incident: Incident, *, until: dt.datetime, by: User, at: dt.datetime) -> Incident:
    """Snooze an unresolved incident: nobody is notified until then, when its escalation starts again; return it.

    Raises DomainError if it is resolved, and InvalidInputError if `until` is past or more than 30 days ahead.
    """
    row = lock_incident(incident)
    _check_unresolved(row)
    if until <= at:
        raise InvalidInputError({"until": ["Choose a time in the future."]})
    if until > at + MAX_SNOOZE:
        raise InvalidInputError({"until": [f"Choose a time within {MAX_SNOOZE.days} days."]})
    row.snoozed_until, row.next_escalation_at = until, None
    row.save(update_fields=["snoozed_until", "next_escalation_at"])
    row.add_entry(TimelineEntry.Kind.SNOOZED, at=at, by=by, until=isoformat_z(until))
    return row


@dataclass(frozen=True, slots=True)
class Snooze:
    """How an incident waits: until when it is snoozed, and when it escalates next."""

    until: dt.datetime | None
    next_escalation_at: dt.datetime | None


@transaction.atomic
def restore_snooze(incident: Incident, *, before: Snooze, saved: dt.datetime, by: User, at: dt.datetime) -> Incident:
    """Restore an incident's wait from before it was snoozed until `saved`; return it.

    Raises DomainError if it has since been snoozed again, reassigned or resolved.
    """
    row = lock_incident(incident)
    _check_unresolved(row)
    if row.snoozed_until != saved:
        raise DomainError("The snooze has since changed or ended.")
    is_snoozed = before.until is not None and before.until > at
    row.snoozed_until = before.until if is_snoozed else None
    # A check that recovered meanwhile, as at the end of a snooze, wakes nobody.
    escalates = row.state == Incident.State.OPEN and row.recovered_at is None and not is_snoozed
    row.next_escalation_at = before.next_escalation_at if escalates else None
    row.save(update_fields=["snoozed_until", "next_escalation_at"])
    row.add_entry(TimelineEntry.Kind.SNOOZE_ENDED, at=at, by=by)
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
    row.state, row.next_escalation_at, row.snoozed_until = Incident.State.RESOLVED, None, None
    row.hold = ""
    row.resolved_at, row.resolved_by = max(at, row.opened_at), by
    row.save(update_fields=["state", "next_escalation_at", "snoozed_until", "hold", "resolved_at", "resolved_by"])
    row.failures.update(is_open=False)
    entry = row.add_entry(TimelineEntry.Kind.RESOLVED, at=at, by=by, text=resolution)
    post_incident(INCIDENT_RESOLVED, entry, incident=row, at=at)
    return row


@transaction.atomic
def reopen(
    incident: Incident,
    *,
    by: User | None,
    at: dt.datetime,
    text: str = "",
    flap_window: dt.timedelta = dt.timedelta(),
    parent: Incident | None = None,
) -> Incident:
    """Reopen a resolved incident, which starts a new escalation round; return it. `parent` is the incident upstream that caused it.

    If it was resolved automatically and somebody was notified less than `flap_window` ago, it is flapping: the round goes on
    where it was, so that nobody is notified twice. Raises DomainError if it is not resolved, if its check or alert has
    another open incident, or if it is a drill and another one runs.
    """
    reason = clean_text(text, field="text", max_length=MAX_TEXT_LENGTH)
    if incident.source == Incident.Source.DRILL:
        check_no_drill(incident.pipeline_id, besides=incident)
    row = lock_incident(incident)
    if not row.is_resolved:
        raise DomainError("This incident is not resolved.")
    last_step = row.escalation_steps.filter(round=row.round, at__gt=at - flap_window).order_by("-pk").first()
    is_flapping = row.resolved_by is None and last_step is not None
    next_escalation_at = _resumed_escalation(row, last_step=last_step, at=at)
    row.state, row.round = Incident.State.OPEN, row.round + (0 if is_flapping else 1)
    row.acknowledged_at = row.acknowledged_by = row.resolved_at = row.resolved_by = row.assignee = None
    row.recovered_at, row.last_seen_at, row.parent = None, at, parent
    try:
        with transaction.atomic():
            row.save()
            _reopen_failures(row)
    except IntegrityError as error:
        raise DomainError("Its check or alert has another open incident.") from error
    entry = row.add_entry(TimelineEntry.Kind.REOPENED, at=at, by=by, text=reason)
    if is_flapping:
        row.next_escalation_at = next_escalation_at
        row.save(update_fields=["next_escalation_at"])
    else:
        escalate_to_next(row, at=at)
    post_incident(INCIDENT_REOPENED, entry, incident=row, at=at)
    return row


def check_no_drill(pipeline_id: int, *, besides: Incident | None = None) -> None:
    """Raise DomainError if a drill of a pipeline runs. Until the transaction ends, no other starts."""
    Pipeline.objects.select_for_update(no_key=True).get(pk=pipeline_id)
    running = Incident.objects.unresolved().filter(pipeline=pipeline_id, source=Incident.Source.DRILL)
    if besides is not None:
        running = running.exclude(pk=besides.pk)
    if running.exists():
        raise DomainError("A drill is already in progress for this pipeline. Resolve it first.")


def _reopen_failures(row: Incident) -> None:
    """Make the failures of a reopened incident part of it again, except those that are in another one meanwhile.

    Raises IntegrityError if that is true of the failure that opened it.
    """
    open_elsewhere = Failure.objects.filter(is_open=True).exclude(incident=row)
    others = row.failures.exclude(check_id=row.check_id, fingerprint="" if row.check_id else row.fingerprint)
    in_another = others.filter(check_id__in=open_elsewhere.exclude(check_id=None).values("check_id")) | others.exclude(
        fingerprint=""
    ).filter(fingerprint__in=open_elsewhere.values("fingerprint"))
    row.failures.exclude(pk__in=in_another.values("pk")).update(is_open=True)


def _resumed_escalation(row: Incident, *, last_step: EscalationStep | None, at: dt.datetime) -> dt.datetime:
    """Return when a flapping incident escalates: as it would have, or after a full wait if somebody had acknowledged it."""
    wait = escalation_wait(row)
    if last_step is None or row.acknowledged_at is not None:
        return at + wait
    return max(at, last_step.at + wait)


def _check_unresolved(row: Incident) -> None:
    if row.is_resolved:
        raise DomainError(f"This incident was already resolved by {row.resolved_by or 'its check or alert'}.")
