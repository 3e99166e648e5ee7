"""Pages to request, review and respond to swaps."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from common.forms import add_service_error
from people.queries import all_users
from people.requests import SignedInRequest
from pipelines.queries import row_history
from scheduling import presenters
from scheduling.forms import AnswerForm, AskForm
from scheduling.models import RotationWeek, SwapRequest
from scheduling.queries.suggestions import suggestions_for
from scheduling.queries.swaps import all_swaps, awaits_answer_from, reassignment_previews, swaps_for, weeks_to_swap
from scheduling.queries.weeks import weeks_held
from scheduling.services.swaps import accept_swap, cancel_swap, decline_swap, request_swap

SUGGESTED = 6
TRACKED = ("state", "counterpart", "decided_by", "reason")
ANSWERED: dict[tuple[str, str], str] = {
    ("accept", SwapRequest.State.ACCEPTED): "The weeks have changed hands.",
    ("decline", SwapRequest.State.DECLINED): "The request is declined.",
    ("cancel", SwapRequest.State.CANCELLED): "The request is withdrawn.",
}


@require_safe
def swaps(request: SignedInRequest) -> HttpResponse:
    """Show the requests that wait for the reader, their own, all others, and closed ones."""
    at = timezone.now()
    found = swaps_for(request.user, at=at)
    context = {"found": found, "weeks": weeks_held(request.user, at=at), "now": at}
    return render(request, "scheduling/swaps.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: SignedInRequest) -> HttpResponse:
    """Request a swap of a week, from ranked suggestions or a custom choice."""
    at = timezone.now()
    week = _week_asked(request)
    if week is None:
        weeks = weeks_held(request.user, at=at, limit=26)
        coming = [one for one in weeks if one.starts_at > at]
        return render(request, "scheduling/ask.html", {"weeks": coming})
    others = weeks_to_swap(week.rotation, at=at)
    form = AskForm(request.POST if request.method == "POST" else None, weeks=others, own=week.engineer)
    status = 200
    if form.is_bound and form.is_valid():
        try:
            swap = request_swap(week.rotation, proposal=form.asked(week.starts_on), by=request.user, at=at)
        except DomainError as refusal:
            status = add_service_error(form, refusal)
            form.ask_to_acknowledge(asked=bool(refusal.details.get("conflicts")))
        else:
            messages.success(request, f"{swap.counterpart or 'Anyone'} is asked.")
            return redirect("swap", pk=swap.pk)
    found = suggestions_for(week.rotation, week=week.starts_on, at=at, limit=SUGGESTED) or []
    people = {user.pk: user for user in all_users()}
    context = {
        "week": week,
        "form": form,
        "offers": presenters.suggestion_cards(found, people=people),
        "mine": week.engineer == request.user,
    }
    return render(request, "scheduling/ask.html", context, status=400 if form.errors and status == 200 else status)


def _week_asked(request: SignedInRequest) -> RotationWeek | None:
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
    return _swap_page(request, _swap(pk), status=200)


def _swap(pk: int) -> SwapRequest:
    return get_object_or_404(all_swaps(), pk=pk)


def _swap_page(
    request: SignedInRequest, found: SwapRequest, *, status: int, refused: DomainError | None = None
) -> HttpResponse:
    reader, at = request.user, timezone.now()
    is_open = found.state == SwapRequest.State.PENDING and found.expires_at > at
    asks_me = is_open and awaits_answer_from(found, person=reader)
    context = {
        "swap": found,
        "moves": reassignment_previews(found, reader=reader),
        "is_open": is_open,
        "asks_me": asks_me,
        "on_behalf": is_open and reader.is_staff and not asks_me,
        "may_cancel": is_open and (reader.is_staff or reader == found.requester),
        "people": [user for user in all_users().active() if awaits_answer_from(found, person=user)]
        if reader.is_staff
        else [],
        "refused": refused,
        "conflicts": bool(refused and refused.details.get("conflicts")),
        "word": request.POST.get("word", ""),
        "history": row_history(found, fields=TRACKED),
    }
    return render(request, "scheduling/swap.html", context, status=status)


@require_POST
def answer_swap(request: SignedInRequest, pk: int, answer: str) -> HttpResponse:
    """Accept, decline or withdraw a swap request."""
    found, form, at = _swap(pk), AnswerForm(request.POST), timezone.now()
    if not form.is_valid():
        return _swap_page(
            request, found, status=400, refused=DomainError("; ".join(str(why) for why in form.errors.values()))
        )
    given = form.cleaned_data
    try:
        if answer == "accept":
            known = given["acknowledge_conflicts"]
            done = accept_swap(found, by=request.user, at=at, engineer=given["engineer"], acknowledge_conflicts=known)
        elif answer == "decline":
            done = decline_swap(found, by=request.user, at=at, engineer=given["engineer"], comment=given["word"])
        else:
            done = cancel_swap(found, by=request.user, at=at)
    except DomainError as refusal:
        status = 403 if isinstance(refusal, NotAllowedError) else 400 if isinstance(refusal, InvalidInputError) else 409
        return _swap_page(request, _swap(pk), status=status, refused=refusal)
    messages.success(request, ANSWERED.get((answer, done.state), "Your answer is kept; the request stays open."))
    return redirect("swap", pk=pk)
