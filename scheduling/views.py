"""The schedule's lanes and the shared calendar."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import astuple

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from people.models import User
from people.queries import all_people
from people.refusals import Invalid, Refused
from people.requests import SignedInRequest
from pipelines.queries import history_of
from scheduling import commands, grids, queries
from scheduling.engine.balance import Share
from scheduling.engine.turns import WEEK
from scheduling.engine.world import Interval
from scheduling.forms import HolidayForm, RosterForm
from scheduling.models import HolidayBlock, Rotation, RotationWeek

WEEKS_SHOWN = 12
FIRST_YEAR, LAST_YEAR = 2000, 2099


@require_safe
def schedule(request: SignedInRequest) -> HttpResponse:
    """Show who holds which week of each rotation, twelve weeks from this one on, and who is away."""
    at = timezone.now()
    people = {user.pk: user for user in all_people()}
    boards = [grids.board(turns, people=people) for turns in queries.coming_turns(at=at, weeks=WEEKS_SHOWN)]
    return render(request, "scheduling/schedule.html", {"boards": boards, "gaps": queries.gaps(at=at)})


@require_safe
def calendar_now(request: SignedInRequest) -> HttpResponse:
    """Send on to this month."""
    today = timezone.localdate()
    return redirect("calendar_month", year=today.year, month=today.month)


@require_safe
def calendar_month(request: SignedInRequest, year: int, month: int) -> HttpResponse:
    """Show everybody's month: weekends, public holidays, and who is away."""
    if not (FIRST_YEAR <= year <= LAST_YEAR and 1 <= month <= 12):  # months of a year
        raise Http404("The calendar goes from 2000 to 2099.")
    days = grids.month_days(year, month)
    day = dt.timedelta(days=1)
    begin = dt.datetime.combine(days[0] - day, dt.time(), dt.UTC)
    blocks = list(queries.holidays_between(starts_at=begin, ends_at=begin + (len(days) + 2) * day))
    shown = [block for block in blocks if block.starts_on <= days[-1] and block.ends_on >= days[0]]
    today = timezone.localdate()
    context = {
        "days": days,
        "rows": grids.month_rows(all_people().active(), days=days, blocks=shown, today=today),
        "blocks": sorted(shown, key=lambda block: (block.starts_on, block.pk)),
        "month": days[0],
        "before": days[0] - day,
        "after": days[-1] + day,
        "today": today,
    }
    return render(request, "scheduling/calendar.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def block(request: SignedInRequest) -> HttpResponse:
    """Block dates: first see what that does, then save."""
    asked = {"starts_on": request.GET.get("from"), "ends_on": request.GET.get("to"), "engineer": request.user.pk}
    form = HolidayForm(request.POST or None, person=request.user, initial=asked)
    if form.is_bound and form.is_valid():
        engineer: User = form.cleaned_data.get("engineer", request.user)
        return _previewed(request, form, engineer=engineer, existing=None)
    return render(request, "scheduling/holiday.html", {"form": form}, status=400 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def holiday(request: SignedInRequest, pk: int) -> HttpResponse:
    """Change a block of one's own, or anybody's as an admin."""
    existing = _own_block(request, pk)
    initial = {name: getattr(existing, name) for name in commands.Dates.__dataclass_fields__}
    form = HolidayForm(request.POST or None, person=request.user, initial={**initial, "engineer": existing.engineer})
    form.fields.pop("engineer", None)
    if form.is_bound and form.is_valid():
        return _previewed(request, form, engineer=existing.engineer, existing=existing)
    context = {"form": form, "existing": existing}
    return render(request, "scheduling/holiday.html", context, status=400 if form.errors else 200)


@require_POST
def remove(request: SignedInRequest, pk: int) -> HttpResponse:
    """Remove a block."""
    existing = _own_block(request, pk)
    commands.remove_holiday(existing, by=request.user)
    messages.success(request, f"{existing} is removed.")
    return redirect("calendar_month", year=existing.starts_on.year, month=existing.starts_on.month)


def _own_block(request: SignedInRequest, pk: int) -> HolidayBlock:
    blocks = HolidayBlock.objects.select_related("engineer")
    found: HolidayBlock = get_object_or_404(
        blocks if request.user.is_staff else blocks.filter(engineer=request.user), pk=pk
    )
    return found


def _previewed(
    request: SignedInRequest, form: HolidayForm, *, engineer: User, existing: HolidayBlock | None
) -> HttpResponse:
    """Answer the form with what it would do, or save it where that was seen."""
    try:
        wanted = commands.block_of(engineer, dates=form.dates())
        if "save" in request.POST and existing is None:
            commands.block_holiday(engineer, dates=form.dates(), by=request.user)
        elif "save" in request.POST and existing is not None:
            commands.change_holiday(existing, dates=form.dates(), by=request.user)
    except Invalid as invalid:
        for name, reasons in invalid.problems.items():
            form.add_error(name, reasons)
        return render(request, "scheduling/holiday.html", {"form": form, "existing": existing}, status=400)
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return render(request, "scheduling/holiday.html", {"form": form, "existing": existing}, status=409)
    if "save" in request.POST:
        messages.success(request, f"{wanted} is in the calendar.")
        return redirect("calendar_month", year=wanted.starts_on.year, month=wanted.starts_on.month)
    wanted.pk = existing.pk if existing else None
    effects = queries.effects_of(wanted)
    context = {"form": form, "existing": existing, "wanted": wanted, "effects": effects, "changes": named(effects)}
    return render(request, "scheduling/holiday.html", context)


def named(effects: queries.Effects) -> list[dict[str, object]]:
    """Return the changes of responders with people instead of keys."""
    return [
        {
            "pipeline": pipeline,
            "starts_at": change.starts_at,
            "ends_at": change.ends_at,
            "before": effects.people.get(change.before) if change.before else None,
            "after": effects.people.get(change.after) if change.after else None,
        }
        for pipeline, change in effects.changes
    ]


@require_safe
def week(request: SignedInRequest, day: dt.date) -> HttpResponse:
    """Show a week of each rotation that starts on a date: who holds it, who is away, its history."""
    rows = list(RotationWeek.objects.filter(starts_on=day).select_related("rotation", "engineer", "planned_engineer"))
    if not rows:
        raise Http404("No week that is stored starts on this date.")
    at = timezone.now()
    found = [
        {
            "week": row,
            **_swapping(row, reader=request.user, at=at),
            "away": queries.holidays_between(starts_at=row.starts_at, ends_at=row.ends_at),
            "parts": named_parts(queries.timeline_of(row.rotation, starts_at=row.starts_at, ends_at=row.ends_at)),
            "history": history_of(row, fields=("engineer", "planned_engineer", "starts_at", "ends_at")),
        }
        for row in rows
    ]
    around = {"before": day - WEEK, "after": day + WEEK}
    return render(request, "scheduling/week.html", {"day": day, "found": found, "now": at, **around})


def _swapping(row: RotationWeek, *, reader: User, at: dt.datetime) -> dict[str, object]:
    """Return what can be done with a week that has not begun: open requests for it, and, for its engineer, suggestions."""
    if row.starts_at <= at:
        return {}
    may_offer = reader == row.engineer or reader.is_staff
    swaps = (
        queries.all_swaps().pending().touching_weeks([row.starts_on]).filter(rotation=row.rotation, expires_at__gt=at)
    )
    shown: list[grids.Offer] = []
    if may_offer:
        suggested = queries.suggestions_for(row.rotation, week=row.starts_on, at=at, most=3) or []
        shown = grids.offers(suggested, people={user.pk: user for user in all_people()})
    return {"may_offer": may_offer, "swaps": swaps, "offers": shown}


def named_parts(parts: list[Interval]) -> list[tuple[Interval, User | None]]:
    """Return a timeline's intervals with people beside them."""
    people = User.objects.in_bulk([part.engineer for part in parts if part.engineer])
    return [(part, people.get(part.engineer or 0)) for part in parts]


@require_safe
def fairness(request: SignedInRequest) -> HttpResponse:
    """Show what each engineer carries: weeks, weekend days and public holidays, the past year and the coming half."""
    at = timezone.now()
    boards = []
    for rotation in Rotation.objects.order_by("pk"):
        rows = queries.fairness_of(rotation, at=at)
        tops = {"past": most(row.past for row in rows), "coming": most(row.coming for row in rows)}
        boards += [(rotation, rows, tops)] if rows else []
    return render(request, "scheduling/fairness.html", {"boards": boards})


def most(parts: Iterable[Share]) -> Share:
    """Return the largest number of each kind: the length of a whole bar."""
    columns = list(zip(*(astuple(part) for part in parts), strict=True))
    return Share(*(max(column) for column in columns))


@require_http_methods(["GET", "HEAD", "POST"])
def roster(request: SignedInRequest, slug: str) -> HttpResponse:
    """Change a rotation's roster: first see who gains and loses which weeks, then save. For admins."""
    if not request.user.is_staff:
        raise PermissionDenied
    rotation = get_object_or_404(Rotation, slug=slug)
    at, newest = timezone.now(), queries.newest_roster(rotation)
    names = [user.username for user in queries.engineers_of(newest)] if newest else []
    weeks = queries.coming_weeks(rotation, at=at)
    form = RosterForm(request.POST or None, weeks=weeks, initial={"engineers": "\n".join(names)})
    context: dict[str, object] = {"rotation": rotation, "form": form}
    if form.is_bound and form.is_valid():
        wanted = {"engineers": form.cleaned_data["engineers"], "starts_on": form.cleaned_data["starts_on"]}
        if "save" in request.POST:
            try:
                commands.change_roster(rotation, **wanted, by=request.user, at=at)
            except Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                messages.success(request, f"The new roster holds from the week of {wanted['starts_on']}.")
                return redirect("schedule")
        else:
            context["change"] = queries.roster_change(rotation, **wanted)
    return render(request, "scheduling/roster.html", context, status=400 if form.errors else 200)
