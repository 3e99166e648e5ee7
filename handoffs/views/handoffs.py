"""Pages for hand-offs: the list, and a sheet with its notes, meeting time and signatures."""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from common.exceptions import DomainError, NotAllowedError
from common.formatting import format_period
from common.forms import add_service_error
from common.http import next_path
from handoffs.forms import ItemForm, MeetingForm, NotesForm
from handoffs.models import SIGNING_LEAD_TIME, Handoff
from handoffs.queries.action_items import open_items
from handoffs.queries.handoffs import all_handoffs, away_at, away_by_handoff, overdue_handoffs
from handoffs.queries.sheet_items import MAX_SHEET_ITEMS
from handoffs.queries.sheets import handoff_sheets
from handoffs.services.action_items import add_item
from handoffs.services.meetings import move_meeting
from handoffs.services.sheets import (
    NoteConflictError,
    SheetChange,
    change_sheet,
    close_handoff,
    may_close,
    sign_handoff,
    withdraw_signature,
)
from handoffs.undo import EarlierNote, UndoAddItem, UndoMoveMeeting, UndoNotes, UndoSign
from people.requests import SignedInRequest
from people.undo import confirm_with_undo
from pipelines.queries import row_history

TRACKED_FIELDS = ("at", "outgoing", "incoming", "meeting_starts_at", "meeting_ends_at", "cancelled_at", "signed_outgoing_at", "signed_incoming_at", "closed_at")  # fmt: skip
UPCOMING_SHOWN, PAST_SHOWN = 12, 12


@require_safe
def handoffs(request: SignedInRequest) -> HttpResponse:
    """Show upcoming, unsigned and recent hand-offs, and open action items."""
    at = timezone.now()
    rows = all_handoffs()
    page = Paginator(open_items(), MAX_SHEET_ITEMS).get_page(request.GET.get("page"))
    upcoming = list(rows.filter(at__gt=at)[:UPCOMING_SHOWN])
    context = {
        "now": at,
        "upcoming": [(row, away) for row, away in zip(upcoming, away_by_handoff(upcoming), strict=True)],
        "overdue": overdue_handoffs(at=at),
        "past": list(rows.filter(at__lte=at).order_by("-at")[:PAST_SHOWN]),
        "page": page,
        "items": page.object_list,
        "item_count": page.paginator.count,
        "item_form": ItemForm(),
    }
    return render(request, "handoffs/handoffs.html", context)


def _handoff(pk: int) -> Handoff:
    return get_object_or_404(Handoff.objects.with_people(), pk=pk)


def _notes_form(request: SignedInRequest, row: Handoff) -> NotesForm | None:
    """Return the notes submitted with an action: those of the sheet, or one note from Now. Return None if there are none."""
    note = request.POST.get("note", "").strip()
    if not note and "notes_0" not in request.POST:
        return None
    topics = handoff_sheets([row], at=timezone.now())[row.pk]
    return NotesForm.with_note(note, topics=topics) if note else NotesForm(request.POST, topics=topics)


def save_typed_notes(request: SignedInRequest, pk: int) -> HttpResponse | None:
    """Save the notes that were sent along with another action. Return the sheet with the problem, or None if all is saved."""
    row = _handoff(pk)
    return None if row.is_locked else _save_notes(request, row)


def _save_notes(request: SignedInRequest, row: Handoff) -> HttpResponse | None:
    """Save the typed notes. Return the sheet with the problem, or None if all is saved."""
    form = _notes_form(request, row)
    if form is None:
        return None
    if not form.is_valid():
        return _sheet(request, row, status=400, notes_form=form)
    try:
        change_sheet(row, change=SheetChange(notes=form.notes()), by=request.user, at=timezone.now())
    except DomainError as error:
        return _error_page(request, row, form=form, error=error)
    return None


def add_typed_item(request: SignedInRequest) -> None:
    """Add the action item that was typed on a sheet when another of its buttons was pressed."""
    if not request.POST.get("text", "").strip():
        return
    form = ItemForm(request.POST)
    if form.is_valid():
        fields = form.cleaned_data
        item = add_item(
            fields["rotation"], text=fields["text"], by=request.user, at=timezone.now(), pipeline=fields["pipeline"]
        )
        confirm_with_undo(request, "Action item added.", UndoAddItem(item.pk, item.text))
    else:
        messages.error(request, "Action item not added: use at most 500 characters.")


@require_http_methods(["GET", "HEAD", "POST"])
def handoff(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show a hand-off's sheet, or save its notes."""
    row = _handoff(pk)
    if request.method != "POST":
        return _sheet(request, row)
    before = {topic.title: topic for topic in handoff_sheets([row], at=timezone.now())[row.pk]}
    if problem := _save_notes(request, row):
        return problem
    saved = handoff_sheets([row], at=timezone.now())[row.pk]
    changed = [topic for topic in saved if topic.version != before[topic.title].version]
    earlier = tuple(EarlierNote(topic.title, before[topic.title].notes, topic.version) for topic in changed)
    if earlier:
        confirm_with_undo(request, "Notes saved.", UndoNotes(row.pk, earlier))
    else:
        messages.success(request, "Notes saved.")
    add_typed_item(request)
    return redirect("handoff", pk=pk)


@require_POST
def move(request: SignedInRequest, pk: int) -> HttpResponse:
    """Move the meeting."""
    row = _handoff(pk)
    form = MeetingForm(request.POST)
    if not form.is_valid():
        return _sheet(request, row, status=400, meeting_form=form)
    starts_at, ends_at = form.cleaned_data["meeting_starts_at"], form.cleaned_data["meeting_ends_at"]
    try:
        moved = move_meeting(row, by=request.user, at=timezone.now(), starts_at=starts_at, ends_at=ends_at)
    except DomainError as error:
        return _sheet(request, _handoff(pk), status=add_service_error(form, error), meeting_form=form)
    undo = UndoMoveMeeting(
        pk, (row.meeting_starts_at, row.meeting_ends_at), (moved.meeting_starts_at, moved.meeting_ends_at)
    )
    period = format_period(moved.meeting_starts_at, moved.meeting_ends_at, request.user.zone, brief=True)
    confirm_with_undo(request, f"Meeting rescheduled: {period}. Both engineers were notified.", undo)
    return redirect("handoff", pk=pk)


@require_POST
def sign(request: SignedInRequest, pk: int) -> HttpResponse:
    """Sign a hand-off and save the notes submitted with it."""
    row, at = _handoff(pk), timezone.now()
    # Notes are optional: a request without any leaves them unchanged.
    form = _notes_form(request, row)
    if form is not None and not form.is_valid():
        return _sheet(request, row, status=400, notes_form=form)
    notes, confirm_early = form.notes() if form is not None else None, "confirm_early" in request.POST
    try:
        signed = sign_handoff(row, by=request.user, at=at, notes=notes, confirm_early=confirm_early)
    except NotAllowedError as error:
        raise PermissionDenied(str(error)) from error
    except DomainError as error:
        return _error_page(request, row, form=form, error=error)
    add_typed_item(request)
    if signed.is_signed:
        messages.success(request, "Hand-off complete. The notes are now locked.")
    else:
        confirm_with_undo(request, "Signed.", UndoSign(pk))
    return redirect(next_path(request, reverse("handoff", args=[pk])))


@require_POST
def unsign(request: SignedInRequest, pk: int) -> HttpResponse:
    """Withdraw the reader's signature."""
    return _run_service(request, pk, lambda row: withdraw_signature(row, by=request.user), done="Signature withdrawn.")


@require_POST
def close(request: SignedInRequest, pk: int) -> HttpResponse:
    """Close a hand-off that somebody who left can no longer sign."""
    now = timezone.now()
    return _run_service(request, pk, lambda row: close_handoff(row, by=request.user, at=now), done="Hand-off closed.")


def _run_service(
    request: SignedInRequest, pk: int, service: Callable[[Handoff], Handoff], *, done: str
) -> HttpResponse:
    try:
        service(_handoff(pk))
    except NotAllowedError as error:
        raise PermissionDenied(str(error)) from error
    except DomainError as error:
        return _sheet(request, _handoff(pk), status=409, error=error)
    messages.success(request, done)
    return redirect("handoff", pk=pk)


def _error_page(request: SignedInRequest, row: Handoff, *, form: NotesForm | None, error: DomainError) -> HttpResponse:
    """Return the sheet with the error and everything that was typed."""
    current = _handoff(row.pk)
    if error.details.get("confirm") == "confirm_early":
        return _sheet(request, current, status=409, notes_form=form, asked=str(error))
    if form is None:
        return _sheet(request, current, status=409, error=error)
    if isinstance(error, NoteConflictError):
        return _sheet(request, current, status=409, notes_form=form.merged(), error=error)
    return _sheet(request, current, status=add_service_error(form, error), notes_form=form)


def _sheet(
    request: SignedInRequest,
    row: Handoff,
    *,
    status: int = 200,
    notes_form: NotesForm | None = None,
    meeting_form: MeetingForm | None = None,
    error: DomainError | None = None,
    asked: str = "",
) -> HttpResponse:
    at, reader = timezone.now(), request.user
    topics = handoff_sheets([row], at=at)[row.pk]
    is_open = not row.is_locked
    notes_form = notes_form or NotesForm(topics=topics)
    times = {"meeting_starts_at": row.meeting_starts_at, "meeting_ends_at": row.meeting_ends_at}
    signed = {row.outgoing_id: row.signed_outgoing_at, row.incoming_id: row.signed_incoming_at}
    context = {
        "handoff": row,
        "now": at,
        "is_open": is_open,
        "topics": list(notes_form.rows()),
        "conflicts": error.conflicts if isinstance(error, NoteConflictError) else (),
        "notes_form": notes_form,
        # A closed sheet has no fields: what was typed before it closed is shown to be copied.
        "unsaved": [] if is_open else notes_form.unsaved(),
        "meeting_form": meeting_form or MeetingForm(initial=times),
        "may_move": is_open and (reader in row.people or reader.is_staff),
        "may_sign": is_open and reader in row.people and signed[reader.pk] is None,
        "signing_opens_at": row.at - SIGNING_LEAD_TIME,
        "is_signing_open": at >= row.at - SIGNING_LEAD_TIME,
        "needs_confirmation": at < min(row.meeting_starts_at, row.at),
        "may_unsign": is_open and reader in row.people and signed[reader.pk] is not None,
        "may_close": is_open and row.at <= at and row.has_lost_engineer and may_close(row, reader, at=at),
        "away": away_at([row]) if is_open else [],
        "item_form": ItemForm(initial={"rotation": row.rotation.slug}),
        "items": list(open_items([row.rotation_id])[:MAX_SHEET_ITEMS]),
        "item_count": open_items([row.rotation_id]).count() if is_open else 0,
        "history": row_history(row, fields=TRACKED_FIELDS),
        "error": error,
        "asked": asked,
    }
    return render(request, "handoffs/handoff.html", context, status=status)
