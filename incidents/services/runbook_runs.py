"""Runbook runs: the steps of a runbook as a checklist on an incident, with who did what when."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from common.exceptions import DomainError, InvalidInputError
from common.text import clean_text
from incidents.models import MAX_NOTE_LENGTH, Incident, RunbookRun, RunStep, TimelineEntry
from people.models import User
from runbooks.domain.steps import runbook_steps
from runbooks.models import Runbook
from runbooks.queries import revision_html


@transaction.atomic
def start_run(incident: Incident, *, by: User, at: dt.datetime, first_step_done_in: int | None = None) -> RunbookRun:
    """Start the current revision of the pipeline's runbook on an incident; return the run.

    `first_step_done_in` is the revision whose first step someone has already done. The step is marked as done if that
    revision is still current.

    Raises DomainError if the incident is resolved, a run is active, or the runbook has no steps.
    """
    row = _lock(incident)
    if row.is_resolved:
        raise DomainError("This incident is resolved. Reopen it first.")
    if row.runs.filter(ended_at=None).exists():
        raise DomainError("The runbook is already in progress.")
    runbook = Runbook.objects.filter(pipeline=row.pipeline_id).first()
    if runbook is None:
        raise DomainError("This pipeline has no runbook.")
    steps = runbook_steps(revision_html(runbook, number=runbook.revision))
    if not steps:
        raise DomainError("The runbook has no list under “Troubleshooting Steps”.")
    run = RunbookRun.objects.create(
        incident=row, runbook=runbook, revision=runbook.revision, started_at=at, started_by=by
    )
    RunStep.objects.bulk_create(
        RunStep(run=run, position=position, text=step.text, html=step.html)
        for position, step in enumerate(steps, start=1)
    )
    row.evidence.filter(round=row.round, run=None).update(run=run)
    row.add_entry(TimelineEntry.Kind.RUN_STARTED, at=at, by=by, revision=runbook.revision)
    if first_step_done_in == runbook.revision:
        mark_step(row, position=1, by=by, at=at, done=True)
    return run


@dataclass(frozen=True, slots=True)
class NoteEdit:
    """A note typed on a step, and the note that its author saw before, None if they replace whatever is there."""

    text: str
    shown: str | None = None


@transaction.atomic
def save_notes(incident: Incident, *, edits: Mapping[int, NoteEdit]) -> None:
    """Save notes on steps of the active run, by position. A note that someone else has changed since keeps both texts.

    Raises as `mark_step` does.
    """
    row = _lock(incident)
    for position, edit in edits.items():
        step = _active_step(row, position=position)
        step.note = _edited_note(step, edit)
        step.save(update_fields=["note"])


def _edited_note(step: RunStep, edit: NoteEdit) -> str:
    """Return a step's note after an edit; raise InvalidInputError."""
    text = edit.text.strip()
    if edit.shown is not None and step.note and step.note not in (edit.shown, text):
        text = f"{step.note} / {text}" if text else step.note
    return clean_text(text, field="note", max_length=MAX_NOTE_LENGTH)


@transaction.atomic
def mark_step(
    incident: Incident,
    *,
    position: int,
    by: User,
    at: dt.datetime,
    done: bool | None = None,
    note: str | None = None,
    note_shown: str | None = None,
    start: bool = False,
) -> RunStep:
    """Mark a step of the active run as done or not done, or save its note as `save_notes` does; return the step.

    `start` starts a run if none is active. Raises DomainError if no run is active or someone else did the step, and
    InvalidInputError if there is no such step.
    """
    row = _lock(incident)
    if start and not row.runs.filter(ended_at=None).exists():
        start_run(row, by=by, at=at)
    step = _active_step(row, position=position)
    fields = []
    if note is not None:
        step.note = _edited_note(step, NoteEdit(note, note_shown))
        fields.append("note")
    if done is not None and done != (step.done_at is not None):
        step.done_at, step.done_by = (at, by) if done else (None, None)
        fields += ["done_at", "done_by"]
        text = f"{step.text}" if done else f"Undone: {step.text}"
        row.add_entry(TimelineEntry.Kind.STEP, at=at, by=by, text=text, position=position)
    elif done and step.done_by_id != by.pk:
        raise DomainError(f"{step.done_by} already did step {position}.")
    if fields:
        step.save(update_fields=fields)
    return step


def _active_step(incident: Incident, *, position: int) -> RunStep:
    """Return a step of the active run; raise as `mark_step` does."""
    run = incident.runs.filter(ended_at=None).first()
    if run is None:
        raise DomainError("No runbook in progress. Start it first.")
    step = run.steps.select_related("done_by").filter(position=position).first()
    if step is None:
        raise InvalidInputError({"position": [f"There is no step {position}."]})
    return step


def end_run(incident: Incident, *, at: dt.datetime, fixed_by_step: int | None) -> None:
    """End the active run, if any, with the step that fixed the incident; the caller holds the incident's lock.

    Raises InvalidInputError if there is no such step, and DomainError if it is not done.
    """
    run = incident.runs.filter(ended_at=None).first()
    if fixed_by_step is not None:
        step = run.steps.filter(position=fixed_by_step).first() if run else None
        if step is None:
            raise InvalidInputError({"fixed_by_step": [f"There is no step {fixed_by_step} in progress."]})
        if step.done_at is None:
            raise DomainError(f"Step {fixed_by_step} is not done. Mark it as done first.")
        step.fixed_incident = True
        step.save(update_fields=["fixed_incident"])
    if run is not None:
        run.ended_at = at
        run.save(update_fields=["ended_at"])


def _lock(incident: Incident) -> Incident:
    return Incident.objects.select_for_update(no_key=True).get(pk=incident.pk)
