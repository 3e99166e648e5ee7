"""Queries for checks, metrics, results, runs and known events."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Case, IntegerField, Max, OuterRef, QuerySet, Subquery, Value, When

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
    ReportedRun,
)

PLOTTED = 120


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of the last requested run: `waiting`, `running` or `done`."""

    state: str
    asked_at: dt.datetime | None


def checks() -> CheckQuerySet:
    """Return all checks with their pipeline and metrics, in the order of the ownership table."""
    rows = Check.objects.select_related("pipeline", "metric__pipeline", "other_metric__pipeline", "source")
    return rows.order_by("pipeline__position", "pipeline", "name", "pk")


def checks_worst_first() -> CheckQuerySet:
    """Return all checks: failing ones first, then passing ones, inactive ones last."""
    said = {str(outcome): place for place, outcome in enumerate(WORST_FIRST)}
    order = Case(
        When(is_active=False, then=Value(len(said) + 1)),
        When(alerting_since__isnull=False, then=Value(-1)),
        *(When(last_status=status, then=Value(place)) for status, place in said.items()),
        default=Value(len(said)),
        output_field=IntegerField(),
    )
    return checks().order_by(order, "pipeline__position", "pipeline", "name", "pk")


def alerting_checks() -> CheckQuerySet:
    """Return the checks with a current alert, with their pipeline.

    `last_message` has the reason and `alerting_since` the start of the alert.
    """
    return Check.objects.alerting().select_related("pipeline", "metric").order_by("alerting_since", "pk")


def status_of_pipelines(pipelines: Iterable[Pipeline]) -> dict[int, str]:
    """Return the worst status of the active checks by pipeline ID, without pipelines that have no result."""
    order = list(reversed(WORST_FIRST))
    rank = Case(
        *(When(last_status=str(outcome), then=Value(place)) for place, outcome in enumerate(order)),
        output_field=IntegerField(),
    )
    rows = Check.objects.filter(pipeline__in=[one.pk for one in pipelines], is_active=True).exclude(last_status="")
    worst = rows.order_by().values("pipeline").annotate(worst=Max(rank)).values_list("pipeline", "worst")
    return {pipeline: str(order[place]) for pipeline, place in worst if place is not None}


def metrics() -> QuerySet[Metric]:
    """Return all metrics with their pipeline and data source, by pipeline and name."""
    return Metric.objects.select_related("pipeline", "source").order_by("pipeline__position", "pipeline", "name", "pk")


def metrics_with_newest(pipeline: Pipeline) -> QuerySet[Metric]:
    """Return a pipeline's metrics, each with the `newest_bucket` and `newest_value` of the whole, not of segments."""
    newest = MetricPoint.objects.filter(metric=OuterRef("pk"), segment="").order_by("-bucket")
    return (
        metrics()
        .filter(pipeline=pipeline)
        .annotate(
            newest_bucket=Subquery(newest.values("bucket")[:1]), newest_value=Subquery(newest.values("value")[:1])
        )
    )


def metric_named(pipeline: str, slug: str) -> Metric | None:
    """Return the metric with these pipeline and metric slugs, or None."""
    return metrics().filter(pipeline__slug=pipeline, slug=slug).first()


def sources() -> QuerySet[DataSource]:
    """Return all data sources by name, without their addresses."""
    return DataSource.objects.defer("address").order_by("name")


def points_of(
    metric: Metric, *, since: dt.datetime | None = None, until: dt.datetime | None = None
) -> QuerySet[MetricPoint]:
    """Return a metric's data points within a time window, newest bucket first."""
    rows = MetricPoint.objects.filter(metric=metric)
    if since is not None:
        rows = rows.filter(bucket__gte=since)
    if until is not None:
        rows = rows.filter(bucket__lte=until)
    return rows.order_by("-bucket", "segment")


def results_of(check: Check) -> QuerySet[CheckResult]:
    """Return a check's results, newest first."""
    return check.results.select_related("acknowledged_by").order_by("-started_at", "-pk")


def runs_reported() -> QuerySet[ReportedRun]:
    """Return the reported runs, newest first."""
    return ReportedRun.objects.select_related("pipeline").order_by("-reported_at", "-pk")


def known_events() -> QuerySet[KnownEvent]:
    """Return the known events, latest first."""
    return KnownEvent.objects.select_related("pipeline", "metric__pipeline", "added_by").order_by("-starts_on", "-pk")


def events_of(check: Check) -> QuerySet[KnownEvent]:
    """Return the known events that affect a check's metric."""
    rows = known_events().filter(pipeline=check.pipeline_id)
    return rows.filter(metric=None) | rows.filter(metric=check.metric)


def progress_of(check: Check, *, at: dt.datetime) -> Progress:
    """Return the progress of the last requested run."""
    asked = check.requested_at
    if asked is None:
        return Progress("done", None)
    if check.claim and check.lease_until and check.lease_until > at:
        return Progress("running", asked)
    return Progress("waiting", asked)
