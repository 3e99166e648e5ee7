"""Rows about metrics, checks, incidents and upstream pipelines, as the facts that a verdict needs."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db.models import Q

from common.db import PreparedStatement
from incidents.queries.statuses import statuses
from pipelines.models import Pipeline
from readiness.domain.calendar import DayWindow, MetricCalendar, PipelineCalendar
from readiness.domain.checks import CHECK_STATES, CheckSchedule, bucket_state, counts_as, run_state
from readiness.domain.verdict import PROBLEM_STATUSES, DayCheck, DayFacts
from validation.check_types import CHECK_TYPES
from validation.domain.buckets import DAY, HOUR
from validation.models import (
    Check,
    CheckResult,
    ExternalCheck,
    ExternalFinding,
    Grain,
    Metric,
    MetricPoint,
    PendingReevaluation,
)

# Most pipelines of a long list have none of these. Asking first in one statement saves the queries about each.
FACT_INDEX_SQL = """
SELECT 'metric', array_agg(DISTINCT pipeline_id) FROM validation_metric WHERE pipeline_id = ANY($1)
UNION ALL
SELECT 'check', array_agg(DISTINCT pipeline_id) FROM validation_check WHERE pipeline_id = ANY($1) AND is_active
UNION ALL
SELECT 'external', array_agg(DISTINCT pipeline_id) FROM validation_externalcheck WHERE pipeline_id = ANY($1)
UNION ALL
SELECT 'incident', array_agg(DISTINCT pipeline_id) FROM incidents_incident
 WHERE pipeline_id = ANY($1) AND state <> 'resolved'
UNION ALL
SELECT 'edge', array_agg(DISTINCT downstream_id) FROM lineage_edge WHERE downstream_id = ANY($1)
"""
OPEN_INCIDENTS_SQL = """
SELECT pipeline_id, title, opened_at FROM incidents_incident
 WHERE pipeline_id = ANY($1) AND state <> 'resolved' AND source <> 'drill'
 ORDER BY opened_at, id
"""
FACT_INDEX_STATEMENT = PreparedStatement("find_fact_index", types=("bigint[]",), sql=lambda: FACT_INDEX_SQL)
OPEN_INCIDENTS_STATEMENT = PreparedStatement("find_open_incidents", types=("bigint[]",), sql=lambda: OPEN_INCIDENTS_SQL)
# A pipeline without metrics has the days of UTC, and its checks may evaluate a day when it has ended.
WITHOUT_METRICS = PipelineCalendar([MetricCalendar(0, ZoneInfo("UTC"), DAY, dt.timedelta())], frozenset())


@dataclass(frozen=True, slots=True)
class FactIndex:
    """The primary keys of the pipelines that have metrics, enabled checks, checks of other tools, open incidents, and edges."""

    metric: frozenset[int]
    check: frozenset[int]
    external: frozenset[int]
    incident: frozenset[int]
    edge: frozenset[int]


def load_fact_index(pipelines: Iterable[Pipeline]) -> FactIndex:
    """Return which pipelines have rows that their verdict depends on, in one statement."""
    keys = [pipeline.pk for pipeline in pipelines]
    rows = FACT_INDEX_STATEMENT.fetch_all(keys)
    return FactIndex(**{name: frozenset(primary_keys or ()) for name, primary_keys in rows})


@dataclass(frozen=True, slots=True)
class DayRows:
    """What the facts about any day of some pipelines need: their upstream pipelines, metrics and enabled checks."""

    index: FactIndex
    parents: Mapping[int, Sequence[Pipeline]]
    metrics: Mapping[int, Sequence[MetricCalendar]]
    checks: Sequence[CheckSchedule]


def load_day_rows(*, index: FactIndex, parents: Mapping[int, Sequence[Pipeline]]) -> DayRows:
    """Return the rows of the pipelines in an index, in at most three queries. Pipelines without any are not queried."""
    return DayRows(index, parents, metrics=_metrics(index.metric), checks=_checks(index.check))


def _metrics(pipelines: Collection[int]) -> dict[int, list[MetricCalendar]]:
    """Return the calendars of the metrics of each pipeline that has any, and those of checks that wait longer."""
    metrics: dict[int, list[MetricCalendar]] = {}
    if not pipelines:
        return metrics
    for row in Metric.objects.filter(pipeline__in=pipelines).order_by("pk").values_list("pipeline", *_METRIC_FIELDS):
        metrics.setdefault(row[0], []).append(_metric_calendar(*row[1:]))
    if not metrics:
        return metrics
    waiting = Check.objects.filter(pipeline__in=metrics, is_active=True, settle_minutes__gt=0, metric__isnull=False)
    for pipeline, settle, *row in waiting.values_list(
        "pipeline", "settle_minutes", *(f"metric__{name}" for name in _METRIC_FIELDS)
    ):
        one = _metric_calendar(*row)
        delay = max(dt.timedelta(minutes=settle), one.delay or dt.timedelta())
        metrics[pipeline].append(MetricCalendar(one.metric, one.zone, one.step, delay))
    return metrics


def _calendars(
    pipelines: Collection[int], *, at: dt.datetime, day: dt.date | None, rows: DayRows
) -> dict[int, PipelineCalendar]:
    """Return the calendar of each pipeline, in at most one query; `day` is the day asked about, by default the newest."""
    metrics = {key: rows.metrics[key] for key in pipelines if key in rows.metrics}
    if not metrics:
        return dict.fromkeys(pipelines, WITHOUT_METRICS)
    arrived = _arrived([one for group in metrics.values() for one in group], at=at, day=day)
    return {key: PipelineCalendar(metrics[key], arrived) if key in metrics else WITHOUT_METRICS for key in pipelines}


_METRIC_FIELDS = ("pk", "grain", "time_zone", "settle_minutes", "source__load_minutes")


def _metric_calendar(
    metric: int, grain: str, zone: str, settle_minutes: int | None, load_minutes: int | None
) -> MetricCalendar:
    delay = max((minutes for minutes in (settle_minutes, load_minutes) if minutes is not None), default=None)
    return MetricCalendar(
        metric=metric,
        zone=ZoneInfo(zone),
        step=DAY if grain == Grain.DAY else HOUR,
        delay=None if delay is None else dt.timedelta(minutes=delay),
    )


def _arrived(
    metrics: Iterable[MetricCalendar], *, at: dt.datetime, day: dt.date | None
) -> frozenset[tuple[int, dt.datetime]]:
    """Return the metrics without a delay, with the bucket that ended last, if it has a value."""
    buckets = {one.metric: one.buckets(day or one.last_day(at))[-1] for one in metrics if one.delay is None}
    if not buckets:
        return frozenset()
    points = MetricPoint.objects.filter(metric__in=buckets, bucket__in=set(buckets.values())).order_by()
    return frozenset(points.values_list("metric", "bucket").distinct())


def load_facts(
    pipelines: Iterable[Pipeline],
    *,
    at: dt.datetime,
    day: dt.date | None = None,
    rows: DayRows,
) -> dict[int, DayFacts]:
    """Return the facts about a day of each pipeline, by default its newest due day, in at most 11 queries for any number.

    `rows` may also have other pipelines. Rows that no pipeline has, by the index, are not queried.
    """
    keys = [pipeline.pk for pipeline in pipelines]
    calendars = _calendars(keys, at=at, day=day, rows=rows)
    # Pipelines without metrics share a calendar and therefore a window.
    shared = {id(calendar): calendar for calendar in calendars.values()}
    by_calendar = {key: calendar.window(at=at, day=day) for key, calendar in shared.items()}
    windows = {key: by_calendar[id(calendar)] for key, calendar in calendars.items()}
    checks = [check for check in rows.checks if check.pipeline in windows]
    states = _check_states(checks, windows=windows)
    external, stale = _external(windows, pipelines=rows.index.external & windows.keys())
    incidents = _incidents(windows, pipelines=rows.index.incident & windows.keys())
    unready = _unready_parents(
        {key: group for key, group in rows.parents.items() if key in windows and windows[key].is_current}
    )
    changes = {key: [window.next_due_at] if window.is_current else [] for key, window in windows.items()}
    for check in checks:
        window, run = windows[check.pipeline], check.next_run(at)
        if window.is_current and window.is_settled and run is not None:
            changes[check.pipeline].append(run)
    return {
        key: DayFacts(
            day=window.day,
            settles_at=window.settles_at,
            checks=[*states[key], *external[key]],
            is_stale=key in stale,
            unready_parents=unready.get(key, ()),
            open_incidents=incidents[key],
            changes_at=changes[key],
        )
        for key, window in windows.items()
    }


def _checks(keys: Collection[int]) -> list[CheckSchedule]:
    """Return the enabled checks of pipelines."""
    if not keys:
        return []
    rows = Check.objects.filter(pipeline__in=keys, is_active=True).order_by("pipeline", "name", "pk")
    checks = []
    for values in rows.values_list(*_CHECK_FIELDS, *(f"metric__{name}" for name in _METRIC_FIELDS)):
        key, pipeline, name, check_type, status, expected, bucket, ran_at, next_run_at, *metric = values
        is_per_bucket = metric[0] is not None and CHECK_TYPES[check_type].is_per_bucket
        calendar = _metric_calendar(*metric) if is_per_bucket else None
        checks.append(CheckSchedule(key, pipeline, name, calendar, status, expected, bucket, ran_at, next_run_at))
    return checks


_CHECK_FIELDS = (
    *("pk", "pipeline", "name", "check_type"),
    *("last_status", "last_expected", "last_bucket", "last_run_at", "next_due_at"),
)


def _check_states(checks: Sequence[CheckSchedule], *, windows: Mapping[int, DayWindow]) -> dict[int, list[DayCheck]]:
    """Return what the checks say about each pipeline's day. A check that says nothing about it is left out."""
    buckets = {one.id: one.calendar.buckets(windows[one.pipeline].day) for one in checks if one.calendar is not None}
    by_bucket = _latest_by_bucket(checks, buckets=buckets)
    past = [one for one in checks if one.calendar is None and not windows[one.pipeline].is_current]
    before = _latest_before(past, windows=windows)
    changed = _checks_to_reevaluate(buckets)
    states: dict[int, list[DayCheck]] = {key: [] for key in windows}
    for check in checks:
        window = windows[check.pipeline]
        if check.calendar is not None:
            results = [by_bucket[check.id, bucket] for bucket in buckets[check.id] if (check.id, bucket) in by_bucket]
            state = bucket_state(check, results, window=window, is_changed=check.id in changed)
        elif window.is_current:
            state = run_state(check, window=window)
        else:
            state = CHECK_STATES[before[check.id]] if check.id in before else None
        if state is not None:
            states[check.pipeline].append(DayCheck(check.name, state))
    return states


def _latest_by_bucket(
    checks: Iterable[CheckSchedule], *, buckets: Mapping[int, Sequence[dt.datetime]]
) -> dict[tuple[int, dt.datetime], str]:
    """Return the newest status by check and bucket. That of the check's last bucket is in its row already."""
    latest = {}
    missing: set[int] = set()
    for check in checks:
        if check.calendar is None:
            continue
        if check.bucket is not None and check.bucket in buckets[check.id] and check.status:
            latest[check.id, check.bucket] = counts_as(check.status, check.expected)
        if len(buckets[check.id]) > 1 or (check.id, buckets[check.id][0]) not in latest:
            missing.add(check.id)
    if missing:
        wanted = {bucket for key in missing for bucket in buckets[key]}
        rows = CheckResult.objects.filter(parent_check__in=missing, bucket__in=wanted)
        newest = rows.order_by("parent_check", "bucket", "-started_at", "-pk").distinct("parent_check", "bucket")
        for key, bucket, status, expected in newest.values_list("parent_check", "bucket", "status", "expected"):
            if bucket is not None and bucket in buckets[key]:
                latest.setdefault((key, bucket), counts_as(status, expected))
    return latest


def _latest_before(checks: Sequence[CheckSchedule], *, windows: Mapping[int, DayWindow]) -> dict[int, str]:
    """Return the last status of checks without buckets before the next day was due, by check."""
    if not checks:
        return {}
    before = Q()
    for key in {check.pipeline for check in checks}:
        ids = [check.id for check in checks if check.pipeline == key]
        before |= Q(parent_check__in=ids, started_at__lt=windows[key].next_due_at)
    rows = CheckResult.objects.filter(before).order_by("parent_check", "-started_at", "-pk").distinct("parent_check")
    values = rows.values_list("parent_check", "status", "expected")
    return {key: counts_as(status, expected) for key, status, expected in values}


def _checks_to_reevaluate(buckets: Mapping[int, Sequence[dt.datetime]]) -> set[int]:
    """Return the checks that are still to evaluate one of their buckets again."""
    if not buckets:
        return set()
    wanted = {bucket for group in buckets.values() for bucket in group}
    rows = PendingReevaluation.objects.filter(parent_check__in=buckets, bucket__in=wanted).order_by()
    return {key for key, bucket in rows.values_list("parent_check", "bucket") if bucket in buckets[key]}


def _external(
    windows: Mapping[int, DayWindow], *, pipelines: Collection[int]
) -> tuple[dict[int, list[DayCheck]], set[int]]:
    """Return what checks of other tools say about each pipeline's day, and the pipelines whose last run updated nothing."""
    checks: dict[int, list[DayCheck]] = {key: [] for key in windows}
    stale: set[int] = set()
    past: dict[int, tuple[int, str]] = {}
    if not pipelines:
        return checks, stale
    rows = ExternalCheck.objects.filter(pipeline__in=pipelines).order_by("pk")
    for key, pipeline, name, status, last_at, is_stale in rows.values_list(
        "pk", "pipeline", "name", "status", "at", "is_stale"
    ):
        if pipeline is None:
            continue
        window = windows[pipeline]
        if not window.is_current:
            past[key] = (pipeline, name)
        elif window.is_settled or last_at >= window.ends_at:
            if is_stale:
                stale.add(pipeline)
            checks[pipeline].append(DayCheck(name, CHECK_STATES[status]))
    if past:
        before = Q()
        for pipeline in {pipeline for pipeline, _ in past.values()}:
            before |= Q(external_check__pipeline=pipeline, at__lt=windows[pipeline].next_due_at)
        findings = ExternalFinding.objects.filter(before, external_check__in=past)
        newest = findings.order_by("external_check", "-at", "-pk").distinct("external_check")
        for key, status in newest.values_list("external_check", "status"):
            pipeline, name = past[key]
            checks[pipeline].append(DayCheck(name, CHECK_STATES[status]))
    return checks, stale


def _incidents(windows: Mapping[int, DayWindow], *, pipelines: Collection[int]) -> dict[int, list[str]]:
    """Return the titles of the open incidents about each pipeline's day: those opened before the next day was due."""
    titles: dict[int, list[str]] = defaultdict(list)
    if not pipelines:
        return titles
    for pipeline, title, opened_at in OPEN_INCIDENTS_STATEMENT.fetch_all(list(pipelines)):
        if opened_at < windows[pipeline].next_due_at:
            titles[pipeline].append(title)
    return titles


def _unready_parents(parents: Mapping[int, Sequence[Pipeline]]) -> dict[int, list[str]]:
    """Return the names of the upstream pipelines that have problems now."""
    upstream = {parent.pk: parent for group in parents.values() for parent in group}
    if not upstream:
        return {}
    troubled = {key for key, status in statuses(upstream.values()).items() if status.name in PROBLEM_STATUSES}
    return {key: [one.full_name for one in group if one.pk in troubled] for key, group in parents.items()}
