"""Pages to request a cover, and to review and answer cover requests."""

from collections.abc import Callable
from functools import partial

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.exceptions import DomainError
from common.forms import add_service_error
from common.http import next_path, query_param
from people.queries import all_users
from people.requests import SignedInRequest
from people.undo import Undo, confirm_with_undo
from scheduling.forms import CoverAnswerForm, CoverRequestForm
from scheduling.models import CoverRequest, Rotation
from scheduling.presenters import cover_text
from scheduling.queries.cover_requests import all_cover_requests, conflicts_between, cover_request_history, open_periods
from scheduling.queries.weeks import requested_period, weeks_held
from scheduling.services import cover_requests as services
from scheduling.services.answers import record_answer
from scheduling.services.open_requests import can_remind
from scheduling.undo import UndoCoverRequestAnswer, UndoRequestCover, UndoWithdrawCoverRequest

OWN_WEEKS_SHOWN = 26
TRACKED_FIELDS = ("state", "decided_by", "reason")


@require_http_methods(["GET", "HEAD", "POST"])
def request_cover(request: SignedInRequest) -> HttpResponse:
    """Request a cover for a part of the reader's on-call time."""
    at = timezone.now()
    rotation = _rotation(request)
    if rotation is None:
        weeks = weeks_held(request.user, at=at, limit=OWN_WEEKS_SHOWN)
        return render(request, "scheduling/request_cover.html", {"weeks": weeks})
    starts_at, ends_at = requested_period(request.GET, rotation=rotation, at=at)
    form = CoverRequestForm(
        request.POST if request.method == "POST" else None,
        by=request.user,
        initial={"starts_at": starts_at, "ends_at": ends_at},
    )
    form.fields["counterpart"].mark_absences(  # type: ignore[attr-defined]  # an EngineerField
        starts_at=starts_at, ends_at=max(ends_at, starts_at)
    )
    status = 400 if form.errors else 200
    if form.is_bound and form.is_valid():
        try:
            row = services.request_cover(rotation, proposal=form.proposal(), by=request.user, at=at)
        except DomainError as error:
            status = add_service_error(form, error)
        else:
            recipient = row.counterpart or "everyone in the rotation"
            text = f"Cover requested from {recipient}: {row.subject_for(request.user)}."
            confirm_with_undo(request, text, UndoRequestCover(row.pk))
            return redirect("cover_request", pk=row.pk)
    return render(request, "scheduling/request_cover.html", {"rotation": rotation, "form": form}, status=status)


def _rotation(request: SignedInRequest) -> Rotation | None:
    """Return the rotation in the query string, or None without one; raise Http404 for an unknown one."""
    slug = query_param(request, "rotation")
    return get_object_or_404(Rotation.objects.active(), slug=slug) if slug else None


@require_safe
def cover_request(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show a cover request: its time, what is covered already, and its history."""
    return _page(request, pk, form=CoverAnswerForm())


def _page(request: SignedInRequest, pk: int, *, form: CoverAnswerForm, status: int = 200) -> HttpResponse:
    row, reader, at = get_object_or_404(all_cover_requests(), pk=pk), request.user, timezone.now()
    is_open = row.state == CoverRequest.State.PENDING and row.expires_at > at
    awaits_me = is_open and row.awaits_answer_from(reader)
    on_behalf = is_open and reader.is_staff and not (awaits_me and row.counterpart)
    people = [user for user in all_users().active() if row.awaits_answer_from(user)] if on_behalf else []
    periods = open_periods([row], at=at)[row.pk]
    taker = row.counterpart or (reader if awaits_me else None)
    if periods:
        form.initial = {"starts_at": periods[0][0], "ends_at": periods[-1][1]}
    context = {
        "cover_request": row,
        "periods": periods,
        "is_open": is_open,
        "awaits_me": awaits_me,
        "on_behalf": on_behalf,
        # An admin can also answer a request to anyone for themselves.
        "people": sorted(people, key=lambda person: person != reader),
        "taker": taker,
        "absences": conflicts_between(taker, periods=periods) if taker else [],
        "can_withdraw": is_open and (reader.is_staff or reader == row.requester),
        "can_remind": can_remind(row, by=reader, at=at),
        "form": form,
        "history": cover_request_history(row, fields=TRACKED_FIELDS, zone=reader.zone),
        "now": at,
    }
    return render(request, "scheduling/cover_request.html", context, status=status)


@require_POST
def accept(request: SignedInRequest, pk: int) -> HttpResponse:
    """Accept a cover request, in full or in part."""
    row, form = get_object_or_404(all_cover_requests(), pk=pk), CoverAnswerForm(request.POST)
    if not form.is_valid():
        return _page(request, pk, form=form, status=400)
    is_part = "part" in request.POST
    service = partial(
        services.accept_cover_request,
        row,
        by=request.user,
        at=timezone.now(),
        engineer=form.cleaned_data["engineer"],
        starts_at=form.cleaned_data["starts_at"] if is_part else None,
        ends_at=form.cleaned_data["ends_at"] if is_part else None,
        acknowledge_conflicts=form.cleaned_data["acknowledge_conflicts"],
    )
    try:
        answered, answer = record_answer(row, service)
    except DomainError as error:
        return _page(request, pk, form=form, status=_add_error(form, error))
    covers = answered.covers.filter(pk__in=answer.new_covers).select_related("engineer", "covered_engineer")
    rest = " The rest stays open." if answered.state == CoverRequest.State.PENDING else ""
    confirm_with_undo(request, f"{cover_text(covers, reader=request.user)}{rest}", UndoCoverRequestAnswer(answer))
    return redirect(next_path(request, reverse("cover_request", args=[pk])))


@require_POST
def decline(request: SignedInRequest, pk: int) -> HttpResponse:
    """Decline a cover request."""
    row, form = get_object_or_404(all_cover_requests(), pk=pk), CoverAnswerForm(request.POST)
    if not form.is_valid():
        return _page(request, pk, form=form, status=400)
    engineer, reason = form.cleaned_data["engineer"], form.cleaned_data["reason"]
    service = partial(
        services.decline_cover_request, row, by=request.user, at=timezone.now(), engineer=engineer, comment=reason
    )
    try:
        answered, answer = record_answer(row, service)
    except DomainError as error:
        return _page(request, pk, form=form, status=_add_error(form, error))
    rest = " It stays open for others." if answered.state == CoverRequest.State.PENDING else ""
    text = f"Request declined: {answered.subject_for(request.user)}.{rest}"
    confirm_with_undo(request, text, UndoCoverRequestAnswer(answer))
    return redirect(next_path(request, reverse("cover_request", args=[pk])))


@require_POST
def cancel(request: SignedInRequest, pk: int) -> HttpResponse:
    """Withdraw a cover request."""
    undo = UndoWithdrawCoverRequest(pk)
    return _manage(request, pk, services.cancel_cover_request, done="Request withdrawn", undo=undo)


@require_POST
def remind(request: SignedInRequest, pk: int) -> HttpResponse:
    """Remind those who have not answered a cover request."""
    return _manage(request, pk, services.remind_cover_request, done="Reminder sent")


def _manage(
    request: SignedInRequest, pk: int, service: Callable[..., CoverRequest], *, done: str, undo: Undo | None = None
) -> HttpResponse:
    """Call a service and return to the request, or show its page with the service's error."""
    try:
        row = service(get_object_or_404(all_cover_requests(), pk=pk), by=request.user, at=timezone.now())
    except DomainError as error:
        form = CoverAnswerForm(request.POST)
        form.is_valid()
        return _page(request, pk, form=form, status=_add_error(form, error))
    text = f"{done}: {row.subject_for(request.user)}."
    if undo is None:
        messages.success(request, text)
    else:
        confirm_with_undo(request, text, undo)
    return redirect("cover_request", pk=pk)


def _add_error(form: CoverAnswerForm, error: DomainError) -> int:
    form.show_conflict_checkbox(show=bool(error.details.get("conflicts")))
    return add_service_error(form, error)
