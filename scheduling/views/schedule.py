"""Pages of the schedule, a week, the roster and fairness."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import astuple

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from common.exceptions import DomainError
from people.models import User
from people.queries import all_users
from people.requests import SignedInRequest
from pipelines.queries import row_history
from scheduling import presenters
from scheduling.domain.responder_chain import Interval
from scheduling.domain.weeks import WEEK
from scheduling.domain.workload import Workload
from scheduling.forms import RosterForm
from scheduling.models import Rotation, RotationWeek
from scheduling.queries import coverage_gaps
from scheduling.queries.fairness import rotation_fairness
from scheduling.queries.holidays import holidays_in_rotation
from scheduling.queries.on_call import rotation_timeline
from scheduling.queries.rosters import newest_roster, roster_change, roster_engineers
from scheduling.queries.suggestions import suggestions_for
from scheduling.queries.swaps import all_swaps
from scheduling.queries.weeks import rotations_for, upcoming_week_dates, upcoming_weeks
from scheduling.services.rosters import change_roster

WEEKS_SHOWN, ROTATIONS_SHOWN, GAPS_SHOWN = 12, 10, 20


@require_safe
def schedule(request: SignedInRequest) -> HttpResponse:
    """Show each rotation's on-call engineers for twelve weeks, from the current one on, and who is away."""
    at = timezone.now()
    page = Paginator(rotations_for(request.user), ROTATIONS_SHOWN).get_page(request.GET.get("page"))
    turns = upcoming_weeks(page.object_list, at=at, weeks=WEEKS_SHOWN)
    on_it = {key for one in turns for key in one.engineers}
    people = {user.pk: user for user in all_users().filter(pk__in=on_it)}
    gaps = list(coverage_gaps.upcoming_gaps(at=at)[: GAPS_SHOWN + 1])
    context = {
        "boards": [presenters.rotation_board(one, people=people) for one in turns],
        "page": page,
        "gaps": gaps[:GAPS_SHOWN],
        "more_gaps": len(gaps) > GAPS_SHOWN,
    }
    return render(request, "scheduling/schedule.html", context)


@require_safe
def week(request: SignedInRequest, day: dt.date) -> HttpResponse:
    """Show the weeks that start on a date, one per rotation: the engineer, absences and history."""
    rows = list(RotationWeek.objects.filter(starts_on=day).select_related("rotation", "engineer", "planned_engineer"))
    if not rows:
        raise Http404("No week that is stored starts on this date.")
    at = timezone.now()
    found = [
        {
            "week": row,
            **_swapping(row, reader=request.user, at=at),
            "away": holidays_in_rotation(row.rotation, starts_at=row.starts_at, ends_at=row.ends_at),
            "parts": named_parts(rotation_timeline(row.rotation, starts_at=row.starts_at, ends_at=row.ends_at)),
            "history": row_history(row, fields=("engineer", "planned_engineer", "starts_at", "ends_at")),
        }
        for row in rows
    ]
    around = {"before": day - WEEK, "after": day + WEEK}
    return render(request, "scheduling/week.html", {"day": day, "found": found, "now": at, **around})


def _swapping(row: RotationWeek, *, reader: User, at: dt.datetime) -> dict[str, object]:
    """Return the swap options of a week that has not started: open requests and, for its engineer, suggestions."""
    if row.starts_at <= at:
        return {}
    may_offer = reader == row.engineer or reader.is_staff
    swaps = all_swaps().pending().touching_weeks([row.starts_on]).filter(rotation=row.rotation, expires_at__gt=at)
    shown: list[presenters.SuggestionCard] = []
    if may_offer:
        suggested = suggestions_for(row.rotation, week=row.starts_on, at=at, limit=3) or []
        shown = presenters.suggestion_cards(suggested, people={user.pk: user for user in all_users()})
    return {"may_offer": may_offer, "swaps": swaps, "offers": shown}


def named_parts(parts: list[Interval]) -> list[tuple[Interval, User | None]]:
    """Return a timeline's intervals with users instead of primary keys."""
    people = User.objects.in_bulk([part.engineer for part in parts if part.engineer])
    return [(part, people.get(part.engineer or 0)) for part in parts]


@require_safe
def fairness(request: SignedInRequest) -> HttpResponse:
    """Show each engineer's load for the past year and the next half: weeks, weekend days and public holidays."""
    at = timezone.now()
    boards = []
    page = Paginator(rotations_for(request.user), ROTATIONS_SHOWN).get_page(request.GET.get("page"))
    for rotation, rows in rotation_fairness(page.object_list, at=at):
        tops = {"past": most(row.past for row in rows), "coming": most(row.coming for row in rows)}
        boards += [(rotation, rows, tops)] if rows else []
    return render(request, "scheduling/fairness.html", {"boards": boards, "page": page})


def most(parts: Iterable[Workload]) -> Workload:
    """Return the maximum of each count, which scales the bars."""
    columns = list(zip(*(astuple(part) for part in parts), strict=True))
    return Workload(*(max(column) for column in columns))


@require_http_methods(["GET", "HEAD", "POST"])
def roster(request: SignedInRequest, slug: str) -> HttpResponse:
    """Change a rotation's roster: preview which engineers gain and lose weeks, then save. Admins only."""
    if not request.user.is_staff:
        raise PermissionDenied
    rotation = get_object_or_404(Rotation, slug=slug)
    at, newest = timezone.now(), newest_roster(rotation)
    names = [user.username for user in roster_engineers(newest)] if newest else []
    weeks = upcoming_week_dates(rotation, at=at)
    form = RosterForm(
        request.POST if request.method == "POST" else None, weeks=weeks, initial={"engineers": "\n".join(names)}
    )
    context: dict[str, object] = {"rotation": rotation, "form": form}
    if form.is_bound and form.is_valid():
        wanted = {"engineers": form.cleaned_data["engineers"], "starts_on": form.cleaned_data["starts_on"]}
        if "save" in request.POST:
            try:
                change_roster(rotation, **wanted, by=request.user, at=at)
            except DomainError as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, f"The new roster holds from the week of {wanted['starts_on']}.")
                return redirect("schedule")
        else:
            context["change"] = roster_change(rotation, **wanted)
    return render(request, "scheduling/roster.html", context, status=400 if form.errors else 200)
