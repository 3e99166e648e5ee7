"""The Now page, and the fragment by which it updates itself."""

import hashlib

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from handoffs.queries.handoffs import next_handoffs, overdue_handoffs
from incidents.queries.incidents import open_incidents
from oncall_site import queries
from oncall_site.onboarding import onboarding_steps
from oncall_site.presenters import SnapshotPresenter
from people.requests import SignedInRequest
from pipelines.queries import ownership
from scheduling.models import Cover, Rotation
from scheduling.queries.cover_requests import cover_requests_to_answer
from scheduling.queries.on_call import on_call_snapshot, possibly_uncovered
from scheduling.queries.swaps import swaps_to_answer
from scheduling.queries.weeks import rotations_for, weeks_held

MAX_HANDOFFS = 10
MAX_ROTATIONS = 12
MAX_INCIDENTS = 8
MAX_ATTENTION = 50
PIPELINES_PER_PAGE = 50


@require_safe
def now(request: SignedInRequest) -> HttpResponse:
    """Show what needs attention, who is on call, my next shift, and every pipeline's responder."""
    context = _context(request)
    live = render_to_string("oncall_site/_now.html", context, request)
    return render(request, "oncall_site/now.html", {**context, "live": live, "etag": _etag(live)})


@require_safe
def now_live(request: SignedInRequest) -> HttpResponse:
    """Return the changing part of the Now page; 304 if it is the one that the browser shows."""
    live = render_to_string("oncall_site/_now.html", _context(request), request)
    etag = _etag(live)
    body = HttpResponse(live)
    response = get_conditional_response(request, etag=etag, response=body) or body
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _etag(text: str) -> str:
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def _context(request: SignedInRequest) -> dict[str, object]:
    at, user = timezone.now(), request.user
    rotations = list(rotations_for(user)[:MAX_ROTATIONS])
    incidents = open_incidents()
    shown_incidents = list(incidents.prefetch_related("escalation_steps")[:MAX_INCIDENTS])
    attention = queries.pipelines_needing_attention()
    # Pagination sorts primary keys only: sorting thousands of joined rows takes the database ten times as long.
    keys = ownership(own_first=user).exclude(pk__in=attention).values_list("pk", flat=True)
    page = Paginator(keys, PIPELINES_PER_PAGE).get_page(request.GET.get("page"))
    rows = ownership().select_related("in_rotation__rotation")
    listed = rows.in_bulk([*page.object_list, *sorted(attention)[:MAX_ATTENTION]])
    # Uncovered pipelines and those of incidents are needed even if they are on another page.
    uncovered = {row.pk: row for row in possibly_uncovered(at=at)}
    pipelines = uncovered | {row.pipeline_id: row.pipeline for row in shown_incidents} | listed
    snapshot = on_call_snapshot(pipelines.values(), rotations=rotations, at=at)
    covers = Cover.objects.filter(rotation__in=rotations, starts_at__lte=at, ends_at__gt=at)
    presenter = SnapshotPresenter(snapshot, pipelines.values(), covers=covers.select_related("covered_engineer"))
    no_responder = [row for key, row in uncovered.items() if snapshot.chains[key].responder is None]
    attention_rows = [presenter.pipeline_row(listed[key]) for key in attention if key in listed]
    incident_count = incidents.count()
    return {
        "now": at,
        "delivery_problem": queries.delivery_problem(at=at),
        "on_call": presenter.on_call_rows(),
        "more_rotations": Rotation.objects.count() - len(rotations),
        "page": page,
        "attention": sorted(attention_rows, key=lambda row: (row.urgency, row.pipeline.position)),
        "rows": [presenter.pipeline_row(listed[key]) for key in page.object_list if key in listed],
        "incidents": [presenter.incident_row(row, at=at) for row in shown_incidents],
        "incident_count": incident_count,
        "uncovered": [presenter.pipeline_row(row) for row in no_responder],
        "alert_count": incident_count + len(no_responder),
        "swaps": swaps_to_answer(user, at=at),
        "cover_requests": cover_requests_to_answer(user, at=at),
        "my_weeks": weeks_held(user, at=at, limit=2),
        "steps": onboarding_steps() if user.is_staff else [],
        "overdue_handoffs": overdue_handoffs(at=at)[:MAX_HANDOFFS],
        "next_handoffs": next_handoffs(at=at, rotations=rotations),
    }
