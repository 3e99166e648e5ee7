"""The list of incidents, one incident, and opening one."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import F
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from common.exceptions import DomainError, InvalidInputError
from common.forms import add_field_errors
from incidents.forms import UNRESOLVED, ChangeForm, FilterForm, IncidentForm, NoteForm, ReassignForm, ResolveForm
from incidents.models import Incident
from incidents.queries.chains import chain_of
from incidents.queries.incidents import alerts as alert_rows
from incidents.queries.incidents import all_incidents, runs_of, timeline_of
from incidents.services.opening import open_incident as create_incident
from incidents.services.transitions import update_incident
from people.requests import SignedInRequest
from runbooks.models import Runbook
from validation.models import Check

A_PAGE = 50


@require_safe
def incidents(request: SignedInRequest) -> HttpResponse:
    """List incidents, those that nobody has acknowledged first; narrowed by state and pipeline."""
    form, rows = FilterForm(request.GET), all_incidents()
    given = form.cleaned_data if form.is_valid() else {}
    if given.get("pipeline"):
        rows = rows.filter(pipeline=given["pipeline"])
    if given.get("state") == UNRESOLVED:
        rows = rows.unresolved()
    elif given.get("state"):
        rows = rows.filter(state=given["state"])
    page = Paginator(rows, A_PAGE).get_page(request.GET.get("page"))
    narrowed = bool(given.get("pipeline") or given.get("state"))
    context = {"page": page, "form": form, "narrowed": narrowed, "now": timezone.now()}
    return render(request, "incidents/incidents.html", context)


@require_safe
def alerts(request: SignedInRequest) -> HttpResponse:
    """List the alerts that Alertmanager sent, those that belong to no pipeline first."""
    page = Paginator(alert_rows().order_by(F("pipeline").asc(nulls_first=True), "-received_at", "-pk"), A_PAGE)
    return render(request, "incidents/alerts.html", {"page": page.get_page(request.GET.get("page"))})


@require_http_methods(["GET", "HEAD", "POST"])
def open_incident(request: SignedInRequest) -> HttpResponse:
    """Open an incident; the responder is told at once."""
    first = {"pipeline": request.GET.get("pipeline", "").replace("\0", ""), "kind": Incident.Kind.ISSUE}
    form = IncidentForm(request.POST if request.method == "POST" else None, initial=first)
    if form.is_bound and form.is_valid():
        made = create_incident(form.cleaned_data["pipeline"], what=form.opening(), by=request.user, at=timezone.now())
        messages.success(request, "The incident is open; the responder is told.")
        return redirect("incident", pk=made.pk)
    return render(request, "incidents/open.html", {"form": form}, status=400 if form.errors else 200)


@require_safe
def incident(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show an incident: what is wrong, who was told, the runbook's checklist, the timeline."""
    return incident_page(request, incident_named(pk))


def incident_named(pk: int) -> Incident:
    """Return an incident with its pipeline and people; raise Http404 where there is none."""
    return get_object_or_404(all_incidents(), pk=pk)


def incident_page(
    request: SignedInRequest, found: Incident, *, status: int = 200, refused: DomainError | None = None
) -> HttpResponse:
    """Return an incident's page, with why something was refused, if it was."""
    at, runs = timezone.now(), list(runs_of(found))
    run = next((one for one in runs if one.ended_at is None), None)
    context: dict[str, Any] = {
        "incident": found,
        "now": at,
        "chain": chain_of(found, at=at),
        "told": found.tellings.select_related("engineer").order_by("-round", "at", "pk"),
        "timeline": timeline_of(found),
        "run": run,
        "past_runs": [one for one in runs if one is not run],
        "check": Check.objects.filter(pk=found.check_key).first() if found.check_key else None,
        "runbook": Runbook.objects.filter(pipeline=found.pipeline).first(),
        "note_form": NoteForm(auto_id="note_%s"),
        "hand_over_form": ReassignForm(auto_id="hand_over_%s", holder=found.assignee),
        "resolve_form": ResolveForm(auto_id="resolve_%s", run=run),
        "refused": refused,
    }
    return render(request, "incidents/incident.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def change(request: SignedInRequest, pk: int) -> HttpResponse:
    """Correct what an incident is said to be."""
    found = incident_named(pk)
    first = {"kind": found.kind, "title": found.title, "text": found.text}
    form = ChangeForm(request.POST if request.method == "POST" else None, initial=first)
    if form.is_bound and form.is_valid():
        try:
            update_incident(found, by=request.user, at=timezone.now(), **form.cleaned_data)
        except InvalidInputError as invalid:
            add_field_errors(form, invalid)
        else:
            return redirect("incident", pk=pk)
    return render(
        request, "incidents/change.html", {"incident": found, "form": form}, status=400 if form.errors else 200
    )
