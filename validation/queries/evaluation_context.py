"""The evaluation context of a check: the data it needs for one bucket or a range of buckets."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Q

from people.queries import public_holidays
from validation.domain.buckets import newest_settled
from validation.domain.results import EvaluationContext, Series
from validation.models import Check, CheckType, Holidays, KnownEvent, Metric, MetricPoint, ReportedRun

# Days of history by check type. Anomaly needs two years to learn the effects of the calendar.
DAYS_BACK = {
    CheckType.VOLUME: 7 * 27,
    CheckType.CHANGE_OVER_TIME: 7 * 60,
    CheckType.ANOMALY: 760,
}
DAYS_FOR_SEGMENTS = 14
MOST_POINTS = 200_000


@dataclass(frozen=True, slots=True)
class Granularity:
    """The bucket size, time zone and kind of value that a check evaluates."""

    step: dt.timedelta
    zone: ZoneInfo
    kind: str


def check_granularity(check: Check) -> Granularity:
    """Return the granularity of a check's metric, or days in UTC if it has no metric."""
    if check.metric is None:
        return Granularity(dt.timedelta(days=1), ZoneInfo("UTC"), "count")
    return Granularity(check.metric.step, check.metric.zone, check.metric.kind)


def build_context(
    check: Check, *, at: dt.datetime, bucket: dt.datetime | None = None, rows: Sequence[Sequence[object]] = ()
) -> EvaluationContext:
    """Return the context for evaluating `bucket`, by default the newest settled one."""
    shape = check_granularity(check)
    settle = dt.timedelta(minutes=check.settle_minutes)
    judged = bucket or newest_settled(at, step=shape.step, zone=shape.zone, settle=settle)
    since = judged - dt.timedelta(days=_days_back(check, judged))
    return contexts_between(check, at=at, since=since, bucket=judged, rows=rows)


def contexts_between(
    check: Check,
    *,
    at: dt.datetime,
    since: dt.datetime,
    bucket: dt.datetime,
    rows: Sequence[Sequence[object]] = (),
) -> EvaluationContext:
    """Return the context from `since` to `bucket`, regardless of how much history the check type needs."""
    shape = check_granularity(check)
    series, parts = _series_of(check, since=since, until=bucket)
    days = (since.date() - dt.timedelta(days=1), at.date() + dt.timedelta(days=1))
    named = _holidays(check.country, *days)
    known = dict(named) if check.holidays == Holidays.KNOWN else {}
    known |= _known(check, *days)
    return EvaluationContext(
        at=at,
        bucket=bucket,
        zone=shape.zone,
        step=shape.step,
        series=series,
        other=_other(check, since=since, until=bucket),
        parts=parts,
        unexpected=_unexpected(check, *days, named=named),
        known=known,
        holidays=named,
        runs=_runs(check, at=at),
        rows=rows,
        kind=shape.kind,
    )


def _series_of(check: Check, *, since: dt.datetime, until: dt.datetime) -> tuple[Series, Mapping[str, Series]]:
    """Return the metric's own series, and the series of all its segments if the check type uses them."""
    if check.metric is None:
        return Series(), {}
    if check.check_type == CheckType.FRESHNESS:
        return _newest(check.metric), {}
    parts = _series(check.metric, since=since, until=until, whole=_only_the_whole(check))
    return parts.get("", Series()), parts


def _other(check: Check, *, since: dt.datetime, until: dt.datetime) -> Series:
    if check.other_metric is None:
        return Series()
    return _series(check.other_metric, since=since, until=until, whole=True).get("", Series())


def at_bucket(facts: EvaluationContext, bucket: dt.datetime) -> EvaluationContext:
    """Return the context as of an earlier bucket, so that later data is ignored."""
    return replace(facts, bucket=bucket, at=facts.ends_at(bucket))


def _days_back(check: Check, bucket: dt.datetime) -> int:
    if check.check_type == CheckType.TARGET:
        start = (
            dt.date.fromisoformat(check.parameters["starts_on"]) if check.parameters.get("starts_on") else bucket.date()
        )
        return min(max((bucket.date() - start).days, 0) + 1, 3700)
    if check.check_type == CheckType.COMPLETENESS:
        step = check_granularity(check).step
        return (step * int(check.parameters.get("look_back", 28))).days + 1
    return DAYS_BACK.get(CheckType(check.check_type), DAYS_FOR_SEGMENTS)


def _only_the_whole(check: Check) -> bool:
    """Return True if the check ignores segments, so that their data points need not be read."""
    told: dict[str, Any] = check.parameters
    return not (told.get("by_segment") or told.get("segments") or told.get("mode") == "parts")


def _series(metric: Metric, *, since: dt.datetime, until: dt.datetime, whole: bool) -> dict[str, Series]:
    points = MetricPoint.objects.filter(metric=metric, bucket__gte=since, bucket__lte=until)
    if whole:
        points = points.filter(segment="")
    found: dict[str, tuple[list[dt.datetime], list[float], set[dt.datetime]]] = {}
    rows = points.order_by("-bucket").values_list("segment", "bucket", "value", "is_expected")[:MOST_POINTS]
    for segment, bucket, value, is_expected in rows.iterator(chunk_size=5000):
        buckets, values, excused = found.setdefault(segment, ([], [], set()))
        buckets.append(bucket)
        values.append(value)
        if is_expected:
            excused.add(bucket)
    return {
        name: Series(tuple(reversed(buckets)), tuple(reversed(values)), frozenset(excused))
        for name, (buckets, values, excused) in found.items()
    }


def _newest(metric: Metric) -> Series:
    newest = MetricPoint.objects.filter(metric=metric).order_by("-bucket").values_list("bucket", "value").first()
    return Series((newest[0],), (newest[1],)) if newest else Series()


def _holidays(country: str, first: dt.date, last: dt.date) -> dict[dt.date, str]:
    years = range(first.year, last.year + 1)
    known = (one for year in years for one in public_holidays(country, "", year).items())
    return {day: name for day, name in known if first <= day <= last}


def _unexpected(check: Check, first: dt.date, last: dt.date, *, named: Mapping[dt.date, str]) -> frozenset[dt.date]:
    days = set(named) if check.holidays == Holidays.NOT_EXPECTED else set()
    if check.weekdays:
        span = (first + dt.timedelta(days=ahead) for ahead in range((last - first).days + 1))
        days |= {day for day in span if day.weekday() not in check.weekdays}
    return frozenset(days)


def _known(check: Check, first: dt.date, last: dt.date) -> dict[dt.date, str]:
    events = KnownEvent.objects.filter(
        Q(metric=None) | Q(metric=check.metric), pipeline=check.pipeline_id, starts_on__lte=last, ends_on__gte=first
    )
    known: dict[dt.date, str] = {}
    for starts_on, ends_on, words in events.values_list("starts_on", "ends_on", "words"):
        day = max(first, starts_on)
        while day <= min(last, ends_on):
            known[day] = words
            day += dt.timedelta(days=1)
    return known


def _runs(check: Check, *, at: dt.datetime) -> tuple[dt.datetime, ...]:
    if check.check_type != CheckType.RUN_DEADLINE:
        return ()
    done = ReportedRun.objects.filter(
        pipeline=check.pipeline_id,
        state=ReportedRun.State.SUCCEEDED,
        finished_at__gt=at - dt.timedelta(days=17),
        finished_at__lte=at,
    )
    ends = done.order_by("finished_at").values_list("finished_at", flat=True)[:5000]
    return tuple(end for end in ends if end is not None)
