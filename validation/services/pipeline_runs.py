"""Pipeline runs reported by external systems."""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from common.exceptions import InvalidInputError
from pipelines.models import Pipeline
from validation.models import ReportedRun

AHEAD = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Run:
    """The reported facts of a pipeline run."""

    key: str
    state: str
    started_at: dt.datetime | None = None
    finished_at: dt.datetime | None = None


@transaction.atomic
def report_run(pipeline: Pipeline, *, run: Run, at: dt.datetime) -> tuple[ReportedRun, bool]:
    """Record a reported run; return it and whether it was new. Reporting a run twice stores it once.

    A finished run without an end time ends now. Raises InvalidInputError by field.
    """
    over = run.state != ReportedRun.State.RUNNING
    finished = (run.finished_at or at) if over else None
    if finished and finished > at + AHEAD:
        raise InvalidInputError({"finished_at": ["It lies in the future."]})
    if not over and run.finished_at:
        raise InvalidInputError({"finished_at": ["A run that is still running has no end."]})
    if finished and run.started_at and finished < run.started_at:
        raise InvalidInputError({"finished_at": ["It ended before it began."]})
    known = ReportedRun.objects.select_for_update().filter(pipeline=pipeline, key=run.key).first()
    if known is None:
        row, created = ReportedRun.objects.get_or_create(
            pipeline=pipeline,
            key=run.key,
            defaults={
                "state": run.state,
                "started_at": run.started_at,
                "finished_at": finished,
                "reported_at": at,
            },
        )
        return row, created
    if run.finished_at is None and over and known.state == run.state:
        return known, False
    known.state, known.finished_at = run.state, finished
    known.started_at = run.started_at or known.started_at
    known.reported_at = at
    known.save(update_fields=["state", "finished_at", "started_at", "reported_at"])
    return known, False
