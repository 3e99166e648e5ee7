"""Pages of a week, the roster and fairness."""

import datetime as dt

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from common.exceptions import DomainError
from common.formatting import format_day
from people.models import User
from people.requests import SignedInRequest
from people.undo import confirm_with_undo
from pipelines.queries import row_history
from scheduling import presenters
from scheduling.domain.weeks import WEEK
from scheduling.forms import RosterForm
from scheduling.models import Cover, Rotation, RotationWeek
from scheduling.queries.calendar_days import gaps_between
from scheduling.queries.holidays import holidays_in_rotation
from scheduling.queries.on_call import rotation_timeline
from scheduling.queries.rosters import aligned_order, newest_roster, roster_change, roster_engineers
from scheduling.queries.suggestions import suggestions_for
from scheduling.queries.swaps import all_swaps
from scheduling.queries.weeks import rotations_for, upcoming_week_dates
from scheduling.undo import change_roster_with_undo

DAY = dt.timedelta(days=1)
FIRST_DAY, LAST_DAY = dt.date(2001, 1, 1), dt.date(2098, 12, 31)
WEEKS_SHOWN, ROTATIONS_PER_PAGE, GAPS_SHOWN, SUGGESTIONS_SHOWN = 12, 10, 20, 3


@require_safe
def week(request: SignedInRequest, day: dt.date) -> HttpResponse:
    """Show the weeks that start on a date, one per rotation: the engineer, absences and history."""
    rows = list(RotationWeek.objects.filter(starts_on=day).select_related("rotation", "engineer", "planned_engineer"))
    if not rows:
        raise Http404("No stored week starts on this date.")
    at = timezone.now()
    order = {rotation: place for place, rotation in enumerate(rotations_for(request.user, at=rows[0].starts_at))}
    rows.sort(key=lambda row: order.get(row.rotation, len(order)))
    covers = list(
        Cover.objects.filter(rotation__in=[row.rotation_id for row in rows])
        .overlapping(**_span(rows))
        .select_related("engineer")
    )
    panels = [
        {
            "week": row,
            "cover": _shown_cover(row, covers=covers, at=at),
            **_swap_options(row, reader=request.user, at=at),
            "gaps": gaps_between(starts_at=max(row.starts_at, at), ends_at=max(row.ends_at, at)),
            "absences": holidays_in_rotation(row.rotation, starts_at=row.starts_at, ends_at=row.ends_at),
            "intervals": rotation_timeline(row.rotation, starts_at=row.starts_at, ends_at=row.ends_at),
            "history": row_history(row, fields=("engineer", "planned_engineer", "starts_at", "ends_at")),
        }
        for row in rows
    ]
    context = {"day": day, "panels": panels, "now": at, "previous_week": day - WEEK, "next_week": day + WEEK}
    return render(request, "scheduling/week.html", context)


def _span(rows: list[RotationWeek]) -> dict[str, dt.datetime]:
    return {"starts_at": min(row.starts_at for row in rows), "ends_at": max(row.ends_at for row in rows)}


def _shown_cover(row: RotationWeek, *, covers: list[Cover], at: dt.datetime) -> Cover | None:
    """Return the cover whose engineer is on call instead: now in a running week, else for all of the week."""
    begin, end = (at, at) if row.starts_at <= at < row.ends_at else (row.starts_at, row.ends_at)
    own = (cover for cover in covers if cover.rotation_id == row.rotation_id)
    return next(
        (cover for cover in own if cover.starts_at <= begin and cover.ends_at >= end and cover.ends_at > at), None
    )


def _swap_options(row: RotationWeek, *, reader: User, at: dt.datetime) -> dict[str, object]:
    """Return the swap options of a week that has not started: open requests and, for its engineer, suggestions."""
    if row.starts_at <= at:
        return {}
    can_offer = reader == row.engineer or reader.is_staff
    swaps = all_swaps().pending().touching_weeks([row.starts_on]).filter(rotation=row.rotation, expires_at__gt=at)
    suggestions = None
    if can_offer:
        ranked = suggestions_for(row.rotation, week=row.starts_on, at=at, limit=SUGGESTIONS_SHOWN) or []
        suggestions = presenters.suggestion_list(ranked)
    return {"can_offer": can_offer, "swaps": swaps, "suggestions": suggestions}


@require_http_methods(["GET", "HEAD", "POST"])
def roster(request: SignedInRequest, slug: str) -> HttpResponse:
    """Change a rotation's roster: preview which engineers gain and lose shifts, then save. Admins only."""
    if not request.user.is_staff:
        raise PermissionDenied
    rotation, at = get_object_or_404(Rotation, slug=slug), timezone.now()
    newest = newest_roster(rotation)
    usernames = [user.username for user in roster_engineers(newest)] if newest else []
    form = RosterForm(
        request.POST if request.method == "POST" else None,
        start_dates=upcoming_week_dates(rotation, at=at),
        initial={"engineers": "\n".join(usernames), "keep_weeks": True},
    )
    form = form.apply_edit(request.POST)
    context: dict[str, object] = {"rotation": rotation, "form": form}
    if form.is_bound and form.is_valid():
        fields = dict(form.cleaned_data)
        if fields.pop("keep_weeks"):
            fields["engineers"] = aligned_order(
                fields["engineers"], newest=newest, size=len(usernames), starts_on=fields["starts_on"]
            )
    if form.is_bound and form.is_valid() and "save" in request.POST:
        try:
            undo = change_roster_with_undo(rotation, **fields, by=request.user, at=at)
        except DomainError as error:
            form.add_error(None, str(error))
        else:
            first = format_day(form.cleaned_data["starts_on"])
            confirm_with_undo(request, f"Roster of {rotation} saved. It starts with the week of {first}.", undo)
            return redirect("schedule")
    elif form.is_bound and form.is_valid():
        change = roster_change(rotation, **fields)
        context |= {"change": change, "balances": presenters.shift_balances(change)}
    return render(request, "scheduling/roster.html", context, status=400 if form.errors else 200)
