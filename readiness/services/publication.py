"""Publish the days that are safe, and record how published values change afterwards."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Max, Q

from common.loops import IsolatedSteps
from incidents.models import Incident
from pipelines.models import Pipeline
from readiness.domain.calendar import MetricCalendar
from readiness.domain.ledger import Drift, ValueChange, find_drift
from readiness.domain.verdict import Verdict
from readiness.models import Publication, Restatement, SweepCursor
from readiness.queries.readiness import day_rows, readiness_by_pipeline
from readiness.services.channel_posts import post_restatements
from team_channels.domain.events import RESTATEMENT_OPENED, RESTATEMENT_SETTLED
from validation.domain.buckets import DAY
from validation.models import Check, ExternalCheck, Metric, MetricPoint, MetricPointRevision

# A day that was not safe in time is still published within this number of days.
PUBLISHED_DAYS = 7
# Longer than any transaction: a change that is older was committed before the last sweep.
SWEEP_OVERLAP = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class SweepResult:
    """How many days were published, and how many restatements were opened and settled."""

    published: int = 0
    opened: int = 0
    settled: int = 0

    def __add__(self, other: "SweepResult") -> "SweepResult":
        return SweepResult(self.published + other.published, self.opened + other.opened, self.settled + other.settled)


def sweep_publications(*, at: dt.datetime) -> SweepResult:
    """Record the changes of published values, then publish the days that are safe; each in a transaction of its own."""
    cursor, _ = SweepCursor.objects.get_or_create(pk=1, defaults={"compared_until": at})
    result = SweepResult()
    with IsolatedSteps() as attempt:
        for publication in _changed_publications(since=cursor.compared_until - SWEEP_OVERLAP):
            result += attempt(_compare, publication, at=at) or SweepResult()
        # After an error, the next sweep compares the same publications again.
        if attempt.error is None:
            SweepCursor.objects.filter(pk=1, compared_until__lt=at).update(compared_until=at)
        return result + SweepResult(published=attempt(_publish_days, at=at) or 0)


def _changed_publications(*, since: dt.datetime) -> list[Publication]:
    """Return the published days with a value that changed since, or with an open restatement, oldest first."""
    revisions = MetricPointRevision.objects.filter(replaced_at__gte=since).order_by()
    changed = Q(restatements__settled_at=None, restatements__isnull=False)
    fields = ("point__metric__pipeline", "point__metric__grain", "point__metric__time_zone", "point__bucket")
    days: dict[int, set[dt.date]] = defaultdict(set)
    for pipeline, grain, zone, bucket in revisions.values_list(*fields).distinct():
        days[pipeline].add(bucket.date() if grain == "day" else bucket.astimezone(ZoneInfo(zone)).date())
    for pipeline, dates in days.items():
        changed |= Q(pipeline=pipeline, day__in=dates)
    return list(Publication.objects.filter(changed).distinct().select_related("pipeline").order_by("day", "pk"))


def _publish_days(*, at: dt.datetime) -> int:
    """Publish the safe days of the last week that are not published yet; return how many."""
    checked = (
        Check.objects.filter(is_active=True)
        .values("pipeline")
        .union(ExternalCheck.objects.filter(pipeline__isnull=False).values("pipeline"))
    )
    pipelines = {row.pk: row for row in Pipeline.objects.filter(pk__in=checked)}
    rows = day_rows(list(pipelines.values()), at=at)
    verdicts = readiness_by_pipeline(pipelines.values(), at=at, rows=rows)
    newest = {key: readiness.day for key, readiness in verdicts.items()}
    published = set(
        Publication.objects.filter(pipeline__in=pipelines, day__gt=at.date() - (PUBLISHED_DAYS + 9) * DAY).values_list(
            "pipeline", "day"
        )
    )
    missing: dict[dt.date, list[Pipeline]] = defaultdict(list)
    for key, day in newest.items():
        for number in range(PUBLISHED_DAYS):
            if (key, day - number * DAY) not in published:
                missing[day - number * DAY].append(pipelines[key])
    count = 0
    for day, group in sorted(missing.items()):
        verdicts = readiness_by_pipeline(group, at=at, day=day, rows=rows)
        if safe := [row for row in group if verdicts[row.pk].verdict is Verdict.SAFE]:
            count += _publish(safe, day=day, at=at)
    return count


@transaction.atomic
def _publish(pipelines: Sequence[Pipeline], *, day: dt.date, at: dt.datetime) -> int:
    """Publish a day of the pipelines for which it is still safe; return their number."""
    metrics = _lock_metrics(pipelines)
    # What was read before the lock may have changed.
    verdicts = readiness_by_pipeline(pipelines, at=at, day=day)
    publications = [
        Publication(pipeline=row, day=day, published_at=at, **_watermarks(metrics[row.pk]))
        for row in pipelines
        if verdicts[row.pk].verdict is Verdict.SAFE
    ]
    Publication.objects.bulk_create(publications, ignore_conflicts=True)
    return len(publications)


def _lock_metrics(pipelines: Iterable[Pipeline]) -> dict[int, list[Metric]]:
    """Lock the metrics of pipelines against pushes, in primary-key order, and return them by pipeline."""
    by_pipeline: dict[int, list[Metric]] = defaultdict(list)
    rows = Metric.objects.filter(pipeline__in=list(pipelines)).select_for_update(no_key=True).order_by("pk")
    for metric in rows.only("pk", "pipeline", "grain", "time_zone"):
        by_pipeline[metric.pipeline_id].append(metric)
    return by_pipeline


def _watermarks(metrics: Sequence[Metric]) -> dict[str, int]:
    """Return the highest IDs of the metrics' points and revisions, which no push can raise while the metrics are locked."""
    points = MetricPoint.objects.filter(metric__in=metrics)
    revisions = MetricPointRevision.objects.filter(point__metric__in=metrics)
    return {
        "last_point": points.aggregate(newest=Max("pk"))["newest"] or 0,
        "last_revision": revisions.aggregate(newest=Max("pk"))["newest"] or 0,
    }


@transaction.atomic
def _compare(publication: Publication, *, at: dt.datetime) -> SweepResult:
    """Record how the values of a published day differ from what was published; settle that if the day is safe."""
    metrics = _lock_metrics([publication.pipeline])[publication.pipeline_id]
    restatements = publication.restatements.order_by("pk")
    latest = {(row.metric_id, row.segment, row.bucket): row for row in restatements}
    opened: list[Restatement] = []
    for point, revisions in _changed_points(publication, metrics=metrics):
        last = latest.get((point.metric_id, point.segment, point.bucket))
        row = last if last is not None and last.settled_at is None else _new_restatement(publication, point, last=last)
        newer = [revision for revision in revisions if revision.pk > row.last_revision]
        if not newer:
            continue
        if last is None:
            row.from_value = newer[0].value
        changes = [ValueChange(revision.value, revision.observed_at) for revision in newer[1:]]
        drift = find_drift(row.from_value, [*changes, ValueChange(point.value, point.observed_at)])
        if drift is None:
            continue
        if row.pk is None:
            opened.append(row)
        _update(row, drift, cause=_find_incident(publication, since=drift.since, until=at))
    post_restatements(RESTATEMENT_OPENED, publication, restatements=opened, at=at)
    readiness = readiness_by_pipeline([publication.pipeline], at=at, day=publication.day)[publication.pipeline_id]
    if readiness.verdict is not Verdict.SAFE:
        return SweepResult(opened=len(opened))
    newest = _watermarks(metrics)["last_revision"]
    settled = list(restatements.filter(settled_at=None).select_related("metric"))
    restatements.filter(settled_at=None).update(settled_at=at, last_revision=newest)
    post_restatements(RESTATEMENT_SETTLED, publication, restatements=settled, at=at)
    return SweepResult(opened=len(opened), settled=len(settled))


def _new_restatement(publication: Publication, point: MetricPoint, *, last: Restatement | None) -> Restatement:
    """Return an unsaved restatement of a value, from the last settled one on, or from publication."""
    return Restatement(
        publication=publication,
        metric_id=point.metric_id,
        segment=point.segment,
        bucket=point.bucket,
        from_value=0.0 if last is None else last.to_value,
        published_at=(last and last.settled_at) or publication.published_at,
        last_revision=publication.last_revision if last is None else last.last_revision,
    )


def _update(row: Restatement, drift: Drift, *, cause: Incident | None) -> None:
    """Save how far a value has left the published one, if that is news."""
    fields: dict[str, Any] = {
        "to_value": drift.value,
        "farthest_value": drift.farthest,
        "changed_at": drift.since,
        "restated_at": drift.at,
        "cause": Restatement.Cause.BACKFILL if cause is None else Restatement.Cause.INCIDENT,
        "incident": cause,
    }
    if any(getattr(row, name) != value for name, value in fields.items()):
        for name, value in fields.items():
            setattr(row, name, value)
        row.save()


def _changed_points(
    publication: Publication, *, metrics: Sequence[Metric]
) -> list[tuple[MetricPoint, list[MetricPointRevision]]]:
    """Return the points of a day that changed since it was published, each with the values that were replaced, oldest first."""
    day = Q(pk__in=[])
    for metric in metrics:
        buckets = MetricCalendar(metric.pk, metric.zone, metric.step).buckets(publication.day)
        day |= Q(point__metric=metric, point__bucket__in=buckets)
    revisions = MetricPointRevision.objects.filter(
        day, pk__gt=publication.last_revision, point__lte=publication.last_point
    ).select_related("point")
    by_point: dict[int, list[MetricPointRevision]] = defaultdict(list)
    for revision in revisions.order_by("point", "pk"):
        by_point[revision.point_id].append(revision)
    return [(group[0].point, group) for group in by_point.values()]


def _find_incident(publication: Publication, *, since: dt.datetime, until: dt.datetime) -> Incident | None:
    """Return the newest incident of the pipeline that was open while a value differed, or None: a backfill."""
    still_open = Q(resolved_at=None) | Q(resolved_at__gte=since)
    rows = Incident.objects.without_drills().filter(still_open, pipeline=publication.pipeline_id, opened_at__lte=until)
    return rows.order_by("-opened_at", "-pk").first()
