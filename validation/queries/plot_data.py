"""The data for a check's plot: data points of its metric with their results, or the value of each run."""

import datetime as dt
from dataclasses import dataclass

from validation.domain.check_type import Chart
from validation.domain.parameters import Parameters
from validation.domain.results import EvaluationContext
from validation.models import Check, CheckResult, MetricPoint
from validation.queries.evaluation_context import build_context, check_granularity, context_since, newest_due

MAX_VALUES = 120


@dataclass(frozen=True, slots=True)
class PlotData:
    """A plotted value and its newest result."""

    bucket: dt.datetime
    value: float | None
    result: CheckResult | None


def plot_data(check: Check, *, limit: int = MAX_VALUES) -> list[PlotData]:
    """Return a check's newest values, oldest first: data points of its metric, or else the value of each run."""
    parameters = check.type.load_draft(check.parameters)
    chart = check.type.chart(parameters)
    if chart == Chart.RUNS or check.metric is None:
        rows = check.results.exclude(value=None).order_by("-started_at", "-pk")[:limit]
        return [PlotData(row.started_at, row.value, row) for row in reversed(rows)]
    results = _newest_results(check, limit=limit)
    values: dict[dt.datetime, float] = {}
    if chart == Chart.RUNNING_SUM and parameters is not None:
        values = _chart_values(check, parameters, limit=limit)
    elif chart == Chart.POINTS:
        points = MetricPoint.objects.filter(metric=check.metric_id, segment="").order_by("-bucket")
        values = dict(points.values_list("bucket", "value")[:limit])
    if not values:
        values = {bucket: row.value for bucket, row in results.items() if row.value is not None}
    return [PlotData(bucket, values[bucket], results.get(bucket)) for bucket in sorted(values)]


def _chart_values(check: Check, parameters: Parameters, *, limit: int) -> dict[dt.datetime, float]:
    points = MetricPoint.objects.filter(metric=check.metric_id, segment="").order_by("-bucket")
    newest = points.values_list("bucket", flat=True).first()
    if newest is None:
        return {}
    context = build_context(check, parameters=parameters, at=newest, bucket=newest)
    return dict(check.type.chart_values(parameters, context)[-limit:])


def _newest_results(check: Check, *, limit: int) -> dict[dt.datetime, CheckResult]:
    """Return the newest result of each of the newest buckets."""
    rows = check.results.exclude(bucket=None).order_by("bucket", "-started_at", "-pk").distinct("bucket")
    if check.last_bucket:
        rows = rows.filter(bucket__gte=check.last_bucket - limit * check_granularity(check).step)
    return {row.bucket: row for row in rows if row.bucket is not None}


def backtest_context(
    check: Check, *, parameters: Parameters, at: dt.datetime, days: int
) -> tuple[EvaluationContext, list[dt.datetime]]:
    """Return the context of a backtest, and the buckets of the last `days` days to evaluate, oldest first."""
    newest = newest_due(check, at=at)
    first = newest - dt.timedelta(days=days)
    history = check.type.backtest_history(parameters, bucket=first, step=check_granularity(check).step)
    context = context_since(check, parameters=parameters, at=at, since=first - history, bucket=newest)
    return context, [bucket for bucket in context.series.buckets if bucket >= first]
