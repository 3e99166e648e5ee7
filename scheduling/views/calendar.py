"""Pages of the shared calendar."""

import datetime as dt

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.exceptions import DomainError
from common.forms import add_service_error
from people.models import User
from people.queries import all_users, user_by_username
from people.requests import SignedInRequest
from scheduling import presenters
from scheduling.forms import HolidayForm
from scheduling.models import HolidayBlock, Rotation, SwapRequest
from scheduling.queries.holidays import holidays_between
from scheduling.queries.impact import HolidayImpact, holiday_impact
from scheduling.services.holidays import HolidayData, build_holiday, create_holiday, delete_holiday, update_holiday
from scheduling.services.swaps import SwapProposal, request_swap

FIRST_YEAR, LAST_YEAR = 2000, 2099


@require_safe
def calendar_now(request: SignedInRequest) -> HttpResponse:
    """Redirect to the current month."""
    today = timezone.localdate()
    return redirect("calendar_month", year=today.year, month=today.month)


@require_safe
def calendar_month(request: SignedInRequest, year: int, month: int) -> HttpResponse:
    """Show a month of the team's calendar: weekends, public holidays and time off."""
    if not (FIRST_YEAR <= year <= LAST_YEAR and 1 <= month <= 12):  # Months of a year
        raise Http404("The calendar goes from 2000 to 2099.")
    days = presenters.month_days(year, month)
    day = dt.timedelta(days=1)
    begin = dt.datetime.combine(days[0] - day, dt.time(), dt.UTC)
    blocks = list(holidays_between(starts_at=begin, ends_at=begin + (len(days) + 2) * day))
    shown = [block for block in blocks if block.starts_on <= days[-1] and block.ends_on >= days[0]]
    today = timezone.localdate()
    # The reader's row comes first, because they drag dates in it.
    people = sorted(all_users().active(), key=lambda person: person != request.user)
    context = {
        "days": days,
        "rows": presenters.month_rows(people, days=days, blocks=shown, today=today),
        "blocks": sorted(shown, key=lambda block: (block.starts_on, block.pk)),
        "month": days[0],
        "before": days[0] - day,
        "after": days[-1] + day,
        "today": today,
    }
    return render(request, "scheduling/calendar.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def block(request: SignedInRequest) -> HttpResponse:
    """Add time off: preview its impact, then save it."""
    asked = {"starts_on": request.GET.get("from"), "ends_on": request.GET.get("to"), "engineer": _engineer(request).pk}
    form = HolidayForm(request.POST if request.method == "POST" else None, person=request.user, initial=asked)
    if form.is_bound and form.is_valid():
        engineer: User = form.cleaned_data.get("engineer", request.user)
        return _previewed(request, form, engineer=engineer, existing=None)
    return render(request, "scheduling/holiday.html", {"form": form}, status=400 if form.errors else 200)


def _engineer(request: SignedInRequest) -> User:
    """Return the engineer whose row an admin chose, otherwise the reader."""
    return user_by_username(request.GET.get("engineer", "")) or request.user


@require_http_methods(["GET", "HEAD", "POST"])
def holiday(request: SignedInRequest, pk: int) -> HttpResponse:
    """Edit the reader's time off, or anyone's as an admin."""
    existing = _own_block(request, pk)
    initial = {name: getattr(existing, name) for name in HolidayData.__dataclass_fields__}
    form = HolidayForm(
        request.POST if request.method == "POST" else None,
        person=request.user,
        initial={**initial, "engineer": existing.engineer},
    )
    form.fields.pop("engineer", None)
    if form.is_bound and form.is_valid():
        return _previewed(request, form, engineer=existing.engineer, existing=existing)
    context = {"form": form, "existing": existing}
    return render(request, "scheduling/holiday.html", context, status=400 if form.errors else 200)


@require_POST
def remove(request: SignedInRequest, pk: int) -> HttpResponse:
    """Delete time off."""
    existing = _own_block(request, pk)
    delete_holiday(existing, by=request.user)
    messages.success(request, f"{existing} is removed.")
    return redirect("calendar_month", year=existing.starts_on.year, month=existing.starts_on.month)


def _own_block(request: SignedInRequest, pk: int) -> HolidayBlock:
    blocks = HolidayBlock.objects.select_related("engineer").filter(link=None)
    found: HolidayBlock = get_object_or_404(
        blocks if request.user.is_staff else blocks.filter(engineer=request.user), pk=pk
    )
    return found


def _previewed(
    request: SignedInRequest, form: HolidayForm, *, engineer: User, existing: HolidayBlock | None
) -> HttpResponse:
    """Render the form with its impact, or save it after a preview, optionally with a swap request."""
    saving = "save" in request.POST or "ask" in request.POST
    context: dict[str, object] = {"form": form, "existing": existing}
    try:
        wanted = build_holiday(engineer, data=form.dates())
        if saving and existing is None:
            create_holiday(engineer, data=form.dates(), by=request.user)
        elif saving and existing is not None:
            update_holiday(existing, data=form.dates(), by=request.user)
    except DomainError as refusal:
        return render(request, "scheduling/holiday.html", context, status=add_service_error(form, refusal))
    if saving:
        messages.success(request, f"{wanted} is in the calendar.")
        asked = _ask(request) if "ask" in request.POST else None
        if asked is not None:
            return redirect("swap", pk=asked.pk)
        return redirect("calendar_month", year=wanted.starts_on.year, month=wanted.starts_on.month)
    wanted.pk = existing.pk if existing else None
    effects = holiday_impact(wanted, at=timezone.now())
    offers = [(hit, presenters.suggestion_cards(found, people=effects.people)) for hit, found in effects.suggestions]
    context |= {"wanted": wanted, "effects": effects, "changes": named(effects), "offers": offers}
    return render(request, "scheduling/holiday.html", context)


def _ask(request: SignedInRequest) -> SwapRequest | None:
    """Request the swap chosen in the impact preview; if it is refused, show why and keep the time off."""
    try:
        slug, asked = _asked(request.POST["ask"].replace("\0", ""))
        rotation = get_object_or_404(Rotation, slug=slug)
        swap = request_swap(rotation, proposal=asked, by=request.user, at=timezone.now())
    except ValueError:
        messages.error(request, "That swap could not be read. Ask for it on the page of the week.")
    except DomainError as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{swap.counterpart} is asked.")
        return swap
    return None


def _asked(text: str) -> tuple[str, SwapProposal]:
    """Return the rotation and the swap that a suggestion's button posts; raise ValueError for malformed input."""
    slug, offered, *returned, username = text.split(" ")
    weeks: list[dt.date | None] = [dt.date.fromisoformat(day) for day in returned]
    wanted, third, *_ = (*weeks, None, None)
    counterpart = User.objects.filter(username=username).first()
    return slug, SwapProposal(
        dt.date.fromisoformat(offered), wanted_week=wanted, third_week=third, counterpart=counterpart
    )


def named(effects: HolidayImpact) -> list[dict[str, object]]:
    """Return the changes of responders with users instead of primary keys."""
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
