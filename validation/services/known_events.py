"""Known events (dates with expected unusual values) and results acknowledged as expected."""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from common.exceptions import DomainError, InvalidInputError
from people.models import User
from pipelines.models import Pipeline
from validation.domain.evaluation import WRONG
from validation.models import Check, CheckResult, KnownEvent, Metric, MetricPoint
from validation.services.points import schedule_reevaluation

WHOLE = ""
LONGEST = dt.timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Event:
    """The dates and description of a known event."""

    starts_on: dt.date
    ends_on: dt.date
    words: str


@transaction.atomic
def add_known_event(
    pipeline: Pipeline, *, metric: Metric | None, event: Event, by: User, at: dt.datetime
) -> KnownEvent:
    """Add a known event for a pipeline or one of its metrics, and schedule re-evaluation of its dates.

    Raises InvalidInputError by field.
    """
    if metric is not None and metric.pipeline_id != pipeline.pk:
        raise InvalidInputError({"metric": ["It is a metric of another pipeline."]})
    if event.ends_on < event.starts_on:
        raise InvalidInputError({"ends_on": ["It ends before it starts."]})
    if event.ends_on - event.starts_on > LONGEST:
        raise InvalidInputError({"ends_on": ["A known event lasts a year at most."]})
    words = " ".join(event.words.split())
    if not words:
        raise InvalidInputError({"words": ["Say what it is."]})
    made = KnownEvent.objects.create(
        pipeline=pipeline,
        metric=metric,
        starts_on=event.starts_on,
        ends_on=event.ends_on,
        words=words[:120],
        added_by=by,
    )
    _rejudge_dates(made, at=at)
    return made


@transaction.atomic
def delete_known_event(event: KnownEvent, *, at: dt.datetime) -> None:
    """Delete a known event and schedule re-evaluation of its dates."""
    _rejudge_dates(event, at=at)
    KnownEvent.objects.filter(pk=event.pk).delete()


def _rejudge_dates(event: KnownEvent, *, at: dt.datetime) -> None:
    metrics = [event.metric] if event.metric else list(Metric.objects.filter(pipeline=event.pipeline_id))
    # One extra day on each side covers every time zone.
    first = dt.datetime.combine(event.starts_on, dt.time(), dt.UTC) - dt.timedelta(days=1)
    last = dt.datetime.combine(event.ends_on, dt.time(), dt.UTC) + dt.timedelta(days=2)
    for metric in metrics:
        judged = CheckResult.objects.filter(of__metric=metric, bucket__gte=first, bucket__lt=last).order_by()
        buckets = {bucket for bucket in judged.values_list("bucket", flat=True).distinct() if bucket is not None}
        schedule_reevaluation(metric, buckets=buckets, at=at)


@transaction.atomic
def acknowledge_expected(result: CheckResult, *, by: User, at: dt.datetime) -> CheckResult:
    """Acknowledge a result as expected: exclude its data points from baselines and stop notifying about it.

    For a check by segment, this covers only the segments that failed or warned; other segments and buckets are
    evaluated as usual.

    If this is the check's newest result, a current alert ends. Raises DomainError if the result did not fail or warn,
    or is already acknowledged.
    """
    check = Check.objects.select_for_update().get(pk=result.of_id)
    row = CheckResult.objects.select_for_update().get(pk=result.pk)
    if row.status not in WRONG:
        raise DomainError(f"Only what failed or warned can be expected; this result is “{row.status}”.")
    if row.acknowledged_at is not None:
        raise DomainError("It is acknowledged already.")
    row.acknowledged_by, row.acknowledged_at = by, at
    row.expected = row.expected or f"acknowledged by {by}"[:120]
    row.save(update_fields=["acknowledged_by", "acknowledged_at", "expected"])
    if row.bucket is not None and check.metric_id:
        points = MetricPoint.objects.filter(metric=check.metric_id, bucket=row.bucket, segment__in=_excused_by(row))
        points.update(is_expected=True)
    if not CheckResult.objects.filter(of=check, pk__gt=row.pk).exists():
        check.last_expected = row.expected
        if check.alerting_since is not None:
            check.alerting_since, check.alert_ended_at = None, at
        check.save(update_fields=["last_expected", "alerting_since", "alert_ended_at"])
    return row


def _excused_by(row: CheckResult) -> list[str]:
    """Return the segments that failed or warned, or the whole if the result has no segments."""
    return [one["segment"] for one in row.segments if one["status"] in WRONG] if row.segments else [WHOLE]
