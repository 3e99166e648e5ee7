"""What the plot of a check shows: its metric's points with what was said of them, or what it said, run by run."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from validation.models import Check, CheckResult, CheckType, MetricPoint
from validation.queries.facts import facts_between, facts_of, shape_of
from validation.verdicts.buckets import newest_settled
from validation.verdicts.judging import SPEAK_OF_ABSENCE
from validation.verdicts.outcomes import Facts
from validation.verdicts.values import sums_since

SHOWN = 120
# What they judge is worked out of two metrics or many segments: what they said is shown.
WORKED_OUT = (CheckType.RATIO,)


@dataclass(frozen=True, slots=True)
class Shown:
    """A value to be shown, and what was said of it last."""

    bucket: dt.datetime
    value: float | None
    result: CheckResult | None


def shown_of(check: Check, *, most: int = SHOWN) -> list[Shown]:
    """Return a check's newest values, oldest first: points of its metric, else what it said at each run."""
    if check.check_type in SPEAK_OF_ABSENCE or check.metric is None:
        rows = check.results.exclude(value=None).order_by("-started_at", "-pk")[:most]
        return [Shown(row.started_at, row.value, row) for row in reversed(rows)]
    said = _said(check, most=most)
    if check.check_type in WORKED_OUT:
        return [Shown(bucket, row.value, row) for bucket, row in sorted(said.items()) if row.value is not None]
    newest = _newest(check, most=most)
    if not newest:
        return [Shown(bucket, row.value, row) for bucket, row in sorted(said.items())]
    return [Shown(bucket, newest[bucket], said.get(bucket)) for bucket in sorted(newest)]


def _newest(check: Check, *, most: int) -> dict[dt.datetime, float]:
    """Return the newest values of a check's metric; where their sum is judged, what they sum up to."""
    points = MetricPoint.objects.filter(metric=check.metric_id, segment="").order_by("-bucket")
    if check.check_type != CheckType.TARGET or check.parameters.get("mode") != "sum":
        return dict(points.values_list("bucket", "value")[:most])
    last = points.values_list("bucket", flat=True).first()
    if last is None:
        return {}
    facts = facts_of(check, at=last, bucket=last)
    return dict(sums_since(dt.date.fromisoformat(check.parameters["starts_on"]), facts)[-most:])


def _said(check: Check, *, most: int) -> dict[dt.datetime, CheckResult]:
    """Return the newest result of each of the newest buckets."""
    rows = check.results.exclude(bucket=None).order_by("bucket", "-started_at", "-pk").distinct("bucket")
    since = check.last_bucket and check.last_bucket - most * shape_of(check).step
    if since:
        rows = rows.filter(bucket__gte=since)
    return {row.bucket: row for row in rows if row.bucket is not None}


def backtest_facts(check: Check, *, at: dt.datetime, days: int) -> tuple[Facts, list[dt.datetime]]:
    """Return all that a backtest looks at, and the buckets it judges, oldest first, of the last so many days."""
    shape = shape_of(check)
    settle = dt.timedelta(minutes=check.settle_minutes)
    newest = newest_settled(at, step=shape.step, zone=shape.zone, settle=settle)
    back: dict[Any, int] = {CheckType.VOLUME: 190, CheckType.CHANGE_OVER_TIME: 420, CheckType.ANOMALY: 120}
    since = newest - dt.timedelta(days=days + back.get(check.check_type, 0))
    facts = facts_between(check, at=at, since=since, bucket=newest)
    first = newest - dt.timedelta(days=days)
    return facts, [bucket for bucket in facts.series.buckets if bucket >= first]
