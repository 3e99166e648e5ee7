"""Incident reports per pipeline and month: counts, and median times to acknowledge and to resolve."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Aggregate, Count, DateTimeField, DurationField, ExpressionWrapper, F, OuterRef, Subquery
from django.db.models.functions import TruncMonth

from common.datetimes import months_between
from incidents.models import Incident, TimelineEntry
from pipelines.models import Pipeline


class Median(Aggregate):
    """The median duration of a group."""

    function = "PERCENTILE_CONT"
    name = "median"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


@dataclass(frozen=True, slots=True)
class MonthReport:
    """Incidents opened in a month (UTC, as its first day) of one pipeline, or of all if it is None; times are medians."""

    month: dt.date
    pipeline: Pipeline | None
    incidents: int
    acknowledged: int
    resolved: int
    to_acknowledge: dt.timedelta | None
    to_resolve: dt.timedelta | None

    @property
    def seconds_to_acknowledge(self) -> int | None:
        return _seconds(self.to_acknowledge)

    @property
    def seconds_to_resolve(self) -> int | None:
        return _seconds(self.to_resolve)


def _seconds(duration: dt.timedelta | None) -> int | None:
    return None if duration is None else round(duration.total_seconds())


def pipeline_reports(months: Sequence[dt.date], *, pipeline: Pipeline | None = None) -> list[MonthReport]:
    """Return a report for each pipeline and month with incidents, newest month first, in two queries.

    A reopened incident counts once, with its first acknowledgement and its last resolution.
    """
    rows = list(_grouped(months, "pipeline", pipeline=pipeline))
    pipelines = {row.pk: row for row in Pipeline.objects.all()}
    reports = [_report(row, pipeline=pipelines[row.pop("pipeline")]) for row in rows]
    return sorted(reports, key=lambda row: (-row.month.toordinal(), row.pipeline.position if row.pipeline else 0))


def month_reports(months: Sequence[dt.date], *, pipeline: Pipeline | None = None) -> list[MonthReport]:
    """Return a report for each month in order, of one pipeline or of all together, in one query."""
    reports = {row["month"].date(): _report(row, pipeline=pipeline) for row in _grouped(months, pipeline=pipeline)}
    return [reports.get(month) or MonthReport(month, pipeline, 0, 0, 0, None, None) for month in months]


def _report(row: dict[str, Any], *, pipeline: Pipeline | None) -> MonthReport:
    return MonthReport(**{**row, "month": row["month"].date()}, pipeline=pipeline)


def _grouped(months: Sequence[dt.date], *groups: str, pipeline: Pipeline | None) -> Any:
    [after] = months_between(months[-1], months[-1] + dt.timedelta(days=31))[1:]
    rows = (
        Incident.objects.all()
        .without_drills()
        .filter(opened_at__gte=_instant(months[0]), opened_at__lt=_instant(after))
    )
    if pipeline is not None:
        rows = rows.filter(pipeline=pipeline)
    acknowledgements = TimelineEntry.objects.filter(incident=OuterRef("pk"), kind=TimelineEntry.Kind.ACKNOWLEDGED)
    first_acknowledged = Subquery(acknowledgements.order_by("at").values("at")[:1], output_field=DateTimeField())
    return (
        rows.annotate(
            month=TruncMonth("opened_at", tzinfo=dt.UTC),
            acknowledged_after=ExpressionWrapper(first_acknowledged - F("opened_at"), output_field=DurationField()),
            resolved_after=ExpressionWrapper(F("resolved_at") - F("opened_at"), output_field=DurationField()),
        )
        .order_by()
        .values("month", *groups)
        .annotate(
            incidents=Count("pk"),
            acknowledged=Count("acknowledged_after"),
            resolved=Count("resolved_after"),
            to_acknowledge=Median("acknowledged_after"),
            to_resolve=Median("resolved_after"),
        )
    )


def _instant(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def first_report_month(*, at: dt.datetime) -> dt.date:
    """Return the first day of the month of the earliest incident, or of `at` if there is none (UTC)."""
    earliest = Incident.objects.order_by("opened_at").values_list("opened_at", flat=True).first() or at
    return earliest.astimezone(dt.UTC).date().replace(day=1)
