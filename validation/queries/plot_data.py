"""The data for a check's plot: data points of its metric with their results, or the value of each run."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from validation.domain.buckets import newest_settled
from validation.domain.evaluation import ABSENCE_TYPES
from validation.domain.results import EvaluationContext
from validation.domain.values import sums_since
from validation.models import Check, CheckResult, CheckType, MetricPoint
from validation.queries.evaluation_context import build_context, check_granularity, contexts_between

SHOWN = 120
# These types compute their value from two metrics, so the plot shows the computed value of each result.
WORKED_OUT = (CheckType.RATIO,)


@dataclass(frozen=True, slots=True)
class PlotData:
    """A plotted value and its newest result."""

    bucket: dt.datetime
    value: float | None
    result: CheckResult | None


def plot_data(check: Check, *, most: int = SHOWN) -> list[PlotData]:
    """Return a check's newest values, oldest first: data points of its metric, or else the value of each run."""
    if check.check_type in ABSENCE_TYPES or check.metric is None:
        rows = check.results.exclude(value=None).order_by("-started_at", "-pk")[:most]
        return [PlotData(row.started_at, row.value, row) for row in reversed(rows)]
    said = _said(check, most=most)
    if check.check_type in WORKED_OUT:
        return [PlotData(bucket, row.value, row) for bucket, row in sorted(said.items()) if row.value is not None]
    newest = _newest(check, most=most)
    if not newest:
        return [PlotData(bucket, row.value, row) for bucket, row in sorted(said.items())]
    return [PlotData(bucket, newest[bucket], said.get(bucket)) for bucket in sorted(newest)]


def _newest(check: Check, *, most: int) -> dict[dt.datetime, float]:
    """Return the newest values of a check's metric, or their running sums if the check evaluates the sum."""
    points = MetricPoint.objects.filter(metric=check.metric_id, segment="").order_by("-bucket")
    if check.check_type != CheckType.TARGET or check.parameters.get("mode") != "sum":
        return dict(points.values_list("bucket", "value")[:most])
    last = points.values_list("bucket", flat=True).first()
    if last is None:
        return {}
    facts = build_context(check, at=last, bucket=last)
    return dict(sums_since(dt.date.fromisoformat(check.parameters["starts_on"]), facts)[-most:])


def _said(check: Check, *, most: int) -> dict[dt.datetime, CheckResult]:
    """Return the newest result of each of the newest buckets."""
    rows = check.results.exclude(bucket=None).order_by("bucket", "-started_at", "-pk").distinct("bucket")
    since = check.last_bucket and check.last_bucket - most * check_granularity(check).step
    if since:
        rows = rows.filter(bucket__gte=since)
    return {row.bucket: row for row in rows if row.bucket is not None}


def backtest_facts(check: Check, *, at: dt.datetime, days: int) -> tuple[EvaluationContext, list[dt.datetime]]:
    """Return the context of a backtest, and the buckets of the last `days` days to evaluate, oldest first."""
    shape = check_granularity(check)
    settle = dt.timedelta(minutes=check.settle_minutes)
    newest = newest_settled(at, step=shape.step, zone=shape.zone, settle=settle)
    back: dict[Any, int] = {CheckType.VOLUME: 190, CheckType.CHANGE_OVER_TIME: 420, CheckType.ANOMALY: 120}
    since = newest - dt.timedelta(days=days + back.get(check.check_type, 0))
    facts = contexts_between(check, at=at, since=since, bucket=newest)
    first = newest - dt.timedelta(days=days)
    return facts, [bucket for bucket in facts.series.buckets if bucket >= first]
