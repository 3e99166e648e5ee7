"""Incidents per pipeline and month: how many, how long until somebody took them, how long until they were over."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Aggregate, Count, DateTimeField, DurationField, ExpressionWrapper, F, OuterRef, Subquery
from django.db.models.functions import TruncMonth

from incidents.models import Incident, TimelineEntry
from pipelines.models import Pipeline


class Median(Aggregate):
    """The middle of a group's durations, as PostgreSQL finds it."""

    function = "PERCENTILE_CONT"
    name = "median"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


@dataclass(frozen=True, slots=True)
class MonthReport:
    """Incidents opened in a month, by UTC, named by its first day: of a pipeline, or of all where it is None; times are medians."""

    month: dt.date
    pipeline: Pipeline | None
    incidents: int
    acknowledged: int
    resolved: int
    to_acknowledge: dt.timedelta | None
    to_resolve: dt.timedelta | None

    @property
    def seconds_to_acknowledge(self) -> int | None:
        """Whole seconds until the first acknowledgement."""
        return _seconds(self.to_acknowledge)

    @property
    def seconds_to_resolve(self) -> int | None:
        """Whole seconds until the last resolution."""
        return _seconds(self.to_resolve)


def _seconds(span: dt.timedelta | None) -> int | None:
    return None if span is None else round(span.total_seconds())


def months_between(first: dt.date, last: dt.date) -> list[dt.date]:
    """Return the months from one date's to another's, each by its first day."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    places = (first.year * 12 + first.month - 1 + place for place in range(count))
    return [dt.date(place // 12, place % 12 + 1, 1) for place in places]


def pipeline_reports(months: Sequence[dt.date], *, pipeline: Pipeline | None = None) -> list[MonthReport]:
    """Return a report for each pipeline and month with incidents, newest month first, in two statements.

    An incident that was reopened counts once: until its first acknowledgement and its last resolution.
    """
    rows = list(_grouped(months, "pipeline", pipeline=pipeline))
    pipelines = {row.pk: row for row in Pipeline.objects.all()}
    found = [_report(row, pipeline=pipelines[row.pop("pipeline")]) for row in rows]
    return sorted(found, key=lambda row: (-row.month.toordinal(), row.pipeline.position if row.pipeline else 0))


def month_reports(months: Sequence[dt.date], *, pipeline: Pipeline | None = None) -> list[MonthReport]:
    """Return a report for each of these months in order, of all pipelines together or of one, in one statement."""
    found = {row["month"].date(): _report(row, pipeline=pipeline) for row in _grouped(months, pipeline=pipeline)}
    return [found.get(month) or MonthReport(month, pipeline, 0, 0, 0, None, None) for month in months]


def _report(row: dict[str, Any], *, pipeline: Pipeline | None) -> MonthReport:
    return MonthReport(**{**row, "month": row["month"].date()}, pipeline=pipeline)


def _grouped(months: Sequence[dt.date], *groups: str, pipeline: Pipeline | None) -> Any:
    [after] = months_between(months[-1], months[-1] + dt.timedelta(days=31))[1:]
    rows = Incident.objects.filter(opened_at__gte=_instant(months[0]), opened_at__lt=_instant(after))
    if pipeline is not None:
        rows = rows.filter(pipeline=pipeline)
    taken = TimelineEntry.objects.filter(incident=OuterRef("pk"), kind=TimelineEntry.Kind.ACKNOWLEDGED)
    first_taken = Subquery(taken.order_by("at").values("at")[:1], output_field=DateTimeField())
    return (
        rows.annotate(
            month=TruncMonth("opened_at", tzinfo=dt.UTC),
            taken_after=ExpressionWrapper(first_taken - F("opened_at"), output_field=DurationField()),
            over_after=ExpressionWrapper(F("resolved_at") - F("opened_at"), output_field=DurationField()),
        )
        .order_by()
        .values("month", *groups)
        .annotate(
            incidents=Count("pk"),
            acknowledged=Count("taken_after"),
            resolved=Count("over_after"),
            to_acknowledge=Median("taken_after"),
            to_resolve=Median("over_after"),
        )
    )


def _instant(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)
