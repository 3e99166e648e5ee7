"""The evaluation context of a check: the data it needs for one bucket or a range of buckets."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.db.models import Q

from people.queries import public_holidays
from validation.domain.buckets import DAY, DAY_GRACE, HOUR_GRACE, newest_due_bucket
from validation.domain.parameters import Parameters
from validation.domain.results import EvaluationContext, Series
from validation.models import Check, Holidays, KnownEvent, Metric, MetricPoint, ReportedRun

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
) -> EvaluationContext:
    """Return the context for evaluating `bucket`, by default the newest due one."""
    bucket = bucket or newest_due(check, at=at)
    history = check.type.history(parameters, bucket=bucket, step=check_granularity(check).step)
    return context_since(check, parameters=parameters, at=at, since=bucket - history, bucket=bucket, rows=rows)


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
    granularity = check_granularity(check)
    segments = _segments(check, parameters, since=since, until=bucket)
    first, last = since.date() - DAY, at.date() + DAY
    holidays = _holidays(check.country, first, last)
    known_events = dict(holidays) if check.holidays == Holidays.KNOWN else {}
    known_events |= _known_events(check, first, last)
    return EvaluationContext(
        at=at,
        bucket=bucket,
        zone=granularity.zone,
        step=granularity.step,
        series=segments.get("", Series()),
        other_series=_other_series(check, since=since, until=bucket),
        segments=segments,
        off_days=_off_days(check, first, last, holidays=holidays),
        known_events=known_events,
        holidays=holidays,
        runs=_runs(check, at=at, state=ReportedRun.State.SUCCEEDED),
        failed_runs=_runs(check, at=at, state=ReportedRun.State.FAILED),
        rows=rows,
        kind=granularity.kind,
    )


def _segments(check: Check, parameters: Parameters, *, since: dt.datetime, until: dt.datetime) -> Mapping[str, Series]:
    """Return the series of the metric, "" for the total, and those of its segments if the check uses them."""
    if check.metric is None:
        return {}
    if check.type.needs_newest_point_only:
        return {"": _newest_point(check.metric)}
    return _series(check.metric, since=since, until=until, total_only=not check.type.uses_segments(parameters))


def _other_series(check: Check, *, since: dt.datetime, until: dt.datetime) -> Series:
    if check.other_metric is None:
        return Series()
    return _series(check.other_metric, since=since, until=until, total_only=True).get("", Series())


def _series(metric: Metric, *, since: dt.datetime, until: dt.datetime, total_only: bool) -> dict[str, Series]:
    points = MetricPoint.objects.filter(metric=metric, bucket__gte=since, bucket__lte=until)
    if total_only:
        points = points.filter(segment="")
    by_segment: dict[str, tuple[list[dt.datetime], list[float], set[dt.datetime]]] = {}
    rows = points.order_by("-bucket").values_list("segment", "bucket", "value", "is_expected")[:MAX_POINTS]
    for segment, bucket, value, is_expected in rows.iterator(chunk_size=5000):
        buckets, values, acknowledged = by_segment.setdefault(segment, ([], [], set()))
        buckets.append(bucket)
        values.append(value)
        if is_expected:
            acknowledged.add(bucket)
    return {
        segment: Series(tuple(reversed(buckets)), tuple(reversed(values)), frozenset(acknowledged))
        for segment, (buckets, values, acknowledged) in by_segment.items()
    }


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
