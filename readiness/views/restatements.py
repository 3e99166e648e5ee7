"""The restatements of a pipeline, as a page and as a CSV file, and the comment on one."""

import csv

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from common.csv import safe_cell
from common.datetimes import isoformat_z
from people.requests import SignedInRequest
from pipelines.models import Pipeline
from readiness.forms import CommentForm
from readiness.models import Publication, Restatement
from readiness.queries.readiness import restatements
from readiness.services.restatements import comment_restatement

ROWS_PER_PAGE = 50
CSV_CHUNK = 500
CSV_COLUMNS = (
    *("id", "pipeline", "metric", "segment", "day or hour", "from", "to", "farthest", "change", "percent"),
    *("published at", "wrong since", "changed at", "restated at", "settled at", "cause", "incident", "notified"),
    "readers notified",
    *("comment", "commented by"),
)


@require_safe
def pipeline_restatements(request: SignedInRequest, slug: str) -> HttpResponse:
    """Show the published numbers of a pipeline that changed, newest first."""
    pipeline = get_object_or_404(Pipeline, slug=slug)
    page = Paginator(restatements(pipeline=pipeline), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    published = Publication.objects.filter(pipeline=pipeline)
    context = {
        "pipeline": pipeline,
        "page": page,
        "first": published.order_by("day").first(),
        "published_days": published.count(),
    }
    return render(request, "readiness/restatements.html", context)


@require_safe
def restatements_csv(request: SignedInRequest, slug: str) -> HttpResponse:
    """Return every restatement of a pipeline as a CSV file, oldest first, with instants in UTC."""
    pipeline = get_object_or_404(Pipeline, slug=slug)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="restatements-{pipeline.slug}.csv"'
    writer = csv.writer(response)
    writer.writerow(CSV_COLUMNS)
    for row in restatements(pipeline=pipeline).order_by("changed_at", "pk").iterator(chunk_size=CSV_CHUNK):
        writer.writerow(_cells(row, readers=row.notified_readers))  # type: ignore[attr-defined]  # annotated
    return response


def _cells(row: Restatement, *, readers: int) -> list[object]:
    instants = (row.published_at, row.wrong_since, row.changed_at, row.restated_at, row.settled_at)
    return [
        row.pk,
        row.publication.pipeline.slug,
        row.metric.slug,
        safe_cell(row.segment),
        row.bucket_time.isoformat().replace("+00:00", "Z"),
        *(repr(value) for value in (row.from_value, row.to_value, row.farthest_value, row.change)),
        "" if row.percent is None else f"{row.percent:.4g}",
        *(isoformat_z(instant) or "" for instant in instants),
        row.cause,
        row.incident_id or "",
        safe_cell(" ".join(row.notified)),
        readers,
        safe_cell(row.comment),
        safe_cell(row.commented_by.username if row.commented_by else ""),
    ]


@require_http_methods(["GET", "HEAD", "POST"])
def comment(request: SignedInRequest, pk: int) -> HttpResponse:
    """Comment on a restatement."""
    row = get_object_or_404(restatements(), pk=pk)
    form = CommentForm(request.POST if request.method == "POST" else None, initial={"comment": row.comment})
    if form.is_bound and form.is_valid():
        comment_restatement(row, comment=form.cleaned_data["comment"], by=request.user)
        messages.success(request, "Comment saved.")
        return redirect("restatements", slug=row.publication.pipeline.slug)
    context = {"form": form, "restatement": row, "pipeline": row.publication.pipeline}
    return render(request, "readiness/comment.html", context, status=400 if form.errors else 200)
