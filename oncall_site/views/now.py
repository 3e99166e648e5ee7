"""The Now page, and the fragment by which it updates itself."""

import hashlib
from sys import getsizeof
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_safe

from common.http import filters_in_use, remember_filters
from common.version_cache import ValidityPeriod, VersionCache
from handoffs.queries.handoffs import handoff_to_sign
from oncall_site import queries
from oncall_site.onboarding import NEW_ENGINEER_PERIOD, engineer_steps, onboarding_steps
from oncall_site.presenters import group_pipelines
from oncall_site.reader_tasks import reader_tasks
from oncall_site.shift_checks import shift_checks
from oncall_site.views.now_parts import MAX_HANDOFFS, listed_rows, now_alerts, pipeline_order, rotations_now
from people.models import User
from people.queries import page_version
from people.requests import SignedInRequest
from pipelines.queries import ownership
from scheduling.models import Rotation
from scheduling.queries.cover_requests import cover_requests_to_answer, open_periods
from scheduling.queries.swaps import swaps_to_answer
from scheduling.queries.weeks import first_rotations, next_shifts

MAX_ROTATIONS = 12
MAX_ATTENTION = 50
PIPELINES_PER_PAGE = 100
# About a hundred readers of a large site.
FRAGMENTS: VersionCache[str] = VersionCache(max_bytes=8 * 1024 * 1024, size=getsizeof)
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
    at = timezone.now()
    problem = queries.delivery_problem(at=at)
    version = _version(request, filters, problem=problem)
    shown = request.headers.get("If-None-Match", "").strip('W/"')
    if shown.partition(".")[0] == version:
        response, etag = HttpResponse(status=304), f'"{shown}"'
    else:
        text = FRAGMENTS.find(version, version=version, at=at)
        if text is None:
            context = _context(request, filters, problem=problem)
            text = render_to_string("oncall_site/_now.html", context, request)
            FRAGMENTS.store(version, text, version=version, period=ValidityPeriod(context["now"], context["until"]))
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


def _context(request: SignedInRequest, filters: QueryDict, *, problem: str) -> dict[str, Any]:
    """Return what Now shows; it is valid before `until` if no fact changes."""
    # Read before the facts, so that the stored parts are never older than their version.
    version, at, user = page_version(), timezone.now(), request.user
    alerts = now_alerts(version=version, at=at)
    rotations = rotations_now(first_rotations(user, limit=MAX_ROTATIONS), version=version, at=at)
    attention = queries.pipelines_needing_attention()
    keys = _filtered_keys(user, filters) if filters else pipeline_order(version=version, at=at).own_first(user)
    others = [key for key in keys if key not in attention]
    page = Paginator(others, PIPELINES_PER_PAGE).get_page(request.GET.get("page"))
    shown = list(page.object_list)
    listed = listed_rows([*shown, *sorted(attention)[:MAX_ATTENTION]], version=version, at=at)
    rows = listed.rows
    tasks = reader_tasks(user, at=at)
    swaps = swaps_to_answer(user, at=at) if tasks.swaps else []
    cover_requests = cover_requests_to_answer(user, at=at) if tasks.cover_requests else []
    periods = open_periods(cover_requests, at=at)
    to_sign = handoff_to_sign(user, at=at) if tasks.handoffs else None
    checks = shift_checks(at=at, engineer=user) if tasks.shifts else []
    is_new = at - user.date_joined < NEW_ENGINEER_PERIOD
    my_weeks, my_covers = next_shifts(user, at=at)
    changes = [alerts.until, listed.until, *(row.until for row in rotations)]
    changes += [request.expires_at for request in (*swaps, *cover_requests)]
    next_handoffs = [row.next_handoff for row in rotations if row.next_handoff]
    spans = [(shift.starts_at, shift.ends_at) for shift in (*my_weeks, *my_covers)]
    spans += [(row.meeting_starts_at, row.at) for row in next_handoffs]
    changes += [instant for span in spans for instant in span if instant > at]
    return {
        "now": at,
        "until": min(changes),
        "delivery_problem": problem,
        "alerts": alerts.text,
        "alert_count": alerts.count,
        "on_call": [row.on_call for row in rotations],
        "more_rotations": alerts.rotations - len(rotations) if len(rotations) == MAX_ROTATIONS else 0,
        "page": page,
        "filters": filters,
        "attention": sorted(
            (row for key, row in rows.items() if key in attention), key=lambda row: (row.urgency, row.pipeline.position)
        ),
        "groups": group_pipelines((rows[key], listed.rotations[key]) for key in shown if key in rows),
        "swaps": swaps,
        "cover_requests": [(request, periods[request.pk]) for request in cover_requests],
        "request_count": len(swaps) + len(cover_requests),
        "my_weeks": my_weeks,
        "my_covers": my_covers,
        "team_steps": onboarding_steps() if user.is_staff else [],
        "own_steps": engineer_steps(user) if is_new else [],
        "shift_checks": [check for check in checks if check.problems],
        "overdue_handoffs": [row for row in alerts.overdue if row != to_sign][:MAX_HANDOFFS],
        "handoff_to_sign": to_sign,
        "next_handoffs": next_handoffs,
    }


def _filtered_keys(user: User, filters: QueryDict) -> list[int]:
    """Return the primary keys of the pipelines that meet the filters, in the order of Now."""
    pipelines = ownership(
        owner=user if filters.get("owner") == "me" else None, search=filters.get("q", ""), own_first=user
    )
    if rotation := filters.get("rotation"):
        pipelines = pipelines.filter(in_rotation__rotation__slug=rotation)
    return list(pipelines.values_list("pk", flat=True))
