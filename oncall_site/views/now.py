"""The Now page, and the fragment by which it updates itself."""

import hashlib
from dataclasses import replace

from django.core.paginator import Paginator
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_safe

from common.http import filters_in_use, remember_filters
from common.text_cache import TextCache
from handoffs.queries.handoffs import handoff_to_sign, next_handoffs, overdue_handoffs
from incidents.queries.drills import current_drills
from incidents.queries.incidents import active_maintenance, open_by_urgency
from oncall_site import queries
from oncall_site.onboarding import NEW_ENGINEER_PERIOD, engineer_steps, onboarding_steps
from oncall_site.presenters import SnapshotPresenter, group_pipelines
from oncall_site.shift_checks import shift_checks
from people.requests import SignedInRequest
from pipelines.models import Pipeline
from pipelines.queries import ownership
from scheduling.models import Cover, Rotation
from scheduling.queries.cover_requests import cover_requests_to_answer
from scheduling.queries.on_call import chains_to_responder, on_call_snapshot, possibly_uncovered
from scheduling.queries.swaps import swaps_to_answer
from scheduling.queries.weeks import pipeline_rotations, rotations_for, weeks_held

MAX_HANDOFFS = 10
MAX_MAINTENANCE = 10
MAX_ROTATIONS = 12
MAX_INCIDENTS = 8
MAX_DRILLS = 5
MAX_ATTENTION = 50
PIPELINES_PER_PAGE = 100
SHOWN_FIELDS = ("slug", "name", "audience", "position", "primary_owner", "secondary_owner")
SHOWN_OWNER_FIELDS = tuple(
    f"{owner}__{field}"
    for owner in ("primary_owner", "secondary_owner")
    for field in ("username", "display_name", "colour")
)
# About a hundred readers of a large site.
TEXT_CACHE = TextCache(max_bytes=8 * 1024 * 1024)
FILTERS, FILTERS_COOKIE = ("q", "rotation", "owner"), "now_filters"


@require_safe
def now(request: SignedInRequest) -> HttpResponse:
    """Show what needs attention, who is on call, my next shift, and every pipeline's responder."""
    filters = filters_in_use(request, cookie=FILTERS_COOKIE, names=FILTERS)
    # The page has the version's half only: its text is compared from the first update on.
    problem = queries.delivery_problem(at=timezone.now())
    etag = f'"{_version(request, filters, problem=problem)}."'
    context = _context(request, filters, problem=problem)
    context["rotations"] = Rotation.objects.active().order_by("name").only("slug", "name")
    response = render(request, "oncall_site/now.html", {**context, "etag": etag})
    remember_filters(response, filters, cookie=FILTERS_COOKIE)
    return response


@require_safe
def now_live(request: SignedInRequest) -> HttpResponse:
    """Return the changing parts of the Now page; 304 if they are what the browser shows.

    An entity tag has two halves: a version of the facts, which is cheap to compare, and a digest of the text. A process renders the
    text of a version once for each reader, so another tab or device gets it from memory.
    """
    filters = filters_in_use(request, cookie=FILTERS_COOKIE, names=FILTERS)
    problem = queries.delivery_problem(at=timezone.now())
    version = _version(request, filters, problem=problem)
    shown = request.headers.get("If-None-Match", "").strip('W/"')
    if shown.partition(".")[0] == version:
        response, etag = HttpResponse(status=304), f'"{shown}"'
    else:
        text = TEXT_CACHE.find(version)
        if text is None:
            text = render_to_string("oncall_site/_now.html", _context(request, filters, problem=problem), request)
            TEXT_CACHE.store(version, text)
        etag = _etag(version, text)
        is_shown = shown.partition(".")[2] == etag.strip('"').partition(".")[2]
        response = HttpResponse(status=304) if is_shown else HttpResponse(text)
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _version(request: SignedInRequest, filters: QueryDict, *, problem: str) -> str:
    facts = (
        queries.now_version(at=timezone.now()),
        problem,
        request.user.pk,
        filters.urlencode(),
        # Pagination links repeat the whole query string.
        sorted(request.GET.lists()),
    )
    return _digest(repr(facts))


def _etag(version: str, text: str) -> str:
    return f'"{version}.{_digest(text)}"'


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def _context(request: SignedInRequest, filters: QueryDict, *, problem: str) -> dict[str, object]:
    at, user = timezone.now(), request.user
    rotations = list(rotations_for(user)[:MAX_ROTATIONS])
    incidents = open_by_urgency()
    shown_incidents = list(incidents.prefetch_related("escalation_steps")[:MAX_INCIDENTS])
    incident_count = len(shown_incidents) if len(shown_incidents) < MAX_INCIDENTS else incidents.count()
    attention = queries.pipelines_needing_attention()
    pipelines = ownership(
        owner=user if filters.get("owner") == "me" else None, search=filters.get("q", ""), own_first=user
    )
    if rotation := filters.get("rotation"):
        pipelines = pipelines.filter(in_rotation__rotation__slug=rotation)
    # Pagination sorts primary keys only: sorting thousands of joined rows takes the database ten times as long.
    keys = pipelines.exclude(pk__in=attention).values_list("pk", flat=True)
    page = Paginator(keys, PIPELINES_PER_PAGE).get_page(request.GET.get("page"))
    rows = Pipeline.objects.only(*SHOWN_FIELDS)
    # Only those that need attention are shown with their owners.
    with_owners = rows.with_owners().only(*SHOWN_FIELDS, *SHOWN_OWNER_FIELDS)
    listed = rows.in_bulk(page.object_list) | with_owners.in_bulk(sorted(attention)[:MAX_ATTENTION])
    memberships = pipeline_rotations(listed)
    # Uncovered pipelines and those of incidents are needed even if they are on another page.
    uncovered = {row.pk: row for row in possibly_uncovered(at=at)}
    incident_keys = {row.pipeline_id for row in shown_incidents}
    involved = uncovered | {row.pipeline_id: row.pipeline for row in shown_incidents} | listed
    # The page says who is notified next of an incident, and until when a pipeline is uncovered.
    in_full = [row for key, row in involved.items() if key in uncovered or key in incident_keys]
    snapshot = on_call_snapshot(in_full, rotations=rotations, at=at)
    remaining_chains = chains_to_responder(
        (row for key, row in listed.items() if key not in snapshot.chains),
        rotations={pipeline: rotation for pipeline, (rotation, _) in memberships.items()},
        at=at,
    )
    snapshot = replace(snapshot, chains=remaining_chains | snapshot.chains)
    covers = Cover.objects.filter(rotation__in=rotations, starts_at__lte=at, ends_at__gt=at)
    presenter = SnapshotPresenter(
        snapshot,
        involved.values(),
        at=at,
        covers=covers.select_related("covered_engineer"),
        whole_chains=incident_keys,
    )
    no_responder = [row for key, row in uncovered.items() if snapshot.chains[key].responder is None]
    attention_rows = [presenter.pipeline_row(listed[key]) for key in attention if key in listed]
    swaps, cover_requests = swaps_to_answer(user, at=at), cover_requests_to_answer(user, at=at)
    to_sign = handoff_to_sign(user, at=at)
    is_new = at - user.date_joined < NEW_ENGINEER_PERIOD
    return {
        "now": at,
        "delivery_problem": problem,
        "on_call": presenter.on_call_rows(),
        "more_rotations": Rotation.objects.active().count() - len(rotations) if len(rotations) == MAX_ROTATIONS else 0,
        "page": page,
        "filters": filters,
        "attention": sorted(attention_rows, key=lambda row: (row.urgency, row.pipeline.position)),
        "groups": group_pipelines(
            (presenter.pipeline_row(listed[key]) for key in page.object_list if key in listed), rotations=memberships
        ),
        "incidents": [presenter.incident_row(row, at=at) for row in shown_incidents],
        "incident_count": incident_count,
        "uncovered": [presenter.pipeline_row(row) for row in no_responder],
        "maintenance": active_maintenance(at=at)[:MAX_MAINTENANCE],
        "drills": current_drills(at=at)[:MAX_DRILLS],
        "alert_count": incident_count + len(no_responder),
        "swaps": swaps,
        "cover_requests": cover_requests,
        "request_count": len(swaps) + len(cover_requests),
        "my_weeks": weeks_held(user, at=at, limit=2),
        "team_steps": onboarding_steps() if user.is_staff else [],
        "own_steps": engineer_steps(user) if is_new else [],
        "shift_checks": [check for check in shift_checks(at=at, engineer=user) if check.problems],
        "overdue_handoffs": [row for row in overdue_handoffs(at=at) if row != to_sign][:MAX_HANDOFFS],
        "handoff_to_sign": to_sign,
        "next_handoffs": next_handoffs(at=at, rotations=rotations),
    }
