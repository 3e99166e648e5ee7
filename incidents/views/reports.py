"""Reports: incidents per pipeline and month, as plots, as a table, as CSV."""

import csv
import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from incidents.forms import ReportForm
from incidents.plots import plots_of
from incidents.queries.reports import MonthReport, month_reports, pipeline_reports
from people.requests import SignedInRequest
from pipelines.models import Pipeline

COLUMNS = (
    "month",
    "pipeline",
    "incidents",
    "acknowledged",
    "resolved",
    "median seconds to acknowledge",
    "median seconds to resolve",
)


def _asked(request: SignedInRequest) -> tuple[ReportForm, Sequence[dt.date], Pipeline | None]:
    """Return the form, the months asked about and the pipeline, if one is named; what is wrong in the form counts for nothing."""
    form = ReportForm(request.GET)
    months = form.months(today=timezone.now().date())
    return form, months, form.cleaned_data.get("pipeline") if form.is_valid() else None


@dataclass(frozen=True, slots=True)
class _Month:
    """A month of all pipelines together, and each pipeline's part of it."""

    of_all: MonthReport
    rows: Sequence[MonthReport]


def _by_month(of_all: Sequence[MonthReport], rows: Iterable[MonthReport]) -> list[_Month]:
    """Return the months with incidents, newest first; `rows` are those of the pipelines, newest month first."""
    months = {month.month: month for month in of_all}
    return [_Month(months[month], list(group)) for month, group in groupby(rows, key=lambda row: row.month)]


@require_safe
def reports(request: SignedInRequest) -> HttpResponse:
    """Show incidents by month, of all pipelines or of one."""
    form, months, pipeline = _asked(request)
    of_all, rows = month_reports(months, pipeline=pipeline), pipeline_reports(months, pipeline=pipeline)
    context = {
        "form": form,
        "pipeline": pipeline,
        "plots": plots_of(of_all),
        "rows": rows,
        "months": _by_month(of_all, rows),
        "asked": request.GET.urlencode(),
    }
    return render(request, "incidents/reports.html", context, status=400 if form.errors else 200)


@require_safe
def reports_csv(request: SignedInRequest) -> HttpResponse:
    """Answer the same table as a file of comma-separated values; what is wrong with the months in words."""
    form, months, pipeline = _asked(request)
    if form.errors:
        words = "".join(f"{name}: {why}\n" for name, whys in form.errors.items() for why in whys)
        return HttpResponse(words, content_type="text/plain; charset=utf-8", status=400)
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="incidents.csv"'
    writer = csv.writer(answer)
    writer.writerow(COLUMNS)
    for row in pipeline_reports(months, pipeline=pipeline):
        times = ["" if seconds is None else seconds for seconds in (row.seconds_to_acknowledge, row.seconds_to_resolve)]
        slug = row.pipeline.slug if row.pipeline else ""
        writer.writerow([f"{row.month:%Y-%m}", slug, row.incidents, row.acknowledged, row.resolved, *times])
    return answer
