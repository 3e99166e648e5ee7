"""Pages for hand-offs: the list, and a sheet with its notes, meeting time and signatures."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.exceptions import DomainError, NotAllowedError
from common.forms import add_service_error
from handoffs.forms import ItemForm, MeetingForm, NotesForm
from handoffs.models import Handoff
from handoffs.queries.action_items import open_items
from handoffs.queries.handoffs import all_handoffs, away_at, away_by_handoff, overdue_handoffs
from handoffs.queries.sheets import handoff_sheets
from handoffs.services.meetings import move_meeting
from handoffs.services.sheets import SheetChange, change_sheet, sign_handoff
from people.requests import SignedInRequest
from pipelines.queries import row_history

TRACKED = ("at", "outgoing", "incoming", "meeting_starts_at", "meeting_ends_at", "cancelled_at", "signed_outgoing_at", "signed_incoming_at")  # fmt: skip
UPCOMING_SHOWN, PAST_SHOWN = 12, 12


@require_safe
def handoffs(request: SignedInRequest) -> HttpResponse:
    """Show upcoming, unsigned and recent hand-offs, and open action items."""
    at = timezone.now()
    rows = all_handoffs()
    upcoming = list(rows.filter(at__gt=at)[:UPCOMING_SHOWN])
    context = {
        "now": at,
        "upcoming": [(row, away) for row, away in zip(upcoming, away_by_handoff(upcoming), strict=True)],
        "overdue": overdue_handoffs(at=at),
        "past": list(rows.filter(at__lte=at).order_by("-at")[:PAST_SHOWN]),
        "items": list(open_items()),
        "item_form": ItemForm(),
    }
    return render(request, "handoffs/handoffs.html", context)


def _handoff(pk: int) -> Handoff:
    return get_object_or_404(Handoff.objects.with_people(), pk=pk)


def _notes_form(request: SignedInRequest, row: Handoff) -> NotesForm:
    return NotesForm(request.POST, topics=handoff_sheets([row], at=timezone.now())[row.pk])


@require_http_methods(["GET", "HEAD", "POST"])
def handoff(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show a hand-off's sheet, or save its notes."""
    row = _handoff(pk)
    if request.method != "POST":
        return _sheet(request, row)
    form = _notes_form(request, row)
    if not form.is_valid():
        return _sheet(request, row, status=400, notes_form=form)
    try:
        change_sheet(row, change=SheetChange(notes=form.notes()), by=request.user, at=timezone.now())
    except DomainError as error:
        return _sheet(request, _handoff(pk), status=add_service_error(form, error), notes_form=form)
    messages.success(request, "Notes saved.")
    return redirect("handoff", pk=pk)


@require_POST
def move(request: SignedInRequest, pk: int) -> HttpResponse:
    """Move the meeting."""
    row = _handoff(pk)
    form = MeetingForm(request.POST)
    if not form.is_valid():
        return _sheet(request, row, status=400, meeting_form=form)
    fields = form.cleaned_data
    try:
        move_meeting(
            row,
            by=request.user,
            at=timezone.now(),
            starts_at=fields["meeting_starts_at"],
            ends_at=fields["meeting_ends_at"],
        )
    except DomainError as error:
        return _sheet(request, _handoff(pk), status=add_service_error(form, error), meeting_form=form)
    messages.success(request, "Meeting rescheduled. Both engineers were notified.")
    return redirect("handoff", pk=pk)


@require_POST
def sign(request: SignedInRequest, pk: int) -> HttpResponse:
    """Sign a hand-off and save the notes submitted with it."""
    row, at = _handoff(pk), timezone.now()
    # Notes are optional: a request without any leaves them unchanged.
    form = _notes_form(request, row) if "notes_0" in request.POST else None
    if form is not None and not form.is_valid():
        return _sheet(request, row, status=400, notes_form=form)
    try:
        signed = sign_handoff(row, by=request.user, at=at, notes=form.notes() if form is not None else None)
    except NotAllowedError as error:
        raise PermissionDenied(str(error)) from error
    except DomainError as error:
        if form is None:
            return _sheet(request, _handoff(pk), status=409, error=error)
        return _sheet(request, _handoff(pk), status=add_service_error(form, error), notes_form=form)
    messages.success(request, "Hand-off complete. The notes are now locked." if signed.is_signed else "Signed.")
    return redirect("handoff", pk=pk)


def _sheet(
    request: SignedInRequest,
    row: Handoff,
    *,
    status: int = 200,
    notes_form: NotesForm | None = None,
    meeting_form: MeetingForm | None = None,
    error: DomainError | None = None,
) -> HttpResponse:
    at, reader = timezone.now(), request.user
    topics = handoff_sheets([row], at=at)[row.pk]
    is_open = row.cancelled_at is None and not row.is_signed
    notes_form = notes_form or NotesForm(topics=topics)
    times = {"meeting_starts_at": row.meeting_starts_at, "meeting_ends_at": row.meeting_ends_at}
    signed = {row.outgoing_id: row.signed_outgoing_at, row.incoming_id: row.signed_incoming_at}
    context = {
        "handoff": row,
        "now": at,
        "is_open": is_open,
        # The topics may have changed since the form was created.
        "topics": list(zip(topics, notes_form, strict=False)),
        "notes_form": notes_form,
        "meeting_form": meeting_form or MeetingForm(initial=times),
        "may_move": is_open and (reader in row.people or reader.is_staff),
        "may_sign": row.cancelled_at is None and reader in row.people and signed[reader.pk] is None,
        "away": away_at([row]) if is_open else [],
        "item_form": ItemForm(initial={"rotation": row.rotation.slug}),
        "items": list(open_items([row.rotation_id])),
        "history": row_history(row, fields=TRACKED),
        "error": error,
    }
    return render(request, "handoffs/handoff.html", context, status=status)
