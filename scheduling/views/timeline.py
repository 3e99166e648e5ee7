"""The timeline: who is on call in each rotation, as bars on a time axis, and the details of a bar."""

import datetime as dt

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_safe

from common.csv import csv_response
from common.datetimes import isoformat_z, parse_instant_param
from common.exceptions import InvalidInputError
from common.http import query_param, with_query
from people.requests import SignedInRequest
from scheduling import presenters
from scheduling.domain.timeline_layout import ticks
from scheduling.domain.weeks import WEEK, week_start
from scheduling.forms import MonthForm
from scheduling.models import Rotation
from scheduling.queries.coverage_gaps import upcoming_gaps
from scheduling.queries.timeline import day_axis, rotation_timelines, time_details
from scheduling.queries.weeks import rotations_for
from scheduling.views.boards import shown_boards

DAYS_A_WEEK = 7
CSV_COLUMNS = ("rotation", "starts_at", "ends_at", "engineer", "planned_engineer", "kind")
WEEK_CHOICES, DEFAULT_WEEKS = (4, 12, 26), 12
FIRST_DAY, LAST_DAY = dt.date(2001, 1, 1), dt.date(2098, 1, 1)
ROTATIONS_PER_PAGE, ROTATIONS_LISTED, GAPS_SHOWN = 10, 100, 20


@require_safe
def timeline(request: SignedInRequest) -> HttpResponse:
    """Show who is on call and who is away, from a week ago or from `?from=`, for `?weeks=`, in all rotations or in one.

    `?month=`, from the month select, redirects to the first day of that month.
    """
    if "month" in request.GET:
        return _redirect_to_month(request)
    at, zone = timezone.now(), timezone.get_current_timezone()
    today = at.astimezone(zone).date()
    weeks = _weeks(request)
    default = week_start(today, weekday=0) - WEEK
    first = _first_day(request) or default
    axis = day_axis(first, days=DAYS_A_WEEK * weeks, zone=zone)
    rotations = rotations_for(request.user, at=axis.starts_at)
    slug = query_param(request, "rotation")
    selected = get_object_or_404(Rotation, slug=slug) if slug else None
    shown = [selected] if selected else rotations
    page = Paginator(shown, ROTATIONS_PER_PAGE).get_page(request.GET.get("page"))
    boards = shown_boards(page.object_list, reader=request.user, axis=axis, weeks=weeks, query=request.GET, at=at)
    gaps = list(upcoming_gaps(at=at)[: GAPS_SHOWN + 1])
    context = {
        "gaps": gaps[:GAPS_SHOWN],
        "more_gaps": len(gaps) > GAPS_SHOWN,
        "boards": boards,
        "axis": axis,
        "ticks": ticks(axis, weeks=weeks),
        "now_band": axis.band(at, at) if axis.includes(at, at) else None,
        "weeks": weeks,
        "month_form": MonthForm.for_page(today=today, shown=first if first != default else None),
        "hidden": {"weeks": weeks},
        "week_choices": WEEK_CHOICES,
        "first_day": first if first != default else None,
        "earlier": first - weeks * WEEK,
        "later": first + weeks * WEEK,
        "rotations": list(rotations.only("slug", "name")[:ROTATIONS_LISTED]),
        "selected": selected,
        "page": page,
    }
    return render(request, "scheduling/timeline.html", context)


@require_safe
def timeline_csv(request: SignedInRequest) -> HttpResponse:
    """Return who is on call, with the parameters of the timeline, as a CSV file."""
    at, zone = timezone.now(), timezone.get_current_timezone()
    today = at.astimezone(zone).date()
    first = _first_day(request) or week_start(today, weekday=0) - WEEK
    axis = day_axis(first, days=DAYS_A_WEEK * _weeks(request), zone=zone)
    slug = query_param(request, "rotation")
    shown = [get_object_or_404(Rotation, slug=slug)] if slug else list(rotations_for(request.user, at=axis.starts_at))
    timelines = rotation_timelines(shown[:ROTATIONS_LISTED], axis=axis, at=at, today=today)
    boards = presenters.timeline_boards(timelines, reader=request.user, zone=zone, at=at)
    rows = [
        (
            board.rotation.slug,
            isoformat_z(bar.starts_at),
            isoformat_z(bar.ends_at),
            bar.engineer.username,
            bar.other.username if bar.other else bar.engineer.username,
            "cover" if bar.is_cover else "swap" if bar.is_swapped else "shift",
        )
        for board in boards
        for entry in board.entries
        if isinstance(entry, presenters.TimelineBar)
        for bar in [entry.bar]
    ]
    return csv_response("schedule.csv", columns=CSV_COLUMNS, rows=rows)


def _redirect_to_month(request: SignedInRequest) -> HttpResponse:
    query, day = request.GET.copy(), MonthForm(request.GET).first_day
    for name in ("month", "from", "page"):
        query.pop(name, None)
    if day:
        query["from"] = day.isoformat()
    return redirect(with_query(reverse("schedule"), query))


def _weeks(request: SignedInRequest) -> int:
    """Return the number of weeks in the query string, the default if it is none of the choices."""
    return next((choice for choice in WEEK_CHOICES if request.GET.get("weeks") == str(choice)), DEFAULT_WEEKS)


def _first_day(request: SignedInRequest) -> dt.date | None:
    """Return the date in `?from=`, or None without a valid one."""
    try:
        day = parse_date(request.GET.get("from", ""))
    except ValueError:
        return None
    return day if day and FIRST_DAY <= day <= LAST_DAY else None


@require_safe
def details(request: SignedInRequest, slug: str) -> HttpResponse:
    """Return the details and actions of the time at `?at=` in a rotation, as a fragment for the timeline's pop-up."""
    rotation = get_object_or_404(Rotation, slug=slug)
    try:
        moment = parse_instant_param(request.GET)
    except InvalidInputError:
        return render(request, "scheduling/_timeline_details.html", {"rotation": rotation}, status=400)
    at, reader = timezone.now(), request.user
    details = time_details(rotation, moment=moment, at=at)
    may_act = details is not None and (reader.is_staff or reader == details.engineer)
    context = {
        "rotation": rotation,
        "details": details,
        "may_request_cover": may_act and details is not None and details.ends_at > at,
        "may_request_swap": may_act and details is not None and not details.cover and details.week.starts_at > at,
        "may_take_over": details is not None and details.ends_at > at,
        "may_end": details is not None
        and details.cover
        and details.ends_at > at
        and (may_act or reader == details.cover.covered_engineer),
        "from": max(details.starts_at, at) if details else None,
    }
    return render(request, "scheduling/_timeline_details.html", context)
