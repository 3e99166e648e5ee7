"""Running a runbook against an incident: its steps as a checklist, with who did what when."""

import datetime as dt

from django.db import transaction

from common.exceptions import DomainError, InvalidInputError
from incidents.domain.steps import steps_of
from incidents.models import Incident, RunbookRun, RunStep, TimelineEntry
from incidents.services.timeline import append_entry
from people.models import User
from runbooks.models import Runbook
from runbooks.queries import markdown_of

LONGEST_NOTE = 2000


@transaction.atomic
def start_run(incident: Incident, *, by: User, at: dt.datetime) -> RunbookRun:
    """Start the runbook of an incident's pipeline against it, from the revision in force; return the run.

    Raises Refused where the incident is over, a run is under way, or the runbook has no steps.
    """
    row = _lock(incident)
    if row.is_resolved:
        raise DomainError("The incident is resolved: reopen it first.")
    if row.runs.filter(ended_at=None).exists():
        raise DomainError("The runbook is being run already.")
    runbook = Runbook.objects.filter(pipeline=row.pipeline_id).first()
    if runbook is None:
        raise DomainError("This pipeline has no runbook yet.")
    steps = steps_of(markdown_of(runbook, number=runbook.revision))
    if not steps:
        raise DomainError("The runbook has no list under “Troubleshooting Steps”.")
    run = RunbookRun.objects.create(
        incident=row, runbook=runbook, revision=runbook.revision, started_at=at, started_by=by
    )
    RunStep.objects.bulk_create(
        RunStep(run=run, position=position, text=text) for position, text in enumerate(steps, start=1)
    )
    append_entry(row, kind=TimelineEntry.Kind.RUN_STARTED, at=at, by=by, revision=runbook.revision)
    return run


@transaction.atomic
def mark_step(
    incident: Incident,
    *,
    position: int,
    by: User,
    at: dt.datetime,
    done: bool | None = None,
    note: str | None = None,
    starting: bool = False,
) -> RunStep:
    """Tick a step of the run under way, take the tick back, or write its note; return the step.

    `starting` starts a run where none is under way. Raises Refused where no run is under way or somebody has ticked it before; Invalid where there is no such step.
    """
    row = _lock(incident)
    if starting and not row.runs.filter(ended_at=None).exists():
        start_run(row, by=by, at=at)
    step = _step(row, position=position)
    if note is not None:
        _set_note(step, note)
    changed = note is not None
    if done is not None and done != (step.done_at is not None):
        step.done_at, step.done_by = (at, by) if done else (None, None)
        changed = True
        said = "done" if done else "not done after all"
        append_entry(
            row, kind=TimelineEntry.Kind.STEP, at=at, by=by, text=f"Step {position} is {said}.", position=position
        )
    elif done and step.done_by_id != by.pk:
        raise DomainError(f"{step.done_by} has done step {position} already.")
    if changed:
        step.save(update_fields=["done_at", "done_by", "note"])
    return step


def _step(incident: Incident, *, position: int) -> RunStep:
    """Return a step of the run under way; raises as `mark_step` does."""
    run = incident.runs.filter(ended_at=None).first()
    if run is None:
        raise DomainError("The runbook is not being run against this incident: start it first.")
    step = run.steps.select_related("done_by").filter(position=position).first()
    if step is None:
        raise InvalidInputError({"position": [f"There is no step {position}."]})
    return step


def _set_note(step: RunStep, note: str) -> None:
    if len(note) > LONGEST_NOTE:
        raise InvalidInputError({"note": [f"At most {LONGEST_NOTE:,} characters."]})
    if "\0" in note:
        raise InvalidInputError({"note": ["Null characters are not allowed."]})
    step.note = note.strip()


def end_run(incident: Incident, *, at: dt.datetime, ended_by_step: int | None) -> None:
    """End the run under way, if there is one, with the step that ended the incident; the caller holds the incident's row.

    Raises Invalid where there is no such step, Refused where it is not done.
    """
    run = incident.runs.filter(ended_at=None).first()
    if ended_by_step is not None:
        step = run.steps.filter(position=ended_by_step).first() if run else None
        if step is None:
            raise InvalidInputError({"ended_by_step": [f"There is no step {ended_by_step} under way."]})
        if step.done_at is None:
            raise DomainError(f"Step {ended_by_step} is not done: tick it first.")
        step.ended_incident = True
        step.save(update_fields=["ended_incident"])
    if run is not None:
        run.ended_at = at
        run.save(update_fields=["ended_at"])


def _lock(incident: Incident) -> Incident:
    return Incident.objects.select_for_update(no_key=True).get(pk=incident.pk)
