"""The demo: its data source, metrics and checks, and the daily growth of its warehouse."""

import datetime as dt
import sqlite3
from contextlib import closing
from pathlib import Path

from django.db import transaction

from examples.warehouse import LOAD_HOURS, grow, last_whole_day
from oncall_site.demo_catalog import CHECKS, METRICS, DemoCheck
from oncall_site.demo_lineage import import_manifest_again
from people.domain.names import match_key
from people.models import User
from pipelines.models import Pipeline
from validation.models import Check, DataSource, Metric, ReportedRun
from validation.services.checks import create_check, update_check
from validation.services.data_sources import create_data_source
from validation.services.metrics import save_metric
from validation.services.pipeline_runs import Run, report_run

DEMO_SOURCE = "Demo warehouse"
DEMO_FILE = "warehouse.sqlite"
REPORTED_PERIOD = dt.timedelta(days=14)
# A run without an end in the warehouse has failed after this time.
RUN_TIMEOUT = dt.timedelta(hours=4)
# The warehouse grows within half an hour after the night's runs.
LOAD_MINUTES = LOAD_HOURS * 60 + 30
STATES = {"success": ReportedRun.State.SUCCEEDED}


@transaction.atomic
def build_demo(path: Path, *, by: User, at: dt.datetime) -> list[Check]:
    """Create the warehouse, its data source, metrics and checks; return the checks, enabled.

    Expects the example handbook to be imported: the checks that the import suggests get their metrics and parameters here.
    """
    grow(path, until=last_whole_day(at))
    source = create_data_source(
        name=DEMO_SOURCE, address=f"sqlite:///{path.resolve()}", by=by, load_minutes=LOAD_MINUTES
    )
    pipelines = {row.match_key: row for row in Pipeline.objects.all()}
    metrics: dict[tuple[str, str], Metric] = {}
    for spec in METRICS:
        metric = Metric(
            pipeline=pipelines[match_key(spec.pipeline)],
            slug=spec.slug,
            name=spec.name,
            unit=spec.unit,
            kind=spec.kind,
            source=source,
            query=spec.query,
        )
        metrics[spec.pipeline, spec.slug] = save_metric(metric, by=by)
    checks = []
    for check in CHECKS:
        fields: dict[str, object] = {
            "metric": metrics.get((check.pipeline, check.metric)),
            "other_metric": metrics.get((check.pipeline, check.other)),
            "source": source if check.query else None,
            "query": check.query,
            "parameters": _parameters(check, path=path),
            "confirm": check.confirm[0],
            "confirm_of": check.confirm[1],
            "is_active": True,
        }
        checks.append(_save_check(pipelines[match_key(check.pipeline)], spec=check, fields=fields, by=by, at=at))
    report_runs(path, at=at)
    return checks


def grow_demo(path: Path, *, at: dt.datetime) -> int:
    """Add the past days to the demo warehouse and report its runs; return the number of days added.

    Does nothing on a site without the demo.
    """
    if not DataSource.objects.filter(name=DEMO_SOURCE, dialect="sqlite").exists():
        return 0
    added = grow(path, until=last_whole_day(at))
    if added:
        import_manifest_again(at=at)
    report_runs(path, at=at)
    return added


@transaction.atomic
def report_runs(path: Path, *, at: dt.datetime) -> int:
    """Report the warehouse's runs of the past two weeks as of `at`; return how many are new or changed."""
    since = (at - REPORTED_PERIOD).date().isoformat()
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
    reported = 0
    for name, day, started, finished, state in rows:
        pipeline = pipelines.get(match_key(name))
        run = _run(day, started=_instant(started), finished=finished, state=state, at=at)
        if pipeline and run and known.get((pipeline.pk, day)) != (run.state, run.finished_at):
            if run.finished_at is None:
                # An injected failure rewrites the past: the run has not ended after all.
                ReportedRun.objects.filter(pipeline=pipeline, key=day).delete()
            report_run(pipeline, run=run, at=at)
            reported += 1
    return reported


def _run(day: str, *, started: dt.datetime, finished: str | None, state: str, at: dt.datetime) -> Run | None:
    """Return a run as of `at`, or None if it has not started."""
    ended = _instant(finished) if finished else started + RUN_TIMEOUT
    if started > at:
        return None
    if ended > at:
        return Run(key=day, state=ReportedRun.State.RUNNING, started_at=started)
    return Run(key=day, state=STATES.get(state, ReportedRun.State.FAILED), started_at=started, finished_at=ended)


def _save_check(pipeline: Pipeline, *, spec: DemoCheck, fields: dict[str, object], by: User, at: dt.datetime) -> Check:
    """Update the check that the import suggested for a line of the handbook, or create one."""
    if spec.line:
        check = Check.objects.get(pipeline=pipeline, name=spec.name)
        update_check(check, fields=fields, by=by, at=at)
        return check
    return create_check(pipeline, fields={"name": spec.name, "check_type": spec.check_type, **fields}, by=by, at=at)


def _parameters(spec: DemoCheck, *, path: Path) -> dict[str, object]:
    """Return the parameters of a check; a target check gets the cumulated quarterly plans of the warehouse."""
    if not spec.targets:
        return dict(spec.parameters)
    with closing(sqlite3.connect(path)) as connection:
        (first,) = connection.execute("SELECT min(day) FROM company_profit").fetchone()
        plans = connection.execute(
            f"SELECT * FROM {spec.targets} WHERE quarter >= ? ORDER BY quarter",  # noqa: S608  # nosec B608  # a table name of the catalog
            (first,),
        ).fetchall()
    targets, total = {}, 0.0
    for quarter, planned in plans:
        total += planned
        following = (dt.date.fromisoformat(quarter) + dt.timedelta(days=100)).replace(day=1)
        targets[(following - dt.timedelta(days=1)).isoformat()] = total
    return {**spec.parameters, "targets": targets, "starts_on": plans[0][0]}


def _instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
