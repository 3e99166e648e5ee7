"""Queries for checks, metrics, results, runs and known events."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Case, F, IntegerField, Max, OuterRef, QuerySet, Subquery, Value, When

from common.db import SweepProbe
from pipelines.models import Pipeline
from validation.domain.results import WORST_FIRST
from validation.models import (
    Check,
    CheckQuerySet,
    CheckResult,
    DataSource,
    KnownEvent,
    Metric,
    MetricPoint,
    MetricPointRevision,
    ReportedRun,
)


@dataclass(frozen=True, slots=True)
class RunProgress:
    """The state of the last requested run: `queued`, `running` or `done`."""

    state: str
    requested_at: dt.datetime | None


def checks() -> CheckQuerySet:
    """Return all checks with their pipeline and metrics, in the order of the ownership table."""
    related = ("pipeline", "metric__pipeline", "other_metric__pipeline", "source", "deleted_by")
    rows = Check.objects.select_related(*related)
    return rows.order_by("pipeline__position", "pipeline", "name", "pk")


def checks_worst_first() -> CheckQuerySet:
    """Return all checks: failing ones first, then passing ones, inactive ones last."""
    order = Case(
        When(is_active=False, then=Value(len(WORST_FIRST) + 1)),
        When(alerting_since__isnull=False, then=Value(-1)),
        *(When(last_status=str(status), then=Value(rank)) for rank, status in enumerate(WORST_FIRST)),
        default=Value(len(WORST_FIRST)),
        output_field=IntegerField(),
    )
    return checks().order_by(order, "pipeline__position", "pipeline", "name", "pk")


def deleted_checks() -> CheckQuerySet:
    """Return the checks that can be restored, latest deletion first."""
    related = ("pipeline", "metric__pipeline", "other_metric__pipeline", "source", "deleted_by")
    rows = Check.all_objects.filter(deleted_at__isnull=False).select_related(*related)
    return rows.order_by("-deleted_at", "-pk")


sweep_is_due = SweepProbe("checks", lambda at: [Check.objects.due(at=at)])


def alerting_checks() -> CheckQuerySet:
    """Return the checks with a current alert, with their pipeline.

    `last_message` has the reason and `alerting_since` the start of the alert.
    """
    return Check.objects.alerting().select_related("pipeline", "metric").order_by("alerting_since", "pk")


def pipeline_statuses(pipelines: Iterable[Pipeline]) -> dict[int, str]:
    """Return the worst status of the active checks by pipeline ID, without pipelines that have no result."""
    order = list(reversed(WORST_FIRST))
    rank = Case(
        *(When(last_status=str(status), then=Value(index)) for index, status in enumerate(order)),
        output_field=IntegerField(),
    )
    rows = Check.objects.filter(pipeline__in=[one.pk for one in pipelines], is_active=True).exclude(last_status="")
    worst = rows.order_by().values("pipeline").annotate(worst=Max(rank)).values_list("pipeline", "worst")
    return {pipeline: str(order[index]) for pipeline, index in worst if index is not None}


def metrics() -> QuerySet[Metric]:
    """Return all metrics with their pipeline and data source, by pipeline and name."""
    return Metric.objects.select_related("pipeline", "source").order_by("pipeline__position", "pipeline", "name", "pk")


def metrics_with_newest(pipeline: Pipeline) -> QuerySet[Metric]:
    """Return a pipeline's metrics, each with the `newest_bucket` and `newest_value` of its total."""
    newest = MetricPoint.objects.filter(metric=OuterRef("pk"), segment="").order_by("-bucket")
    return (
        metrics()
        .filter(pipeline=pipeline)
        .annotate(
            newest_bucket=Subquery(newest.values("bucket")[:1]), newest_value=Subquery(newest.values("value")[:1])
        )
    )


def find_metric(pipeline: str, slug: str) -> Metric | None:
    """Return the metric with these pipeline and metric slugs, or None."""
    return metrics().filter(pipeline__slug=pipeline, slug=slug).first()


def sources() -> QuerySet[DataSource]:
    """Return all data sources by name, without their addresses."""
    return DataSource.objects.defer("address").order_by("name")


def metric_points(
    metric: Metric,
    *,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    known_at: dt.datetime | None = None,
) -> QuerySet[MetricPoint]:
    """Return a metric's data points within a time window, newest bucket first.

    `known_value` and `known_since` are the value and its time of observation that were known at `known_at`, by default those of now;
    points that had no value then are left out.
    """
    rows = MetricPoint.objects.filter(metric=metric)
    if known_at is None:
        rows = rows.annotate(known_value=F("value"), known_since=F("observed_at"))
    else:
        earlier = MetricPointRevision.objects.filter(
            point=OuterRef("pk"), observed_at__lte=known_at, replaced_at__gt=known_at
        ).order_by("-pk")
        rows = rows.annotate(
            known_value=_value_at("value", earlier, at=known_at),
            known_since=_value_at("observed_at", earlier, at=known_at),
        ).filter(known_value__isnull=False)
    if since is not None:
        rows = rows.filter(bucket__gte=since)
    if until is not None:
        rows = rows.filter(bucket__lte=until)
    return rows.order_by("-bucket", "segment")


def _value_at(field: str, earlier: QuerySet[MetricPointRevision], *, at: dt.datetime) -> Case:
    """Return the field of a point's value at `at`: of the current value if it was observed by then, else of a revision."""
    return Case(When(observed_at__lte=at, then=F(field)), default=Subquery(earlier.values(field)[:1]))


def check_results(check: Check) -> QuerySet[CheckResult]:
    """Return a check's results, newest first."""
    return check.results.select_related("acknowledged_by").order_by("-started_at", "-pk")


def reported_runs() -> QuerySet[ReportedRun]:
    """Return the reported runs, newest first."""
    return ReportedRun.objects.select_related("pipeline").order_by("-reported_at", "-pk")


def known_events() -> QuerySet[KnownEvent]:
    """Return the known events, latest first."""
    return KnownEvent.objects.select_related("pipeline", "metric__pipeline", "added_by").order_by("-starts_on", "-pk")


def check_events(check: Check) -> QuerySet[KnownEvent]:
    """Return the known events that affect a check's metric."""
    rows = known_events().filter(pipeline=check.pipeline_id)
    return rows.filter(metric=None) | rows.filter(metric=check.metric)


def run_progress(check: Check, *, at: dt.datetime) -> RunProgress:
    """Return the progress of the last requested run."""
    if check.requested_at is None:
        return RunProgress("done", None)
    is_running = check.claim and check.lease_until and check.lease_until > at
    return RunProgress("running" if is_running else "queued", check.requested_at)
