"""Pipeline runs reported by external systems."""

import datetime as dt
from collections.abc import Sequence
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


@transaction.atomic
def report_runs(reports: Sequence[tuple[int, Run]], *, at: dt.datetime) -> None:
    """Record reports of runs in order, each with the ID of its pipeline, in the same number of statements for any number.

    A late start never reopens a run that ended. A finished run must have an end time that is not in the future.
    """
    first = {(pipeline, run.key): run for pipeline, run in reversed(reports)}
    rows = ReportedRun.objects.filter(
        pipeline__in={pipeline for pipeline, _ in first}, key__in={key for _, key in first}
    ).order_by("pk")
    missing = first.keys() - set(rows.values_list("pipeline", "key"))
    ReportedRun.objects.bulk_create(
        [
            ReportedRun(
                pipeline_id=pipeline, key=key, state=first[pipeline, key].state, reported_at=at,
                started_at=first[pipeline, key].started_at, finished_at=first[pipeline, key].finished_at,
            )
            for pipeline, key in sorted(missing)
        ],
        # Another request may create the same run meanwhile.
        ignore_conflicts=True,
    )  # fmt: skip
    known = {(row.pipeline_id, row.key): row for row in rows.select_for_update()}
    ended: dict[int, ReportedRun] = {}
    for pipeline, run in reports:
        if run.state != ReportedRun.State.RUNNING:
            row = known[pipeline, run.key]
            row.state, row.finished_at, row.reported_at = run.state, run.finished_at, at
            ended[row.pk] = row
    ReportedRun.objects.bulk_create(
        ended.values(),
        update_conflicts=True,
        unique_fields=["pipeline", "key"],
        update_fields=["state", "finished_at", "reported_at"],
    )
