"""The Now page."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from handoffs.queries.handoffs import next_handoffs, overdue_handoffs
from incidents.queries.incidents import open_incidents
from oncall_site.onboarding import onboarding_steps
from oncall_site.presenters import present_snapshot
from people.requests import SignedInRequest
from pipelines.queries import ownership
from scheduling.models import Rotation
from scheduling.queries.on_call import on_call_snapshot, possibly_uncovered
from scheduling.queries.swaps import swaps_naming
from scheduling.queries.weeks import rotations_for, weeks_held

MAX_HANDOFFS = 10
MAX_ROTATIONS = 12
PIPELINES_PER_PAGE = 50


@require_safe
def now(request: SignedInRequest) -> HttpResponse:
    """Show who is on call now and next, open incidents, coverage gaps, every pipeline's responder and my shifts."""
    at, user = timezone.now(), request.user
    rotations = list(rotations_for(user)[:MAX_ROTATIONS])
    # Pagination sorts primary keys only: sorting thousands of joined rows takes the database ten times as long.
    keys = ownership(own_first=user).values_list("pk", flat=True)
    page = Paginator(keys, PIPELINES_PER_PAGE).get_page(request.GET.get("page"))
    rows = ownership().select_related("in_rotation__rotation").in_bulk(list(page.object_list))
    listed = {key: rows[key] for key in page.object_list if key in rows}
    pipelines = {row.pk: row for row in possibly_uncovered(at=at)} | listed
    snapshot = on_call_snapshot(pipelines.values(), rotations=rotations, at=at)
    # Uncovered pipelines are shown even if they are on another page.
    uncovered = {key: row for key, row in pipelines.items() if snapshot.chains[key].responder is None}
    pipeline_rows, on_call = present_snapshot(snapshot, (uncovered | listed).values())
    by_key = {row.pipeline.pk: row for row in pipeline_rows}
    context = {
        "now": at,
        "on_call": on_call,
        "more_rotations": Rotation.objects.count() - len(on_call),
        "page": page,
        "rows": [by_key[key] for key in listed],
        "incidents": open_incidents(),
        "uncovered": [row for row in pipeline_rows if row.responder is None],
        "swaps": swaps_naming(user, at=at),
        "my_weeks": weeks_held(user, at=at, limit=2),
        "steps": onboarding_steps() if user.is_staff else [],
        "overdue_handoffs": overdue_handoffs(at=at)[:MAX_HANDOFFS],
        "next_handoffs": next_handoffs(at=at, rotations=rotations),
    }
    return render(request, "oncall_site/now.html", context)
