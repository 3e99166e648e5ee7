"""The installed site: its manifest, its service worker, and the offline copy."""

import datetime as dt
from functools import cache
from pathlib import Path

from django.contrib.auth.decorators import login_not_required
from django.contrib.staticfiles import finders
from django.db.models import Prefetch, Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from handoffs.models import Handoff
from handoffs.queries.handoffs import all_handoffs
from handoffs.queries.sheets import handoff_sheets
from incidents.models import Incident, RunbookRun, RunStep
from incidents.queries.incidents import open_by_urgency
from oncall_site.presenters import SnapshotPresenter
from people.models import User
from people.requests import SignedInRequest
from pipelines.models import Pipeline
from pipelines.queries import ownership
from runbooks.queries import current_revision, runbooks
from scheduling.queries.on_call import on_call_snapshot
from scheduling.queries.weeks import rotations_with

# Limits for storage on a phone and for the size of the page.
MAX_PIPELINES, MAX_INCIDENTS, MAX_SHEETS = 30, 20, 5
ICON_SIZES = (192, 512)
BACKGROUND_COLOUR, THEME_COLOUR = "#ffffff", "#2450b8"


@require_safe
@login_not_required
def manifest(request: HttpRequest) -> HttpResponse:
    """Return the web app manifest, by which a browser installs the site."""
    icons = [
        {
            "src": static(f"oncall_site/icon-{size}.png"),
            "sizes": f"{size}x{size}",
            "type": "image/png",
            "purpose": purpose,
        }
        for size in ICON_SIZES
        for purpose in ("any", "maskable")
    ]
    data = {
        "id": "/",
        "name": "On call",
        "short_name": "On call",
        "description": "Who is on call, what is wrong, and what to do.",
        "start_url": reverse("now"),
        "scope": "/",
        "display": "standalone",
        "background_color": BACKGROUND_COLOUR,
        "theme_color": THEME_COLOUR,
        "icons": icons,
        "shortcuts": [
            {"name": "Incidents", "url": reverse("incidents")},
            {"name": "My schedule", "url": reverse("account")},
        ],
    }
    return JsonResponse(data, content_type="application/manifest+json")


@require_safe
@login_not_required
def service_worker(request: HttpRequest) -> HttpResponse:
    """Return the service worker. At this path its scope is the whole site."""
    return HttpResponse(_script(), content_type="text/javascript")


@cache
def _script() -> str:
    path = finders.find("oncall_site/service-worker.js")
    return Path(str(path)).read_text(encoding="utf-8")


@require_safe
def offline_copy(request: SignedInRequest) -> HttpResponse:
    """Show the offline copy: open incidents, escalation chains, today's hand-off and runbooks."""
    at = timezone.now()
    pipelines = list(_pipelines(request.user))
    presenter = SnapshotPresenter(on_call_snapshot(pipelines, at=at), pipelines, at=at)
    texts = runbooks().filter(pipeline__in=pipelines)
    sheets = _todays_handoffs(request.user, at=at)
    topics = handoff_sheets(sheets, at=at)
    context = {
        "now": at,
        "rows": [presenter.pipeline_row(row) for row in pipelines],
        "incidents": _incidents(request.user, pipelines),
        "runbooks": [(row, current_revision(row)) for row in texts],
        "sheets": [(row, topics[row.pk]) for row in sheets],
    }
    return render(request, "oncall_site/offline_copy.html", context)


def _pipelines(person: User) -> list[Pipeline]:
    """Return the pipelines that a user owns, then those of the user's rotations."""
    mine = Q(primary_owner=person) | Q(secondary_owner=person)
    in_rotation = Q(in_rotation__rotation__in=rotations_with(person).order_by().values("pk"))
    rows = ownership(own_first=person).filter(mine | in_rotation).select_related("in_rotation__rotation")
    return list(rows[:MAX_PIPELINES])


def _incidents(person: User, pipelines: list[Pipeline]) -> list[tuple[Incident, RunbookRun | None]]:
    """Return the open incidents of these pipelines and those assigned to a user, each with its runbook run in progress."""
    steps = RunStep.objects.select_related("done_by").order_by("position")
    runs = RunbookRun.objects.filter(ended_at=None).prefetch_related(Prefetch("steps", queryset=steps))
    rows = open_by_urgency().filter(Q(pipeline__in=pipelines) | Q(assignee=person))
    rows = rows.prefetch_related(Prefetch("runs", queryset=runs, to_attr="active_runs"))[:MAX_INCIDENTS]
    return [(row, next(iter(getattr(row, "active_runs", ())), None)) for row in rows]


def _todays_handoffs(person: User, *, at: dt.datetime) -> list[Handoff]:
    """Return the hand-offs of a user's rotations whose meeting is today in their time zone."""
    today = at.astimezone(person.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = all_handoffs().filter(
        rotation__in=rotations_with(person).order_by().values("pk"),
        meeting_starts_at__gte=today,
        meeting_starts_at__lt=today + dt.timedelta(days=1),
    )
    return list(rows[:MAX_SHEETS])
