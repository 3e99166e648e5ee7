"""Pages of the shared calendar."""

import datetime as dt
from dataclasses import asdict

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.exceptions import DomainError
from common.forms import add_service_error
from common.http import query_param, with_query
from people.models import User
from people.queries import all_users, user_by_username
from people.requests import SignedInRequest
from people.undo import confirm_with_undo
from scheduling import presenters
from scheduling.forms import HolidayForm, MonthForm
from scheduling.models import HolidayBlock, Rotation, SwapRequest
from scheduling.queries.calendar_days import OnCallCalendar, gaps_between, on_call_calendar
from scheduling.queries.holidays import holidays_between
from scheduling.queries.impact import holiday_impact
from scheduling.queries.weeks import rotations_for
from scheduling.services.holidays import build_holiday, create_holiday, delete_holiday, holiday_data, update_holiday
from scheduling.services.swaps import SwapProposal, request_swap
from scheduling.undo import UndoAddTimeOff, UndoChangeTimeOff, UndoDeleteTimeOff, UndoRequestSwap

FIRST_YEAR, LAST_YEAR = 2000, 2099
GAPS_SHOWN = 20
PEOPLE_PER_PAGE = 30
ROTATIONS_LISTED, ROTATIONS_SHOWN = 100, 10
ABSENCES_SHOWN = 300
DAY = dt.timedelta(days=1)


@require_safe
def calendar_now(request: SignedInRequest) -> HttpResponse:
    """Redirect to the month in `?month=`, or else the current one. The other parameters stay."""
    day = MonthForm(request.GET).first_day or timezone.localdate()
    query = request.GET.copy()
    query.pop("month", None)
    return redirect(with_query(reverse("calendar_month", args=[day.year, day.month]), query))


@require_safe
def calendar_month(request: SignedInRequest, year: int, month: int) -> HttpResponse:
    """Show two months of the team's calendar: who is on call, weekends, public holidays and time off.

    Its rows are the people who are ever on call, with `?rotation=` those of one rotation, with `?everyone=1` all.
    """
    if not (FIRST_YEAR <= year <= LAST_YEAR and 1 <= month <= 12):  # Months of a year
        raise Http404("The calendar goes from 2000 to 2099.")
    months, today = presenters.two_months(year, month), timezone.localdate()
    days = months.days
    begin = dt.datetime.combine(days[0] - DAY, dt.time(), dt.UTC)
    end = begin + (len(days) + 2) * DAY
    rotations = list(rotations_for(request.user, at=begin))
    slug = query_param(request, "rotation")
    selected = get_object_or_404(Rotation, slug=slug) if slug else None
    shown = [selected] if selected else rotations
    on_call = on_call_calendar(days, rotations=shown, zone=timezone.get_current_timezone())
    everybody = {person.pk: person for person in all_users()}
    everyone = "everyone" in request.GET or not on_call.members
    people = [
        person
        for person in everybody.values()
        if person.is_active and (everyone or _has_row(person, on_call, request.user))
    ]
    # The reader's row comes first, because they drag dates in it.
    people.sort(key=lambda person: person != request.user)
    keys = {person.pk for person in people}
    absences = [
        row
        for row in holidays_between(starts_at=begin, ends_at=end)
        if row.starts_on <= days[-1] and row.ends_on >= days[0] and row.engineer_id in keys
    ]
    rows = presenters.month_rows(people, days=days, absences=absences, on_call=on_call.days, today=today)
    # The heads count everybody who is away, whichever page they are on.
    page = Paginator(rows, PEOPLE_PER_PAGE).get_page(request.GET.get("page"))
    shown_people = {row.engineer.pk for row in page}
    context = {
        "month_form": MonthForm.for_page(today=today, shown=days[0]),
        "hidden": {"everyone": "1"} if everyone and on_call.spans else {},
        "months": months.months,
        "days": presenters.day_heads(rows, days=days, today=today),
        "spans": on_call.spans[:ROTATIONS_SHOWN],
        "rows": page.object_list,
        "gaps": gaps_between(starts_at=max(begin + DAY, timezone.now()), ends_at=end - DAY)[:GAPS_SHOWN],
        "absences": sorted(
            (row for row in absences if row.engineer_id in shown_people), key=lambda row: (row.starts_on, row.pk)
        )[:ABSENCES_SHOWN],
        "page": page,
        "month": days[0],
        "previous_month": days[0] - DAY,
        "next_month": months.months[1][0],
        "rotations": rotations[:ROTATIONS_LISTED],
        "selected": selected,
        "everyone": everyone,
        "others": sum(person.is_active for person in everybody.values()) - len(people),
    }
    return render(request, "scheduling/calendar.html", context)


def _has_row(person: User, on_call: OnCallCalendar, reader: User) -> bool:
    """Return True for people who are ever on call, and for the reader unless they are an admin who never is."""
    return person.person in on_call.members or (person == reader and not reader.is_staff)


@require_http_methods(["GET", "HEAD", "POST"])
def add_holiday(request: SignedInRequest) -> HttpResponse:
    """Add time off: preview its impact, then save it."""
    # A drag in an admin's calendar names the engineer of the row.
    engineer = user_by_username(request.GET.get("engineer", "")) or request.user
    # Two dates in the wrong order mean the period between them.
    first, last = sorted([request.GET.get("from", ""), request.GET.get("to", "")])
    dates = {"starts_on": first, "ends_on": last}
    initial = {**dates, "engineer": engineer.pk, "kind": HolidayBlock.Kind.HOLIDAY}
    # Dates from the calendar are previewed at once; a GET saves nothing.
    data = request.POST if request.method == "POST" else initial if all(dates.values()) else None
    form = HolidayForm(data, user=request.user, initial=initial)
    if form.is_bound and form.is_valid():
        return _preview_or_save(request, form, engineer=form.cleaned_data.get("engineer", request.user), existing=None)
    return render(request, "scheduling/holiday.html", {"form": form}, status=_form_status(request, form))


@require_http_methods(["GET", "HEAD", "POST"])
def holiday(request: SignedInRequest, pk: int) -> HttpResponse:
    """Edit the reader's time off, or anyone's as an admin."""
    existing = _editable_holiday(request, pk)
    initial = asdict(holiday_data(existing))
    form = HolidayForm(request.POST if request.method == "POST" else None, user=request.user, initial=initial)
    form.fields.pop("engineer", None)
    if form.is_bound and form.is_valid():
        return _preview_or_save(request, form, engineer=existing.engineer, existing=existing)
    context = {"form": form, "existing": existing}
    return render(request, "scheduling/holiday.html", context, status=_form_status(request, form))


def _form_status(request: SignedInRequest, form: HolidayForm) -> int:
    """Return 400 for a form with errors; not for the preview of a form that is still being filled in."""
    return 400 if form.errors and not request.htmx else 200


@require_POST
def delete(request: SignedInRequest, pk: int) -> HttpResponse:
    """Delete time off."""
    existing = _editable_holiday(request, pk)
    delete_holiday(existing, by=request.user)
    undo = UndoDeleteTimeOff(existing.engineer_id, holiday_data(existing))
    confirm_with_undo(request, f"Time off deleted: {_subject(existing, request.user)}.", undo)
    return redirect("calendar_month", year=existing.starts_on.year, month=existing.starts_on.month)


def _subject(block: HolidayBlock, reader: User) -> str:
    return block.days if block.engineer == reader else f"{block.engineer}, {block.days}"


def _editable_holiday(request: SignedInRequest, pk: int) -> HolidayBlock:
    rows = HolidayBlock.objects.select_related("engineer").filter(link=None)
    block: HolidayBlock = get_object_or_404(
        rows if request.user.is_staff else rows.filter(engineer=request.user), pk=pk
    )
    return block


def _preview_or_save(
    request: SignedInRequest, form: HolidayForm, *, engineer: User, existing: HolidayBlock | None
) -> HttpResponse:
    """Render the form with its impact, or save it, optionally with a swap request."""
    saving = "save" in request.POST or "swap" in request.POST
    context: dict[str, object] = {"form": form, "existing": existing}
    data = form.holiday_data()
    try:
        block = build_holiday(engineer, data=data, time_zone=existing.time_zone if existing else "")
        if saving and existing is None:
            block = create_holiday(engineer, data=data, by=request.user)
        elif saving and existing is not None:
            update_holiday(existing, data=data, by=request.user)
    except DomainError as error:
        return render(request, "scheduling/holiday.html", context, status=add_service_error(form, error))
    if saving:
        undo = (
            UndoChangeTimeOff(existing.pk, holiday_data(existing), data) if existing else UndoAddTimeOff(block.pk, data)
        )
        confirm_with_undo(request, f"Time off saved: {_subject(block, request.user)}.", undo)
        swap = _request_suggested_swap(request) if "swap" in request.POST else None
        if swap is not None:
            return redirect("swap", pk=swap.pk)
        return redirect("calendar_month", year=block.starts_on.year, month=block.starts_on.month)
    block.pk = existing.pk if existing else None
    impact = holiday_impact(block, at=timezone.now())
    suggestions = [(affected, presenters.suggestion_list(ranked)) for affected, ranked in impact.suggestions]
    changes = presenters.responder_changes(impact)
    context |= {"absence": block, "impact": impact, "changes": changes, "suggestions": suggestions}
    return render(request, "scheduling/holiday.html", context)


def _request_suggested_swap(request: SignedInRequest) -> SwapRequest | None:
    """Request the swap chosen in the impact preview; if it is refused, show why and keep the time off."""
    try:
        slug, proposal = _parse_proposal(request.POST["swap"].replace("\0", ""))
        rotation = get_object_or_404(Rotation, slug=slug)
        swap = request_swap(rotation, proposal=proposal, by=request.user, at=timezone.now())
    except ValueError:
        messages.error(request, "The swap request was not sent. Request it on the page of the week.")
    except DomainError as error:
        messages.error(request, str(error))
    else:
        confirm_with_undo(
            request, f"Request sent to {swap.counterpart}: {swap.subject_for(request.user)}.", UndoRequestSwap(swap.pk)
        )
        return swap
    return None


def _parse_proposal(value: str) -> tuple[str, SwapProposal]:
    """Return the rotation's slug and the swap that a suggestion's button posts; raise ValueError for malformed input."""
    slug, offered, *others, username = value.split(" ")
    weeks: list[dt.date | None] = [dt.date.fromisoformat(day) for day in others]
    wanted, third, *_ = (*weeks, None, None)
    counterpart = User.objects.filter(username=username).first()
    return slug, SwapProposal(
        dt.date.fromisoformat(offered), wanted_week=wanted, third_week=third, counterpart=counterpart
    )
