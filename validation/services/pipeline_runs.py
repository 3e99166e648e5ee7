"""Pipeline runs reported by external systems."""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from common.exceptions import InvalidInputError
from pipelines.models import Pipeline
from validation.models import ReportedRun

# Tolerated clock difference.
MAX_CLOCK_SKEW = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Run:
    """A pipeline run as it is reported."""

    key: str
    state: str
    started_at: dt.datetime | None = None
    finished_at: dt.datetime | None = None


@transaction.atomic
def report_run(pipeline: Pipeline, *, run: Run, at: dt.datetime) -> tuple[ReportedRun, bool]:
    """Record a reported run; return it and whether it was new. Reporting a run twice stores it once.

    A finished run without an end time ends now. Raises InvalidInputError by field.
    """
    is_finished = run.state != ReportedRun.State.RUNNING
    finished_at = (run.finished_at or at) if is_finished else None
    if finished_at and finished_at > at + MAX_CLOCK_SKEW:
        raise InvalidInputError({"finished_at": ["Must not be in the future."]})
    if not is_finished and run.finished_at:
        raise InvalidInputError({"finished_at": ["A running run has no end time."]})
    if finished_at and run.started_at and finished_at < run.started_at:
        raise InvalidInputError({"finished_at": ["End time is before start time."]})
    known = ReportedRun.objects.select_for_update().filter(pipeline=pipeline, key=run.key).first()
    if known is None:
        row, created = ReportedRun.objects.get_or_create(
            pipeline=pipeline,
            key=run.key,
            defaults={
                "state": run.state,
                "started_at": run.started_at,
                "finished_at": finished_at,
                "reported_at": at,
            },
        )
        return row, created
    if run.finished_at is None and is_finished and known.state == run.state:
        return known, False
    known.state, known.finished_at = run.state, finished_at
    known.started_at = run.started_at or known.started_at
    known.reported_at = at
    known.save(update_fields=["state", "finished_at", "started_at", "reported_at"])
    return known, False
