"""Incident analytics per pipeline and month: charts, a table and a CSV file."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from common.csv import csv_response
from incidents.forms import ReportForm
from incidents.plots import report_plots
from incidents.queries.reports import MonthReport, first_report_month, month_reports, pipeline_reports
from people.requests import SignedInRequest
from pipelines.models import Pipeline

CSV_COLUMNS = (
    "month",
    "pipeline",
    "incidents",
    "acknowledged",
    "resolved",
    "median seconds to acknowledge",
    "median seconds to resolve",
)


def _parameters(request: SignedInRequest) -> tuple[ReportForm, Sequence[dt.date], Pipeline | None]:
    """Return the form, the report's months, and its pipeline if any; an invalid form means the defaults."""
    form = ReportForm(request.GET)
    months = form.months(today=timezone.now().date())
    return form, months, form.cleaned_data.get("pipeline") if form.is_valid() else None


@dataclass(frozen=True, slots=True)
class _Month:
    """A month: the report of all pipelines together, and of each."""

    total: MonthReport
    rows: Sequence[MonthReport]


def _by_month(totals: Sequence[MonthReport], rows: Iterable[MonthReport]) -> list[_Month]:
    """Return the months with incidents, in the order of `rows`."""
    months = {total.month: total for total in totals}
    return [_Month(months[month], list(group)) for month, group in groupby(rows, key=lambda row: row.month)]


@require_safe
def reports(request: SignedInRequest) -> HttpResponse:
    """Show incidents by month, of all pipelines or of one."""
    form, months, pipeline = _parameters(request)
    at = timezone.now()
    form.offer_months(first_report_month(at=at), at.date())
    totals, rows = month_reports(months, pipeline=pipeline), pipeline_reports(months, pipeline=pipeline)
    context = {
        "form": form,
        "pipeline": pipeline,
        "plots": report_plots(totals),
        "rows": rows,
        "months": _by_month(totals, rows),
        "query": request.GET.urlencode(),
    }
    return render(request, "incidents/reports.html", context, status=400 if form.errors else 200)


@require_safe
def reports_csv(request: SignedInRequest) -> HttpResponse:
    """Return the same table as a CSV file, or the errors of the dates as plain text."""
    form, months, pipeline = _parameters(request)
    if form.errors:
        text = "".join(f"{name}: {error}\n" for name, errors in form.errors.items() for error in errors)
        return HttpResponse(text, content_type="text/plain; charset=utf-8", status=400)
    rows = [
        (
            f"{row.month:%Y-%m}",
            row.pipeline.slug if row.pipeline else "",
            row.incidents,
            row.acknowledged,
            row.resolved,
            row.seconds_to_acknowledge,
            row.seconds_to_resolve,
        )
        for row in pipeline_reports(months, pipeline=pipeline)
    ]
    return csv_response("incidents.csv", columns=CSV_COLUMNS, rows=rows)
