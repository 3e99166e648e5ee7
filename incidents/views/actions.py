"""Actions on an incident: each is a POST that returns to the incident's page."""

import re
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from common.formatting import format_instant
from common.forms import form_errors
from common.http import redirect_to_part
from incidents.forms import CommentForm, NoteForm, ReassignForm, ResolveForm, SnoozeForm, StepForm
from incidents.models import Incident
from incidents.queries.evidence import attach_evidence, evidence_items
from incidents.queries.incidents import active_run
from incidents.services import transitions
from incidents.services.runbook_runs import mark_step, save_notes, start_run
from incidents.undo import UndoNote, UndoSnooze
from incidents.views.incidents import get_incident, render_incident
from people.requests import SignedInRequest
from people.undo import Undo, confirm_with_undo

T = TypeVar("T")


def _perform(
    request: SignedInRequest,
    incident: Incident,
    service: Callable[..., T],
    *,
    success: str,
    undo: Callable[[T], Undo] | None = None,
    part: Callable[[T], str] | None = None,
) -> HttpResponse:
    """Call a service and return to the incident's page, or show the page with the service's error.

    `undo` and `part` get what the service returned. They return what the Undo button does, and the ID of the element to show.
    """
    try:
        done = service(incident, by=request.user, at=timezone.now())
    except DomainError as error:
        status = 403 if isinstance(error, NotAllowedError) else 400 if isinstance(error, InvalidInputError) else 409
        return render_incident(request, get_incident(incident.pk), status=status, error=error)
    if undo is None:
        messages.success(request, success)
    else:
        confirm_with_undo(request, success, undo(done))
    return redirect_to_part(part(done), "incident", pk=incident.pk) if part else redirect("incident", pk=incident.pk)


def _invalid(request: SignedInRequest, incident: Incident, form: forms.Form) -> HttpResponse:
    return render_incident(request, incident, status=400, error=form_errors(form))


@require_POST
def acknowledge(request: SignedInRequest, pk: int) -> HttpResponse:
    """Acknowledge an incident."""
    success = "Acknowledged. Escalation stopped."
    return _perform(request, get_incident(pk), transitions.acknowledge, success=success)


@require_POST
def resolve(request: SignedInRequest, pk: int) -> HttpResponse:
    """Resolve an incident."""
    incident = get_incident(pk)
    form = ResolveForm(request.POST, run=active_run(incident))
    if not form.is_valid():
        return _invalid(request, incident, form)
    return _perform(request, incident, partial(transitions.resolve, **form.cleaned_data), success="Incident resolved.")


@require_POST
def reopen(request: SignedInRequest, pk: int) -> HttpResponse:
    """Reopen an incident."""
    incident, form = get_incident(pk), CommentForm(request.POST)
    if not form.is_valid():
        return _invalid(request, incident, form)
    success = "Incident reopened. The responder is notified."
    return _perform(request, incident, partial(transitions.reopen, **form.cleaned_data), success=success)


@require_POST
def reassign(request: SignedInRequest, pk: int) -> HttpResponse:
    """Assign an incident to another engineer."""
    incident, form = get_incident(pk), ReassignForm(request.POST)
    if not form.is_valid():
        return _invalid(request, incident, form)
    engineer, text = form.cleaned_data["engineer"], form.cleaned_data["text"]
    service = partial(transitions.reassign, to=engineer, text=text)
    return _perform(request, incident, service, success=f"Reassigned to {engineer}.")


@require_POST
def snooze(request: SignedInRequest, pk: int) -> HttpResponse:
    """Snooze an incident."""
    incident, form = get_incident(pk), SnoozeForm(request.POST)
    if not form.is_valid():
        return _invalid(request, incident, form)
    before, saved = transitions.Snooze(incident.snoozed_until, incident.next_escalation_at), form.cleaned_data["until"]
    until = format_instant(saved, request.user.zone, brief=True)
    success = f"Incident snoozed until {until}. Escalation starts again then."
    return _perform(
        request,
        incident,
        partial(transitions.snooze, **form.cleaned_data),
        success=success,
        undo=lambda _: UndoSnooze(pk, before, saved),
    )


@require_POST
def note(request: SignedInRequest, pk: int) -> HttpResponse:
    """Add a note to an incident's timeline."""
    incident, form = get_incident(pk), NoteForm(request.POST)
    if not form.is_valid():
        return _invalid(request, incident, form)
    service = partial(transitions.add_note, **form.cleaned_data)
    return _perform(
        request,
        incident,
        service,
        success="Note added.",
        undo=lambda entry: UndoNote(pk, entry.pk),
        part=lambda entry: f"entry-{entry.pk}",
    )


@require_POST
def run(request: SignedInRequest, pk: int) -> HttpResponse:
    """Start the runbook on an incident.

    The field `acknowledge` also acknowledges the incident. `first_step_done` has a revision, whose first step is marked as done.
    """
    service = transitions.acknowledge_and_run if "acknowledge" in request.POST else start_run
    success = "Acknowledged. Checklist started." if "acknowledge" in request.POST else "Checklist started."
    if re.fullmatch("[0-9]{1,9}", revision := request.POST.get("first_step_done", ""), re.ASCII):
        service = partial(service, first_step_done_in=int(revision))
    return _perform(request, get_incident(pk), service, success=success, part=lambda _: "run")


@require_POST
def step(request: SignedInRequest, pk: int, number: int) -> HttpResponse:
    """Save the notes typed on the checklist, and mark a step as done or not done; htmx gets only the checklist."""
    incident, form = get_incident(pk), StepForm(request.POST)
    if not form.is_valid():
        return _invalid(request, incident, form)
    try:
        save_notes(incident, edits=form.notes(position=number))
        mark_step(incident, position=number, by=request.user, at=timezone.now(), done=form.cleaned_data["done"])
    except DomainError as error:
        if request.htmx:
            return _checklist(request, incident, error=error)
        status = 400 if isinstance(error, InvalidInputError) else 409
        return render_incident(request, get_incident(pk), status=status, error=error)
    return _checklist(request, incident) if request.htmx else redirect_to_part(f"step-{number}", "incident", pk=pk)


def _checklist(request: SignedInRequest, incident: Incident, *, error: DomainError | None = None) -> HttpResponse:
    run = active_run(incident)
    if run is not None:
        attach_evidence(run, evidence_items(incident))
    context = {
        "incident": incident,
        "run": run,
        "step_error": error,
        "resolve_form": ResolveForm(auto_id="resolve_%s", run=run),
    }
    return render(request, "incidents/_checklist_answer.html", context)
