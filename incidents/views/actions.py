"""What a person does to an incident: each a POST that answers with the incident's page."""

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from common.forms import form_errors
from incidents.forms import CommentForm, NoteForm, ReassignForm, ResolveForm, StepForm
from incidents.models import Incident
from incidents.queries.incidents import running
from incidents.services import transitions
from incidents.services.runbook_runs import mark_step, start_run
from incidents.views.incidents import incident_named, incident_page
from people.requests import SignedInRequest


def _done(request: SignedInRequest, found: Incident, do: Callable[[], object], *, said: str) -> HttpResponse:
    """Do it and go back to the incident's page, or show why it is refused."""
    try:
        do()
    except DomainError as refusal:
        status = 403 if isinstance(refusal, NotAllowedError) else 400 if isinstance(refusal, InvalidInputError) else 409
        return incident_page(request, incident_named(found.pk), status=status, refused=refusal)
    messages.success(request, said)
    return redirect("incident", pk=found.pk)


def _wrong(request: SignedInRequest, found: Incident, form: forms.Form) -> HttpResponse:
    return incident_page(request, found, status=400, refused=form_errors(form))


@require_POST
def acknowledge(request: SignedInRequest, pk: int) -> HttpResponse:
    """Take an incident."""
    found = incident_named(pk)
    at = timezone.now()
    return _done(
        request,
        found,
        lambda: transitions.acknowledge(found, by=request.user, at=at),
        said="You have it. Nobody else is told.",
    )


@require_POST
def resolve(request: SignedInRequest, pk: int) -> HttpResponse:
    """Close an incident."""
    found, at = incident_named(pk), timezone.now()
    form = ResolveForm(request.POST, run=running(found))
    if not form.is_valid():
        return _wrong(request, found, form)
    given = form.cleaned_data
    return _done(
        request,
        found,
        lambda: transitions.resolve(
            found, by=request.user, at=at, text=given["text"], ended_by_step=given.get("ended_by_step")
        ),
        said="The incident is resolved.",
    )


@require_POST
def reopen(request: SignedInRequest, pk: int) -> HttpResponse:
    """Open an incident again."""
    found, at, form = incident_named(pk), timezone.now(), CommentForm(request.POST)
    if not form.is_valid():
        return _wrong(request, found, form)
    return _done(
        request,
        found,
        lambda: transitions.reopen(found, by=request.user, at=at, text=form.cleaned_data["text"]),
        said="The incident is open again; the responder is told.",
    )


@require_POST
def hand_over(request: SignedInRequest, pk: int) -> HttpResponse:
    """Give an incident to another engineer."""
    found, at = incident_named(pk), timezone.now()
    form = ReassignForm(request.POST)
    if not form.is_valid():
        return _wrong(request, found, form)
    to, text = form.cleaned_data["engineer"], form.cleaned_data["text"]
    return _done(
        request,
        found,
        lambda: transitions.reassign(found, to=to, by=request.user, at=at, text=text),
        said=f"{to} has it now.",
    )


@require_POST
def note(request: SignedInRequest, pk: int) -> HttpResponse:
    """Write a note on an incident's timeline."""
    found, at, form = incident_named(pk), timezone.now(), NoteForm(request.POST)
    if not form.is_valid():
        return _wrong(request, found, form)
    text = form.cleaned_data["text"]
    return _done(
        request, found, lambda: transitions.add_note(found, text=text, by=request.user, at=at), said="Note added."
    )


@require_POST
def run(request: SignedInRequest, pk: int) -> HttpResponse:
    """Start the runbook against an incident."""
    found, at = incident_named(pk), timezone.now()
    return _done(
        request,
        found,
        lambda: start_run(found, by=request.user, at=at),
        said="The runbook’s steps are below: tick each as you do it.",
    )


@require_POST
def step(request: SignedInRequest, pk: int, number: int) -> HttpResponse:
    """Tick a step, untick it, or keep its note; htmx gets the checklist alone."""
    found, at, form = incident_named(pk), timezone.now(), StepForm(request.POST)
    if not form.is_valid():
        return _wrong(request, found, form)
    given = {
        "done": form.cleaned_data["done"],
        "note": form.cleaned_data["note"] if "note" in request.POST else None,
    }
    try:
        mark_step(found, position=number, by=request.user, at=at, **given)
    except DomainError as refusal:
        if request.htmx:
            return _checklist(request, found, refused=refusal)
        status = 400 if isinstance(refusal, InvalidInputError) else 409
        return incident_page(request, incident_named(pk), status=status, refused=refusal)
    return _checklist(request, found) if request.htmx else redirect("incident", pk=pk)


def _checklist(request: SignedInRequest, found: Incident, *, refused: DomainError | None = None) -> HttpResponse:
    run = running(found)
    context = {"incident": found, "run": run, "step_refused": refused}
    return render(request, "incidents/_checklist.html", context)
