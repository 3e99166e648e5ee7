"""The list of pipelines, and the page of one."""

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from common.http import filters_in_use, remember_filters
from incidents.domain.status import STATUSES
from incidents.models import MaintenanceWindow
from incidents.queries.incidents import all_incidents
from incidents.queries.statuses import statuses
from lineage.queries import downstream_edges, pipeline_exposures, upstream_edges
from oncall_site.presenters import SnapshotPresenter
from people.queries import user_by_username
from people.requests import SignedInRequest
from pipelines.models import Pipeline
from pipelines.queries import owners, ownership, row_history
from readiness.models import ReaderNote
from scheduling.models import Rotation
from scheduling.queries.coverage_gaps import upcoming_gaps
from scheduling.queries.on_call import on_call_snapshot
from team_channels.queries import may_edit_channels
from validation.plots import check_rows
from validation.queries.checks import checks, metrics_with_newest
from validation.queries.external import external_checks

HISTORY_FIELDS = (
    "name",
    "audience",
    "primary_owner",
    "secondary_owner",
    "escalate_after_minutes",
    "escalate_critical_after_minutes",
    "escalate_low_after_minutes",
)
PIPELINES_PER_PAGE = 100
MAX_INCIDENTS = 10
MAX_GAPS = 20
MAX_MAINTENANCE_WINDOWS = 5
MAX_EXTERNAL_CHECKS = 50
MAX_CHECKS = 100
FILTERS, FILTERS_COOKIE = ("q", "owner", "rotation", "status"), "pipelines_filters"


@require_safe
def pipelines(request: SignedInRequest) -> HttpResponse:
    """Show each pipeline with status, responder, rotation and owners; the filters are those of the last visit."""
    filters = filters_in_use(request, cookie=FILTERS_COOKIE, names=FILTERS)
    page = Paginator(_filtered(filters), PIPELINES_PER_PAGE).get_page(request.GET.get("page"))
    listed = list(page.object_list)
    at = timezone.now()
    presenter = SnapshotPresenter(on_call_snapshot(listed, at=at), listed, at=at)
    context = {
        "rows": [presenter.pipeline_row(row) for row in listed],
        "page": page,
        "filters": filters,
        "owners": owners(),
        "rotations": Rotation.objects.active().order_by("name"),
        "statuses": STATUSES,
        "has_pipelines": Pipeline.objects.exists(),
    }
    response = render(request, "pipelines/pipelines.html", context)
    remember_filters(response, filters, cookie=FILTERS_COOKIE)
    return response


def _filtered(filters: QueryDict) -> QuerySet[Pipeline]:
    owner = user_by_username(filters.get("owner", ""))
    rows = ownership(owner=owner, search=filters.get("q", "")).select_related("in_rotation__rotation")
    if rotation := filters.get("rotation"):
        rows = rows.filter(in_rotation__rotation__slug=rotation)
    if name := filters.get("status"):
        keys = [key for key, status in statuses(rows).items() if status.name == name]
        rows = rows.filter(pk__in=keys)
    return rows


@require_safe
def pipeline(request: SignedInRequest, slug: str) -> HttpResponse:
    """Show a pipeline: status, responder and chain, owners, incidents, checks, history."""
    row = get_object_or_404(ownership(), slug=slug)
    at = timezone.now()
    pipeline_row = SnapshotPresenter(on_call_snapshot([row], at=at), [row], at=at).pipeline_row(row)
    context = {
        "pipeline": row,
        "row": pipeline_row,
        "now": at,
        "reader_note": ReaderNote.objects.filter(pipeline=row).first(),
        "history": row_history(row, fields=HISTORY_FIELDS),
        "gaps": upcoming_gaps(at=at).filter(pipeline=row)[:MAX_GAPS],
        "maintenance": MaintenanceWindow.objects.filter(pipeline=row).not_ended(at=at)[:MAX_MAINTENANCE_WINDOWS],
        "incidents": all_incidents().filter(pipeline=row)[:MAX_INCIDENTS],
        "checks": check_rows(checks().filter(pipeline=row)[:MAX_CHECKS]),
        "most_shown": MAX_CHECKS,
        "metrics": metrics_with_newest(row)[:MAX_CHECKS],
        "upstream": upstream_edges(row),
        "downstream": downstream_edges(row),
        "exposures": pipeline_exposures(row),
        "external_checks": external_checks().filter(pipeline=row)[:MAX_EXTERNAL_CHECKS],
        "may_edit_channels": may_edit_channels(row, request.user),
    }
    return render(request, "pipelines/pipeline.html", context)
