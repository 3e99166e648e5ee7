"""Known events (dates with expected unusual values) and results acknowledged as expected."""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from common.datetimes import check_in_range
from common.exceptions import DomainError, InvalidInputError
from people.models import User
from pipelines.models import Pipeline
from validation.domain.buckets import DAY, date_bucket
from validation.domain.results import PROBLEM_STATUSES
from validation.models import Check, CheckResult, KnownEvent, Metric, MetricPoint
from validation.services.points import schedule_reevaluation

TOTAL_SEGMENT = ""  # the segment of the total
MAX_EVENT_LENGTH = dt.timedelta(days=366)
MAX_NAME_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Event:
    """The dates and name of a known event."""

    starts_on: dt.date
    ends_on: dt.date
    name: str


@transaction.atomic
def add_known_event(
    pipeline: Pipeline, *, metric: Metric | None, event: Event, by: User, at: dt.datetime
) -> KnownEvent:
    """Add a known event for a pipeline or one of its metrics, and schedule re-evaluation of its dates.

    Raises InvalidInputError by field.
    """
    if metric is not None and metric.pipeline_id != pipeline.pk:
        raise InvalidInputError({"metric": ["This metric belongs to another pipeline."]})
    check_in_range({"starts_on": event.starts_on, "ends_on": event.ends_on})
    if event.ends_on < event.starts_on:
        raise InvalidInputError({"ends_on": ["End date is before start date."]})
    if event.ends_on - event.starts_on > MAX_EVENT_LENGTH:
        raise InvalidInputError({"ends_on": ["A known event can last at most one year."]})
    name = " ".join(event.name.split())
    if not name:
        raise InvalidInputError({"name": ["Enter a name."]})
    created = KnownEvent.objects.create(
        pipeline=pipeline,
        metric=metric,
        starts_on=event.starts_on,
        ends_on=event.ends_on,
        name=name[:MAX_NAME_LENGTH],
        added_by=by,
    )
    _reevaluate_dates(created, at=at)
    return created


@transaction.atomic
def delete_known_event(event: KnownEvent, *, at: dt.datetime) -> None:
    """Delete a known event and schedule re-evaluation of its dates."""
    _reevaluate_dates(event, at=at)
    KnownEvent.objects.filter(pk=event.pk).delete()


def _reevaluate_dates(event: KnownEvent, *, at: dt.datetime) -> None:
    metrics = [event.metric] if event.metric else list(Metric.objects.filter(pipeline=event.pipeline_id))
    # One extra day on each side covers every time zone.
    first, last = date_bucket(event.starts_on) - DAY, date_bucket(event.ends_on) + 2 * DAY
    for metric in metrics:
        results = CheckResult.objects.filter(parent_check__metric=metric, bucket__gte=first, bucket__lt=last).order_by()
        buckets = {bucket for bucket in results.values_list("bucket", flat=True).distinct() if bucket is not None}
        schedule_reevaluation(metric, buckets=buckets, at=at)


@transaction.atomic
def acknowledge_expected(result: CheckResult, *, by: User, at: dt.datetime) -> CheckResult:
    """Acknowledge a result as expected: exclude its data points from baselines and stop notifying about it.

    For a check by segment, this covers only the segments that failed or warned; other segments and buckets are
    evaluated as usual.

    If this is the check's newest result, a current alert ends. Raises DomainError if the result did not fail or warn,
    or is already acknowledged.
    """
    check = Check.objects.select_for_update().filter(pk=result.parent_check_id).first()
    if check is None:
        raise DomainError("This check was deleted. Restore it first.")
    row = CheckResult.objects.select_for_update().get(pk=result.pk)
    if row.status not in PROBLEM_STATUSES:
        raise DomainError(
            f"Only failures and warnings can be marked as expected; this result is “{row.get_status_display()}”."
        )
    if row.acknowledged_at is not None:
        raise DomainError("This result is already marked as expected.")
    row.acknowledged_by, row.acknowledged_at = by, at
    row.expected = row.expected or _marked_by(by)
    row.save(update_fields=["acknowledged_by", "acknowledged_at", "expected"])
    if row.bucket is not None and check.metric_id:
        points = MetricPoint.objects.filter(
            metric=check.metric_id, bucket=row.bucket, segment__in=_alarming_segments(row)
        )
        points.update(is_expected=True)
    if not CheckResult.objects.filter(parent_check=check, pk__gt=row.pk).exists():
        check.last_expected = row.expected
        if check.alerting_since is not None:
            check.alerting_since, check.alert_ended_at = None, at
        check.save(update_fields=["last_expected", "alerting_since", "alert_ended_at"])
    return row


@transaction.atomic
def withdraw_expected(result: CheckResult, *, by: User, at: dt.datetime) -> None:
    """Remove the mark by `by` that a result was expected, and evaluate the check again.

    Raises DomainError if the check was deleted, or the result is not marked any more or by somebody else.
    """
    check = Check.objects.select_for_update().filter(pk=result.parent_check_id).first()
    if check is None:
        raise DomainError("This check was deleted. Restore it first.")
    row = CheckResult.objects.select_for_update().get(pk=result.pk)
    if row.acknowledged_at is None:
        raise DomainError("This result is no longer marked as expected.")
    if row.acknowledged_by_id != by.pk:
        raise DomainError("Somebody else has since marked this result as expected.")
    # The name of a known event stays.
    if row.expected == _marked_by(row.acknowledged_by):
        row.expected = ""
    row.acknowledged_by = row.acknowledged_at = None
    row.save(update_fields=["acknowledged_by", "acknowledged_at", "expected"])
    if row.bucket is not None and check.metric is not None:
        points = MetricPoint.objects.filter(metric=check.metric, bucket=row.bucket, segment__in=_alarming_segments(row))
        points.update(is_expected=False)
        schedule_reevaluation(check.metric, buckets={row.bucket}, at=at)
    if not CheckResult.objects.filter(parent_check=check, pk__gt=row.pk).exists():
        check.last_expected = row.expected
        check.next_due_at = at if check.is_active else None
        check.save(update_fields=["last_expected", "next_due_at"])


def _marked_by(person: User | None) -> str:
    return f"marked as expected by {person}"[:120]


def _alarming_segments(row: CheckResult) -> list[str]:
    """Return the segments that failed or warned, or the total if the result has no segments."""
    return (
        [one["segment"] for one in row.segments if one["status"] in PROBLEM_STATUSES]
        if row.segments
        else [TOTAL_SEGMENT]
    )
