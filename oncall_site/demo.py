"""The demo's warehouse brought into the site: its source, metrics and checks, and each day's growth with the runs that loaded it."""

import datetime as dt
import sqlite3
from contextlib import closing
from pathlib import Path

from django.db import transaction

from examples.warehouse import LOAD_HOURS, grow, last_whole_day
from oncall_site.demo_catalog import CHECKS, METRICS, DemoCheck
from people.domain.names import match_key
from people.models import User
from pipelines.models import Pipeline
from validation.models import Check, DataSource, Metric, ReportedRun
from validation.services.checks import create_check, update_check
from validation.services.data_sources import create_data_source
from validation.services.metrics import save_metric
from validation.services.pipeline_runs import Run, report_run

SOURCE = "Demo warehouse"
FILE = "warehouse.sqlite"
REPORTED = dt.timedelta(days=14)
GIVEN_UP = dt.timedelta(hours=4)
# The warehouse grows within half an hour after the night's runs.
LOAD_MINUTES = LOAD_HOURS * 60 + 30
STATES = {"success": ReportedRun.State.SUCCEEDED}


@transaction.atomic
def build_demo(path: Path, *, by: User, at: dt.datetime) -> list[Check]:
    """Make the warehouse and all that looks at it, switched on; return the checks.

    The handbook is imported already: the checks proposed for its lines get their metrics and parameters here.
    """
    grow(path, until=last_whole_day(at))
    source = create_data_source(name=SOURCE, address=f"sqlite:///{path.resolve()}", by=by, load_minutes=LOAD_MINUTES)
    pipelines = {row.match_key: row for row in Pipeline.objects.all()}
    metrics: dict[tuple[str, str], Metric] = {}
    for one in METRICS:
        metric = Metric(
            pipeline=pipelines[match_key(one.pipeline)],
            slug=one.slug,
            name=one.name,
            unit=one.unit,
            kind=one.kind,
            source=source,
            query=one.query,
        )
        metrics[one.pipeline, one.slug] = save_metric(metric, by=by)
    checks = []
    for wanted in CHECKS:
        fields: dict[str, object] = {
            "metric": metrics.get((wanted.pipeline, wanted.metric)),
            "other_metric": metrics.get((wanted.pipeline, wanted.other)),
            "source": source if wanted.query else None,
            "query": wanted.query,
            "parameters": _parameters(wanted, path=path),
            "confirm": wanted.confirm[0],
            "confirm_of": wanted.confirm[1],
            "is_active": True,
        }
        checks.append(_put_check(pipelines[match_key(wanted.pipeline)], wanted=wanted, fields=fields, by=by, at=at))
    report_runs(path, at=at)
    return checks


def grow_demo(path: Path, *, at: dt.datetime) -> int:
    """Add to the demo's warehouse the days that have passed, and report its runs; return the days added.

    Does nothing on a site without the demo.
    """
    if not DataSource.objects.filter(name=SOURCE, dialect="sqlite").exists():
        return 0
    added = grow(path, until=last_whole_day(at))
    report_runs(path, at=at)
    return added


@transaction.atomic
def report_runs(path: Path, *, at: dt.datetime) -> int:
    """Report the warehouse's runs of the past two weeks as they stand at an instant; return how many were new or differ."""
    since = (at - REPORTED).date().isoformat()
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(
            "SELECT pipeline, day, started_at, finished_at, state FROM pipeline_runs WHERE day >= ? ORDER BY day",
            (since,),
        ).fetchall()
    pipelines = {row.match_key: row for row in Pipeline.objects.all()}
    known = {
        (pipeline, key): (state, finished)
        for pipeline, key, state, finished in ReportedRun.objects.filter(
            pipeline__in=[row.pk for row in pipelines.values()]
        ).values_list("pipeline", "key", "state", "finished_at")
    }
    told = 0
    for name, day, started, finished, state in rows:
        pipeline = pipelines.get(match_key(name))
        run = _run(day, started=_instant(started), finished=finished, state=state, at=at)
        if pipeline and run and known.get((pipeline.pk, day)) != (run.state, run.finished_at):
            report_run(pipeline, run=run, at=at)
            told += 1
    return told


def _run(day: str, *, started: dt.datetime, finished: str | None, state: str, at: dt.datetime) -> Run | None:
    """Return a run as it stands at an instant; None before it begins. One without an end was given up after four hours."""
    ended = _instant(finished) if finished else started + GIVEN_UP
    if started > at:
        return None
    if ended > at:
        return Run(key=day, state=ReportedRun.State.RUNNING, started_at=started)
    return Run(key=day, state=STATES.get(state, ReportedRun.State.FAILED), started_at=started, finished_at=ended)


def _put_check(pipeline: Pipeline, *, wanted: DemoCheck, fields: dict[str, object], by: User, at: dt.datetime) -> Check:
    """Set up the check that the import proposed for a line of the handbook, or make one."""
    if wanted.line:
        check = Check.objects.get(pipeline=pipeline, name=wanted.name)
        update_check(check, fields=fields, by=by, at=at)
        return check
    return create_check(pipeline, fields={"name": wanted.name, "check_type": wanted.check_type, **fields}, by=by, at=at)


def _parameters(wanted: DemoCheck, *, path: Path) -> dict[str, object]:
    """Return a check's parameters, with the warehouse's quarterly plans added up for a target."""
    if not wanted.targets:
        return dict(wanted.parameters)
    with closing(sqlite3.connect(path)) as connection:
        (first,) = connection.execute("SELECT min(day) FROM company_profit").fetchone()
        plans = connection.execute(
            f"SELECT * FROM {wanted.targets} WHERE quarter >= ? ORDER BY quarter",  # noqa: S608  # nosec B608  # a table of the catalogue
            (first,),
        ).fetchall()
    targets, total = {}, 0.0
    for quarter, planned in plans:
        total += planned
        following = (dt.date.fromisoformat(quarter) + dt.timedelta(days=100)).replace(day=1)
        targets[(following - dt.timedelta(days=1)).isoformat()] = total
    return {**wanted.parameters, "targets": targets, "starts_on": plans[0][0]}


def _instant(written: str) -> dt.datetime:
    return dt.datetime.fromisoformat(written).replace(tzinfo=dt.UTC)
