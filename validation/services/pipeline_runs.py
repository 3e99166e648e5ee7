"""Pipeline runs reported by external systems."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from common.exceptions import InvalidInputError
from pipelines.models import Pipeline
from validation.models import ReportedRun

# The ID of the pipeline, and the key.
RunKey = tuple[int, str]
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
    """Record a reported run, as `report_runs` does; return it and whether it was new. Raises InvalidInputError by field."""
    is_finished = run.state != ReportedRun.State.RUNNING
    finished_at = (run.finished_at or at) if is_finished else None
    if finished_at and finished_at > at + MAX_CLOCK_SKEW:
        raise InvalidInputError({"finished_at": ["Must not be in the future."]})
    if not is_finished and run.finished_at:
        raise InvalidInputError({"finished_at": ["A running run has no end time."]})
    if finished_at and run.started_at and finished_at < run.started_at:
        raise InvalidInputError({"finished_at": ["End time is before start time."]})
    known, created = _record([(pipeline.pk, run)], at=at)
    return known[pipeline.pk, run.key], bool(created)


@transaction.atomic
def report_runs(reports: Sequence[tuple[int, Run]], *, at: dt.datetime) -> None:
    """Record reports of runs in order, each with the ID of its pipeline, in the same number of statements for any number.

    Reporting a run twice stores it once. A run that ends without an end time ends now. A run that has ended stays ended: a late
    start only adds a missing start time before the end, and a later end replaces the earlier one. An end time must not be in the
    future.
    """
    _record(reports, at=at)


def _record(reports: Sequence[tuple[int, Run]], *, at: dt.datetime) -> tuple[dict[RunKey, ReportedRun], set[RunKey]]:
    """Store reports; return the runs by pipeline and key, and which of them are new."""
    first = {(pipeline, run.key): run for pipeline, run in reversed(reports)}
    known, created = _lock_runs(first, at=at)
    changed = {}
    for pipeline, run in reports:
        row = known[pipeline, run.key]
        if _apply(run, row, at=at):
            changed[row.pk] = row
    ReportedRun.objects.bulk_create(
        changed.values(),
        update_conflicts=True,
        unique_fields=["pipeline", "key"],
        update_fields=["state", "started_at", "finished_at", "reported_at"],
    )
    return known, created


def _lock_runs(first: Mapping[RunKey, Run], *, at: dt.datetime) -> tuple[dict[RunKey, ReportedRun], set[RunKey]]:
    """Return the locked runs, after creating the missing ones from their first report, and which of them are new."""
    rows = ReportedRun.objects.filter(
        pipeline__in={pipeline for pipeline, _ in first}, key__in={key for _, key in first}
    ).order_by("pk")
    known: dict[RunKey, ReportedRun] = {}
    created: set[RunKey] = set()
    # Repeat if the purge deletes a run between the first two statements.
    while first.keys() - known.keys():
        missing = first.keys() - set(rows.values_list("pipeline", "key"))
        ReportedRun.objects.bulk_create(
            [_new_run(pipeline, first[pipeline, key], at=at) for pipeline, key in sorted(missing)],
            # Another request may create the same run meanwhile.
            ignore_conflicts=True,
        )
        known = {(row.pipeline_id, row.key): row for row in rows.select_for_update()}
        created |= {key for key in missing & known.keys() if known[key].reported_at == at}
    return known, created


def _new_run(pipeline: int, run: Run, *, at: dt.datetime) -> ReportedRun:
    row = ReportedRun(pipeline_id=pipeline, key=run.key, state=ReportedRun.State.RUNNING)
    _apply(run, row, at=at)
    return row


def _apply(run: Run, row: ReportedRun, *, at: dt.datetime) -> bool:
    """Apply a report to a run; return False if that changes nothing."""
    before = (row.state, row.started_at, row.finished_at, row.reported_at)
    if run.state != ReportedRun.State.RUNNING:
        if row.state == run.state and run.finished_at is None:
            return False
        row.state, row.finished_at = run.state, run.finished_at or at
        row.started_at = run.started_at or row.started_at
    elif row.finished_at is None:
        row.state, row.started_at = run.state, run.started_at or row.started_at
    elif row.started_at is None and run.started_at is not None and run.started_at <= row.finished_at:
        row.started_at = run.started_at
    else:
        return False
    row.reported_at = at
    return before != (row.state, row.started_at, row.finished_at, row.reported_at)
