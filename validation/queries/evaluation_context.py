"""The evaluation context of a check: the data it needs for one bucket or a range of buckets."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import BigIntegerField, Q, Value

from people.queries import public_holidays
from validation.domain.buckets import DAY, DAY_GRACE, HOUR_GRACE, newest_due_bucket
from validation.domain.parameters import Parameters
from validation.domain.results import EvaluationContext, Series, SeriesState
from validation.models import Check, Holidays, KnownEvent, Metric, MetricPoint, ReportedRun
from validation.queries.detector_states import newest_by_segment, point_digest, unchanged_states

MAX_POINTS = 200_000
MAX_RUNS = 5000
RUN_DAYS = 17  # how far back the runs of a deadline check are read


@dataclass(frozen=True, slots=True)
class Granularity:
    """The bucket size, time zone and kind of value that a check evaluates."""

    step: dt.timedelta
    zone: ZoneInfo
    kind: str


def check_granularity(check: Check) -> Granularity:
    """Return the granularity of a check's metric, or days in UTC if it has no metric."""
    if check.metric is None:
        return Granularity(DAY, ZoneInfo("UTC"), "count")
    return Granularity(check.metric.step, check.metric.zone, check.metric.kind)


def newest_due(check: Check, *, at: dt.datetime) -> dt.datetime:
    """Return the newest bucket that a check may evaluate: ended, settled and loaded.

    If neither the check nor its metrics set a delay, a bucket is due when its data has arrived, at the latest after a
    grace period. A check that reports missing data always waits for the grace period.
    """
    granularity = check_granularity(check)
    metrics = [metric for metric in (check.metric, check.other_metric) if metric is not None]
    delays = [metric.delay_minutes for metric in metrics] + [check.settle_minutes or None]
    minutes = max((delay for delay in delays if delay is not None), default=None)

    def due(delay: dt.timedelta) -> dt.datetime:
        return newest_due_bucket(at, step=granularity.step, zone=granularity.zone, delay=delay)

    if minutes is not None:
        return due(dt.timedelta(minutes=minutes))
    ended, overdue = due(dt.timedelta()), due(DAY_GRACE if granularity.step >= DAY else HOUR_GRACE)
    if ended == overdue or check.type.is_about_absence:
        return overdue
    arrived = MetricPoint.objects.filter(metric__in=metrics, bucket=ended).values("metric").distinct()
    return ended if arrived.count() == len(metrics) else overdue


def build_context(
    check: Check,
    *,
    parameters: Parameters,
    at: dt.datetime,
    bucket: dt.datetime | None = None,
    rows: Sequence[Sequence[object]] = (),
    states: Sequence[SeriesState] | None = None,
) -> EvaluationContext:
    """Return the context for evaluating `bucket`, by default the newest due one.

    For a check that stores state, `states` are those of earlier evaluations in the same run; stored ones are used too.
    Without any, the whole history is read.
    """
    bucket = bucket or newest_due(check, at=at)
    history = check.type.history(parameters, bucket=bucket, step=check_granularity(check).step)
    since = bucket - history
    if not check.type.keeps_state or states is None:
        return context_since(check, parameters=parameters, at=at, since=since, bucket=bucket, rows=rows)
    candidates = [*states, *unchanged_states(check, bucket=bucket)]
    origin = min((state.since for state in candidates), default=None) or _first_point(check, since=since) or bucket
    context = _calendar_context(check, at=at, since=origin, bucket=bucket, rows=rows)

    def holds(state: SeriesState) -> bool:
        settings = check.type.state_settings(parameters, context, since=state.since, through=state.through)
        return settings == state.settings

    newest = newest_by_segment(candidates, bucket=bucket, holds=holds)
    segments = _segments(check, parameters, since=since, until=bucket, states=newest)
    needed = [series for name, series in segments.items() if name or not check.type.is_by_segment(parameters)]
    # The companion's points are needed from the start, unless each series has a state.
    throughs = [series.state.through if series.state else None for series in needed]
    after = min((one for one in throughs if one), default=None) if None not in throughs else None
    others = _other_series(check, since=after + DAY if after and _is_daily(check) else after or since, until=bucket)
    first = min((series.buckets[0] for series in needed if len(series) and series.state is None), default=origin)
    if first < origin:  # a point arrived from before the first one of the state
        context = _calendar_context(check, at=at, since=first, bucket=bucket, rows=rows)
    return replace(context, series=segments.get("", Series()), segments=segments, other_series=others)


def context_since(
    check: Check,
    *,
    parameters: Parameters,
    at: dt.datetime,
    since: dt.datetime,
    bucket: dt.datetime,
    rows: Sequence[Sequence[object]] = (),
) -> EvaluationContext:
    """Return the context from `since` to `bucket`, regardless of how much history the check type needs."""
    if check.type.keeps_state:  # the whole history is read, which may be short
        since = max(since, _first_point(check, since=since) or bucket)
    segments = _segments(check, parameters, since=since, until=bucket)
    context = _calendar_context(check, at=at, since=since, bucket=bucket, rows=rows)
    others = _other_series(check, since=since, until=bucket)
    return replace(context, series=segments.get("", Series()), segments=segments, other_series=others)


def _calendar_context(
    check: Check, *, at: dt.datetime, since: dt.datetime, bucket: dt.datetime, rows: Sequence[Sequence[object]]
) -> EvaluationContext:
    """Return a context without series: the calendar from `since`, the pipeline's runs, the rows of the check's query."""
    granularity = check_granularity(check)
    first, last = since.date() - DAY, at.date() + DAY
    holidays = _holidays(check.country, first, last)
    known_events = dict(holidays) if check.holidays == Holidays.KNOWN else {}
    known_events |= _known_events(check, first, last)
    return EvaluationContext(
        at=at,
        bucket=bucket,
        zone=granularity.zone,
        step=granularity.step,
        off_days=_off_days(check, first, last, holidays=holidays),
        known_events=known_events,
        holidays=holidays,
        runs=_runs(check, at=at, state=ReportedRun.State.SUCCEEDED),
        failed_runs=_runs(check, at=at, state=ReportedRun.State.FAILED),
        rows=rows,
        kind=granularity.kind,
    )


def _is_daily(check: Check) -> bool:
    return check_granularity(check).step >= DAY


def _first_point(check: Check, *, since: dt.datetime) -> dt.datetime | None:
    """Return the bucket of the metric's first point at or after `since`."""
    points = MetricPoint.objects.filter(metric=check.metric, bucket__gte=since)
    return points.order_by("bucket").values_list("bucket", flat=True).first()


def _segments(
    check: Check,
    parameters: Parameters,
    *,
    since: dt.datetime,
    until: dt.datetime,
    states: Mapping[str, SeriesState] = MappingProxyType({}),
) -> Mapping[str, Series]:
    """Return the series of the metric, "" for the total, and those of its segments if the check uses them."""
    if check.metric is None:
        return {}
    if check.type.needs_newest_point_only:
        return {"": _newest_point(check.metric)}
    total_only = not check.type.uses_segments(parameters)
    digests = check.type.keeps_state
    return _series(check.metric, since=since, until=until, total_only=total_only, digests=digests, states=states)


def _other_series(check: Check, *, since: dt.datetime, until: dt.datetime) -> Series:
    if check.other_metric is None:
        return Series()
    series = _series(check.other_metric, since=since, until=until, total_only=True, digests=check.type.keeps_state)
    return series.get("", Series())


def _series(
    metric: Metric,
    *,
    since: dt.datetime,
    until: dt.datetime,
    total_only: bool,
    digests: bool = False,
    states: Mapping[str, SeriesState] = MappingProxyType({}),
) -> dict[str, Series]:
    points = MetricPoint.objects.filter(metric=metric, bucket__gte=since, bucket__lte=until)
    if total_only:
        points = points.filter(segment="")
    if states:
        newer = [Q(segment=segment, bucket__gt=state.through) for segment, state in states.items()]
        # Without a state, the total of a metric with segments is not evaluated.
        points = points.filter(reduce(or_, newer, ~Q(segment__in=["", *states])))
    digest = point_digest() if digests else Value(0, output_field=BigIntegerField())
    rows = points.annotate(digest=digest).order_by("-bucket")
    columns = rows.values_list("segment", "bucket", "value", "is_expected", "digest")[:MAX_POINTS]
    by_segment: dict[str, list[tuple[dt.datetime, float, bool, int]]] = {}
    for segment, *point in columns.iterator(chunk_size=5000):
        by_segment.setdefault(segment, []).append(tuple(point))
    return {
        segment: _newest_last(segment, series_points, states.get(segment))
        for segment, series_points in by_segment.items()
    }


def _newest_last(segment: str, points: list[Any], state: SeriesState | None) -> Series:
    points.reverse()
    buckets, values, expected, digests = zip(*points, strict=True)
    acknowledged = frozenset(bucket for bucket, is_expected in zip(buckets, expected, strict=True) if is_expected)
    return Series(buckets, values, acknowledged, digests, segment, state)


def _newest_point(metric: Metric) -> Series:
    newest = MetricPoint.objects.filter(metric=metric).order_by("-bucket").values_list("bucket", "value").first()
    return Series((newest[0],), (newest[1],)) if newest else Series()


def _holidays(country: str, first: dt.date, last: dt.date) -> dict[dt.date, str]:
    years = range(first.year, last.year + 1)
    holidays = (item for year in years for item in public_holidays(country, "", year).items())
    return {day: name for day, name in holidays if first <= day <= last}


def _off_days(check: Check, first: dt.date, last: dt.date, *, holidays: Mapping[dt.date, str]) -> frozenset[dt.date]:
    """Return the dates on which no data is expected."""
    days = set(holidays) if check.holidays == Holidays.NOT_EXPECTED else set()
    if check.weekdays:
        span = (first + dt.timedelta(days=ahead) for ahead in range((last - first).days + 1))
        days |= {day for day in span if day.weekday() not in check.weekdays}
    return frozenset(days)


def _known_events(check: Check, first: dt.date, last: dt.date) -> dict[dt.date, str]:
    events = KnownEvent.objects.filter(
        Q(metric=None) | Q(metric=check.metric), pipeline=check.pipeline_id, starts_on__lte=last, ends_on__gte=first
    )
    by_day: dict[dt.date, str] = {}
    for starts_on, ends_on, name in events.values_list("starts_on", "ends_on", "name"):
        day = max(first, starts_on)
        while day <= min(last, ends_on):
            by_day[day] = name
            day += DAY
    return by_day


def _runs(check: Check, *, at: dt.datetime, state: ReportedRun.State) -> tuple[dt.datetime, ...]:
    """Return when the pipeline's runs with this outcome ended, oldest first, if the check needs them."""
    if not check.type.needs_runs:
        return ()
    runs = ReportedRun.objects.filter(
        pipeline=check.pipeline_id,
        state=state,
        finished_at__gt=at - dt.timedelta(days=RUN_DAYS),
        finished_at__lte=at,
    )
    ends = runs.order_by("finished_at").values_list("finished_at", flat=True)[:MAX_RUNS]
    return tuple(end for end in ends if end is not None)
