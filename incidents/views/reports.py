"""Reports: incidents per pipeline and month, as plots, as a table, as CSV."""

import csv
import datetime as dt
from collections.abc import Sequence

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from incidents import queries
from incidents.forms import ReportForm
from incidents.grids import plots_of
from people.requests import SignedInRequest
from pipelines.models import Pipeline

MONTHS = 12
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
    """Return the form, the months asked about, by default the last twelve, and the pipeline, if one is named."""
    today = timezone.now().date()
    form = ReportForm(request.GET)
    given = form.cleaned_data if form.is_valid() else {}
    last = given.get("until") or today
    year_before = queries.months_between(last - dt.timedelta(days=366), last)[-MONTHS:]
    first = given.get("since") or year_before[0]
    return form, queries.months_between(first, last), given.get("pipeline")


@require_safe
def reports(request: SignedInRequest) -> HttpResponse:
    """Show incidents by month, of all pipelines or of one."""
    form, months, pipeline = _asked(request)
    context = {
        "form": form,
        "pipeline": pipeline,
        "plots": plots_of(queries.month_reports(months, pipeline=pipeline)),
        "rows": queries.pipeline_reports(months, pipeline=pipeline),
        "asked": request.GET.urlencode(),
    }
    return render(request, "incidents/reports.html", context, status=400 if form.errors else 200)


@require_safe
def reports_csv(request: SignedInRequest) -> HttpResponse:
    """Answer the same table as a file of comma-separated values."""
    _, months, pipeline = _asked(request)
    answer = HttpResponse(content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="incidents.csv"'
    writer = csv.writer(answer)
    writer.writerow(COLUMNS)
    for row in queries.pipeline_reports(months, pipeline=pipeline):
        times = [round(span.total_seconds()) if span else "" for span in (row.to_acknowledge, row.to_resolve)]
        slug = row.pipeline.slug if row.pipeline else ""
        writer.writerow([f"{row.month:%Y-%m}", slug, row.incidents, row.acknowledged, row.resolved, *times])
    return answer
