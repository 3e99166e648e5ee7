"""Pages to request, review and respond to swaps."""

import datetime as dt
from functools import partial
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from common.forms import add_service_error
from common.http import next_path
from people.models import User
from people.queries import all_users
from people.requests import SignedInRequest
from people.undo import confirm_with_undo
from pipelines.queries import row_history
from scheduling import presenters
from scheduling.domain.sentences import swap_sentence
from scheduling.forms import SwapRequestForm, SwapResponseForm
from scheduling.models import RotationWeek, SwapRequest
from scheduling.queries.cover_requests import cover_requests_for
from scheduling.queries.suggestions import suggestions_for
from scheduling.queries.swaps import all_swaps, grouped_swaps, reassignment_previews, weeks_to_swap
from scheduling.queries.weeks import weeks_held
from scheduling.services import swaps as services
from scheduling.services.answers import record_answer
from scheduling.services.open_requests import can_remind
from scheduling.undo import UndoRequestSwap, UndoSwapAnswer, UndoWithdrawSwap

SUGGESTIONS_SHOWN, OWN_WEEKS_SHOWN = 6, 26
TRACKED_FIELDS = ("state", "counterpart", "decided_by", "reason")


@require_safe
def swaps(request: SignedInRequest) -> HttpResponse:
    """Show the swap and cover requests that wait for the reader, their own, all others, and closed ones."""
    at = timezone.now()
    context = {
        "swaps": grouped_swaps(request.user, at=at),
        "covers": cover_requests_for(request.user, at=at),
        "weeks": weeks_held(request.user, at=at),
        "now": at,
    }
    return render(request, "scheduling/swaps.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def request_swap(request: SignedInRequest) -> HttpResponse:
    """Request a swap of a week, from ranked suggestions or a custom choice."""
    at = timezone.now()
    week = _requested_week(request)
    if week is None:
        own_weeks = weeks_held(request.user, at=at, limit=OWN_WEEKS_SHOWN)
        return render(
            request, "scheduling/request_swap.html", {"weeks": [row for row in own_weeks if row.starts_at > at]}
        )
    form = SwapRequestForm(
        request.POST if request.method == "POST" else None,
        weeks=weeks_to_swap(week.rotation, at=at),
        requester=week.engineer,
        initial={"message": presenters.swap_message(week.starts_on)} if week.engineer == request.user else None,
    )
    form.fields["counterpart"].mark_absences(  # type: ignore[attr-defined]  # an EngineerField
        starts_at=week.starts_at, ends_at=week.ends_at
    )
    status = 400 if form.errors else 200
    if form.is_bound and form.is_valid():
        try:
            swap = services.request_swap(week.rotation, proposal=form.proposal(week.starts_on), by=request.user, at=at)
        except DomainError as error:
            status = add_service_error(form, error)
            form.show_conflict_checkbox(show=bool(error.details.get("conflicts")))
        else:
            recipient = swap.counterpart or "everyone in the rotation"
            text = f"Request sent to {recipient}: {swap.subject_for(request.user)}."
            confirm_with_undo(request, text, UndoRequestSwap(swap.pk))
            return redirect("swap", pk=swap.pk)
    ranked = suggestions_for(week.rotation, week=week.starts_on, at=at, limit=SUGGESTIONS_SHOWN) or []
    suggestions = presenters.suggestion_list(ranked)
    context = {"week": week, "form": form, "suggestions": suggestions, "is_own": week.engineer == request.user}
    return render(request, "scheduling/request_swap.html", context, status=status)


def _requested_week(request: SignedInRequest) -> RotationWeek | None:
    """Return the week in the query string, or None if it has none; raise Http404 if that week cannot be swapped."""
    slug, day = request.GET.get("rotation", ""), request.GET.get("week", "")
    if not (slug or day):
        return None
    try:
        starts_on = parse_date(day)
    except ValueError:
        starts_on = None
    rows = RotationWeek.objects.select_related("rotation", "engineer")
    week: RotationWeek | None = None
    if starts_on:
        week = rows.filter(rotation__slug=slug.replace("\0", ""), starts_on=starts_on).first()
    if week is None:
        raise Http404("There is no such week.")
    if week.engineer != request.user and not request.user.is_staff:
        raise PermissionDenied
    return week


@require_safe
def swap(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show a swap request: its weeks, its impact and its history."""
    return _swap_page(request, get_object_or_404(all_swaps(), pk=pk), status=200)


def _swap_page(
    request: SignedInRequest, row: SwapRequest, *, status: int, error: DomainError | None = None
) -> HttpResponse:
    reader, at = request.user, timezone.now()
    is_open = row.state == SwapRequest.State.PENDING and row.expires_at > at
    awaits_me = is_open and row.awaits_answer_from(reader)
    on_behalf = is_open and reader.is_staff and not (awaits_me and row.counterpart)
    people = [user for user in all_users().active() if row.awaits_answer_from(user)] if on_behalf else []
    context = {
        "swap": row,
        "moves": reassignment_previews(row, reader=reader),
        "is_open": is_open,
        "awaits_me": awaits_me,
        "on_behalf": on_behalf,
        "decided_on_behalf": (
            row.state == SwapRequest.State.ACCEPTED and row.decided_by not in (row.counterpart, row.third)
        ),
        "can_withdraw": is_open and (reader.is_staff or reader == row.requester),
        "can_remind": can_remind(row, by=reader, at=at),
        # An admin can also answer a request to anyone for themselves.
        "people": sorted(people, key=lambda person: person != reader),
        "error": error,
        "conflicts": bool(error and error.details.get("conflicts")),
        "reason": request.POST.get("reason", ""),
        "history": row_history(row, fields=TRACKED_FIELDS),
    }
    return render(request, "scheduling/swap.html", context, status=status)


@require_POST
def answer_swap(request: SignedInRequest, pk: int, answer: str) -> HttpResponse:
    """Accept, decline or withdraw a swap request."""
    row, form, at = get_object_or_404(all_swaps(), pk=pk), SwapResponseForm(request.POST), timezone.now()
    if not form.is_valid():
        error = DomainError("; ".join(str(reason) for reason in form.errors.values()))
        return _swap_page(request, row, status=400, error=error)
    try:
        text, undo = _answer(row, answer, fields=form.cleaned_data, by=request.user, at=at)
    except DomainError as error:
        status = 403 if isinstance(error, NotAllowedError) else 400 if isinstance(error, InvalidInputError) else 409
        return _swap_page(request, get_object_or_404(all_swaps(), pk=pk), status=status, error=error)
    confirm_with_undo(request, text, undo)
    return redirect(next_path(request, reverse("swap", args=[pk])))


def _answer(
    row: SwapRequest, answer: str, *, fields: dict[str, Any], by: User, at: dt.datetime
) -> tuple[str, UndoSwapAnswer | UndoWithdrawSwap]:
    """Accept, decline or withdraw a request; return the confirmation and the undo."""
    if answer == "cancel":
        withdrawn = services.cancel_swap(row, by=by, at=at)
        return f"Request withdrawn: {withdrawn.subject_for(by)}.", UndoWithdrawSwap(row.pk)
    service = {
        "accept": partial(services.accept_swap, acknowledge_conflicts=fields["acknowledge_conflicts"]),
        "decline": partial(services.decline_swap, comment=fields["reason"]),
    }[answer]
    answered, record = record_answer(row, partial(service, row, by=by, at=at, engineer=fields["engineer"]))
    is_open = answered.state == SwapRequest.State.PENDING
    if answer == "decline":
        rest = " It stays open for others." if is_open else ""
        text = f"Request declined: {answered.subject_for(by)}.{rest}"
    elif is_open:
        text = f"Accepted: {answered.subject_for(by)}. The swap takes place when the third engineer accepts too."
    else:
        text = f"Swap accepted. {swap_sentence(answered.moves(), reader=by.person)}"
    return text, UndoSwapAnswer(record)


@require_POST
def remind(request: SignedInRequest, pk: int) -> HttpResponse:
    """Remind those who have not answered a swap request."""
    row = get_object_or_404(all_swaps(), pk=pk)
    try:
        reminded = services.remind_swap(row, by=request.user, at=timezone.now())
    except DomainError as error:
        status = 403 if isinstance(error, NotAllowedError) else 409
        return _swap_page(request, get_object_or_404(all_swaps(), pk=pk), status=status, error=error)
    messages.success(request, f"Reminder sent: {reminded.subject_for(request.user)}.")
    return redirect("swap", pk=pk)
