"""Maintenance windows of pipelines: nothing escalates while one lasts (docs/rules.md, Maintenance windows)."""

import datetime as dt

from django.db import transaction

from common.exceptions import DomainError, InvalidInputError
from common.text import clean_text
from incidents.models import MAX_REASON_LENGTH, Incident, MaintenanceWindow
from people.models import User
from pipelines.models import Pipeline

MAX_MAINTENANCE = dt.timedelta(days=30)
# The clock of a browser or a script may be a little behind; a form takes a minute to fill in.
START_TOLERANCE = dt.timedelta(minutes=5)


@transaction.atomic
def schedule_maintenance(
    pipeline: Pipeline, *, starts_at: dt.datetime, ends_at: dt.datetime, reason: str, by: User, at: dt.datetime
) -> MaintenanceWindow:
    """Schedule a maintenance window, which may start now; return it. Raises InvalidInputError by field."""
    _lock(pipeline)
    if starts_at < at - START_TOLERANCE:
        raise InvalidInputError({"starts_at": ["The start is in the past."]})
    window = MaintenanceWindow(pipeline=pipeline, starts_at=starts_at, created_by=by)
    return _save(window, ends_at=ends_at, reason=reason, at=at)


@transaction.atomic
def change_maintenance(
    window: MaintenanceWindow, *, at: dt.datetime, ends_at: dt.datetime | None = None, reason: str | None = None
) -> MaintenanceWindow:
    """Change the end or the reason of a maintenance window; return it. Raises InvalidInputError, or DomainError if it is over."""
    row = _current(window, at=at)
    before = row.ends_at
    _save(row, ends_at=ends_at or row.ends_at, reason=row.reason if reason is None else reason, at=at)
    _reschedule_held(row, before=before, to=row.ends_at)
    return row


@transaction.atomic
def end_maintenance(window: MaintenanceWindow, *, at: dt.datetime) -> None:
    """End a maintenance window now; remove it if it has not started. Raises DomainError if it is over."""
    row = _current(window, at=at)
    before = row.ends_at
    if row.starts_at >= at:
        row.delete()
    else:
        row.ends_at = at
        row.save(update_fields=["ends_at"])
    _reschedule_held(row, before=before, to=at)


def _save(window: MaintenanceWindow, *, ends_at: dt.datetime, reason: str, at: dt.datetime) -> MaintenanceWindow:
    window.ends_at = ends_at
    window.reason = clean_text(
        reason, field="reason", max_length=MAX_REASON_LENGTH, required="Enter a reason.", is_line=True
    )
    if ends_at <= max(window.starts_at, at):
        raise InvalidInputError({"ends_at": ["The end must be after the start and in the future."]})
    if ends_at > window.starts_at + MAX_MAINTENANCE:
        raise InvalidInputError({"ends_at": [f"A maintenance window lasts at most {MAX_MAINTENANCE.days} days."]})
    others = MaintenanceWindow.objects.filter(pipeline=window.pipeline).exclude(pk=window.pk)
    if others.overlapping(starts_at=window.starts_at, ends_at=ends_at).exists():
        raise DomainError("This pipeline has another maintenance window at that time.")
    window.save()
    return window


def _current(window: MaintenanceWindow, *, at: dt.datetime) -> MaintenanceWindow:
    _lock(window.pipeline)
    row: MaintenanceWindow | None = (
        MaintenanceWindow.objects.select_related("pipeline").filter(pk=window.pk).not_ended(at=at).first()
    )
    if row is None:
        raise DomainError("This maintenance window has ended.")
    return row


def _lock(pipeline: Pipeline) -> None:
    """Lock a pipeline's maintenance windows until the transaction ends."""
    Pipeline.objects.select_for_update(no_key=True).get(pk=pipeline.pk)


def _reschedule_held(window: MaintenanceWindow, *, before: dt.datetime, to: dt.datetime) -> None:
    """Move the next escalation of the incidents that a window holds to its new end."""
    held = Incident.objects.filter(pipeline=window.pipeline, state=Incident.State.OPEN, hold=Incident.Hold.MAINTENANCE)
    held.filter(next_escalation_at=before).update(next_escalation_at=to)
