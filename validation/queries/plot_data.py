"""The data for a check's plot: data points of its metric with their results, or the value of each run."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from validation.check_types.completeness import CompletenessParameters
from validation.domain.backtests import history_outcomes
from validation.domain.check_type import Chart
from validation.domain.parameters import Parameters
from validation.domain.results import CheckOutcome, EvaluationContext
from validation.models import Check, CheckResult, Metric, MetricPoint
from validation.queries.evaluation_context import check_granularity, context_since, newest_due

MAX_VALUES = 1000
# Only this many of the newest values get an expected range that is computed for the plot.
MAX_RANGES = 400
MAX_HEAT_BUCKETS, MAX_HEAT_SEGMENTS = 90, 50


@dataclass(frozen=True, slots=True)
class PlotData:
    """A plotted value, its newest result, and its expected range."""

    bucket: dt.datetime
    value: float | None
    result: CheckResult | None
    low: float | None = None
    high: float | None = None


def plot_data(check: Check, *, days: int | None = None) -> list[PlotData]:
    """Return a check's values of the newest `days` days, or all, oldest first: data points of its metric, or else each run.

    The expected range is what the check's settings mean for a day now; for anomalies, it is what its result had.
    """
    parameters = check.type.load_draft(check.parameters)
    chart = check.type.chart(parameters)
    if chart == Chart.RUNS or check.metric is None:
        return _runs(check, days=days)
    points = MetricPoint.objects.filter(metric=check.metric, segment="").order_by("-bucket")
    newest = points.values_list("bucket", flat=True).first()
    if newest is None:
        return []
    if days is not None:
        points = points.filter(bucket__gt=newest - dt.timedelta(days=days))
    if parameters is None:
        return [
            PlotData(bucket, value, None)
            for bucket, value in reversed(points.values_list("bucket", "value")[:MAX_VALUES])
        ]
    first = list(points.values_list("bucket", flat=True)[:MAX_VALUES])[-1]
    context = _context(check, parameters, first=first, newest=newest)
    values = dict(zip(context.series.buckets, context.series.values, strict=True))
    if chart == Chart.RUNNING_SUM:
        values = dict(check.type.chart_values(parameters, context))
    outcomes: Mapping[dt.datetime, CheckOutcome] = {}
    if check.type.has_quick_range and not check.type.is_by_segment(parameters):
        buckets = [bucket for bucket in context.series.buckets if bucket >= first][-MAX_RANGES:]
        outcomes = history_outcomes(check.type, parameters=parameters, context=context, buckets=buckets)
    if chart == Chart.BUCKET_RESULTS:
        values = {bucket: outcome.value for bucket, outcome in outcomes.items() if outcome.value is not None}
    results = _newest_results(check, since=first)
    return [
        _data(bucket, value, results.get(bucket), outcomes.get(bucket))
        for bucket, value in sorted(values.items())
        if bucket >= first
    ]


def metric_values(metric: Metric, *, days: int | None) -> list[PlotData]:
    """Return the values of a metric's newest `days` days, or all, oldest first, without results."""
    points = MetricPoint.objects.filter(metric=metric, segment="").order_by("-bucket")
    newest = points.values_list("bucket", flat=True).first()
    if newest is None:
        return []
    if days is not None:
        points = points.filter(bucket__gt=newest - dt.timedelta(days=days))
    rows = points.values_list("bucket", "value")[:MAX_VALUES]
    return [PlotData(bucket, value, None) for bucket, value in reversed(rows)]


def _data(bucket: dt.datetime, value: float, result: CheckResult | None, outcome: CheckOutcome | None) -> PlotData:
    source = outcome or result
    return PlotData(bucket, value, result, source.low if source else None, source.high if source else None)


def _runs(check: Check, *, days: int | None) -> list[PlotData]:
    rows = check.results.exclude(value=None).order_by("-started_at", "-pk")
    newest = rows.values_list("started_at", flat=True).first()
    if days is not None and newest is not None:
        rows = rows.filter(started_at__gt=newest - dt.timedelta(days=days))
    return [PlotData(row.started_at, row.value, row, row.low, row.high) for row in reversed(rows[:MAX_VALUES])]


def _context(check: Check, parameters: Parameters, *, first: dt.datetime, newest: dt.datetime) -> EvaluationContext:
    """Return the context that holds the history of every bucket from `first` to `newest`."""
    step = check_granularity(check).step
    starts = [bucket - check.type.history(parameters, bucket=bucket, step=step) for bucket in (first, newest)]
    since = min(starts) if check.type.has_quick_range else first
    return context_since(check, parameters=parameters, at=newest, since=since, bucket=newest)


def _newest_results(check: Check, *, since: dt.datetime) -> dict[dt.datetime, CheckResult]:
    """Return the newest result of each bucket."""
    rows = check.results.filter(bucket__gte=since).order_by("bucket", "-started_at", "-pk").distinct("bucket")
    return {row.bucket: row for row in rows if row.bucket is not None}


@dataclass(frozen=True, slots=True)
class SegmentDays:
    """A segment, "" for the total, with the days or hours that it should have, oldest first, that arrived, and those off."""

    name: str
    buckets: tuple[dt.datetime, ...]
    present: frozenset[dt.datetime]
    off: frozenset[dt.datetime]


def arrivals(check: Check, *, at: dt.datetime) -> list[SegmentDays]:
    """Return what arrived in the look-back period of a completeness check, for the total or each of its segments."""
    parameters = check.type.load_draft(check.parameters)
    if not isinstance(parameters, CompletenessParameters) or check.metric is None:
        return []
    newest, step = newest_due(check, at=at), check_granularity(check).step
    count = min(parameters.look_back, MAX_HEAT_BUCKETS)
    buckets = tuple(newest - index * step for index in reversed(range(count)))
    context = context_since(check, parameters=parameters, at=at, since=buckets[0], bucket=newest)
    off = frozenset(bucket for bucket in buckets if context.local_date(bucket) in context.off_days)
    segments = []
    for name in (parameters.segments or ("",))[:MAX_HEAT_SEGMENTS]:
        series = context.segments.get(name) if name else context.series
        segments.append(SegmentDays(name, buckets, frozenset(series.buckets if series else ()), off))
    return segments


def backtest_context(
    check: Check, *, parameters: Parameters, at: dt.datetime, days: int
) -> tuple[EvaluationContext, list[dt.datetime]]:
    """Return the context of a backtest, and the buckets of the last `days` days to evaluate, oldest first."""
    newest = newest_due(check, at=at)
    first = newest - dt.timedelta(days=days)
    history = check.type.backtest_history(parameters, bucket=first, step=check_granularity(check).step)
    context = context_since(check, parameters=parameters, at=at, since=first - history, bucket=newest)
    return context, [bucket for bucket in context.series.buckets if bucket >= first]
