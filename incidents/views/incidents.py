"""The incident list, the page of one incident, and the forms to declare and edit one."""

import datetime as dt
import re
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
from common.http import query_param
from common.identifiers import ID_PATTERN
from incidents.forms import (
    UNRESOLVED,
    EditForm,
    IncidentFilterForm,
    IncidentForm,
    NoteForm,
    ReassignForm,
    ResolveForm,
    SnoozeForm,
)
from incidents.models import Incident
from incidents.queries import incidents as queries
from incidents.queries.evidence import attach_evidence, evidence_items, run_evidence_items
from incidents.queries.similar import similar_incidents
from incidents.queries.steps import suggested_steps
from incidents.queries.stopwatch import stopwatch
from incidents.services import transitions
from incidents.undo import UndoEdit
from people.requests import SignedInRequest
from people.undo import confirm_with_undo
from runbooks.domain.steps import runbook_steps
from runbooks.models import Runbook
from runbooks.queries import revision_html
from validation.models import Check
from validation.plots import build_heat_map, incident_plot
from validation.queries.evaluation_context import check_granularity
from validation.queries.plot_data import arrivals

PAGE_SIZE = 50
# What the page of one incident shows at most; the rest is on further pages of its timeline and on the list of alerts.
TIMELINE_PAGE_SIZE = 25
DEFAULT_SNOOZE = dt.timedelta(hours=1)
MAX_ALERTS_SHOWN = MAX_FAILURES_SHOWN = MAX_CHILDREN_SHOWN = 20
MAX_ESCALATION_STEPS_SHOWN = 100
PLOT_DAYS = 30
MAX_PAST_RUNS_SHOWN = 5


@require_safe
def incidents(request: SignedInRequest) -> HttpResponse:
    """List incidents, open ones first, filtered by state and pipeline."""
    form, rows = IncidentFilterForm(request.GET), queries.all_incidents()
    filters = form.cleaned_data if form.is_valid() else {}
    if filters.get("pipeline"):
        rows = rows.filter(pipeline=filters["pipeline"])
    if filters.get("state") == UNRESOLVED:
        rows = rows.unresolved()
    elif filters.get("state"):
        rows = rows.filter(state=filters["state"])
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"page": page, "form": form, "filtered": any(filters.values()), "now": timezone.now()}
    return render(request, "incidents/incidents.html", context)


@require_safe
def alerts(request: SignedInRequest) -> HttpResponse:
    """List Alertmanager's alerts, those without a pipeline first; of one incident with `?incident=`."""
    rows = queries.alerts()
    incident = query_param(request, "incident")
    if re.fullmatch(ID_PATTERN, incident):
        rows = rows.filter(incident=int(incident))
    rows = rows.order_by(F("pipeline").asc(nulls_first=True), "-received_at", "-pk")
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "incidents/alerts.html", {"page": page})


@require_http_methods(["GET", "HEAD", "POST"])
def open_incident(request: SignedInRequest) -> HttpResponse:
    """Declare an incident; the responder is notified."""
    initial = {"pipeline": query_param(request, "pipeline"), "kind": Incident.Kind.ISSUE}
    form = IncidentForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        what, pipeline = form.new_incident(), form.cleaned_data["pipeline"]
        opened = transitions.open_incident(pipeline, what=what, by=request.user, at=timezone.now())
        messages.success(request, "Incident declared. The responder is notified.")
        return redirect("incident", pk=opened.pk)
    return render(request, "incidents/open.html", {"form": form}, status=400 if form.errors else 200)


@require_safe
def incident(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show an incident: its state, checklist, escalation and timeline."""
    return render_incident(request, get_incident(pk))


def get_incident(pk: int) -> Incident:
    """Return an incident with its pipeline and people; raise Http404 if there is none."""
    return get_object_or_404(queries.all_incidents(), pk=pk)


def render_incident(
    request: SignedInRequest, incident: Incident, *, status: int = 200, error: DomainError | None = None
) -> HttpResponse:
    """Return an incident's page, with the error of an action if it failed."""
    at, run = timezone.now(), queries.active_run(incident)
    escalation_steps = incident.escalation_steps.select_related("engineer")
    chain = queries.escalation_chain(incident, at=at)
    runbook = Runbook.objects.filter(pipeline=incident.pipeline).first()
    evidence = evidence_items(incident)
    past_runs = list(queries.runbook_runs(incident).exclude(ended_at=None)[:MAX_PAST_RUNS_SHOWN])
    for past in past_runs:
        attach_evidence(past, run_evidence_items(past))
    if incident.is_resolved:
        # The runs show their evidence themselves; nothing runs again.
        in_runs = {row.pk for past in past_runs for row in past.evidence.all()}
        evidence = [item for item in evidence if item.newest.pk not in in_runs]
    check = Check.objects.filter(pk=incident.check_id).select_related("metric").first() if incident.check_id else None
    context: dict[str, Any] = {
        "incident": incident,
        "now": at,
        "chain": chain,
        "escalates_to": queries.next_notified(incident, chain=chain),
        "escalates_in": max(incident.next_escalation_at - at, dt.timedelta()) if incident.next_escalation_at else None,
        "escalation_steps": escalation_steps.order_by("-pk")[:MAX_ESCALATION_STEPS_SHOWN],
        "page": Paginator(queries.timeline(incident), TIMELINE_PAGE_SIZE).get_page(request.GET.get("page")),
        "failures": queries.incident_failures(incident)[:MAX_FAILURES_SHOWN],
        "failure_count": incident.failures.count(),
        "failing_count": incident.failures.filter(recovered_at=None).count(),
        "children": queries.incidents_below(incident)[:MAX_CHILDREN_SHOWN],
        "child_count": incident.children.count(),
        "alerts": incident.alerts.order_by("-is_firing", "-pk")[:MAX_ALERTS_SHOWN],
        "alert_count": incident.alerts.count(),
        "stopwatch": stopwatch(incident) if incident.is_drill else [],
        "run": run,
        "evidence": attach_evidence(run, evidence) if run else evidence,
        "past_runs": past_runs,
        "check": check,
        "plot": incident_plot(check, days=PLOT_DAYS) if check else None,
        "heat_map": build_heat_map(arrivals(check, at=at), step=check_granularity(check).step) if check else None,
        "runbook": runbook,
        "steps": runbook_steps(revision_html(runbook, number=runbook.revision))
        if runbook and not run and not incident.is_resolved
        else (),
        "similar": similar_incidents(incident),
        "suggestions": suggested_steps(runbook) if runbook and not incident.is_resolved else [],
        "note_form": NoteForm(auto_id="note_%s"),
        "reassign_form": ReassignForm(auto_id="reassign_%s", assignee=incident.assignee),
        "snooze_form": SnoozeForm(auto_id="snooze_%s", initial={"until": at + DEFAULT_SNOOZE}),
        "resolve_form": ResolveForm(auto_id="resolve_%s", run=run),
        "error": error,
    }
    return render(request, "incidents/incident.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: SignedInRequest, pk: int) -> HttpResponse:
    """Edit an incident's kind, title and details."""
    incident = get_incident(pk)
    initial = {name: getattr(incident, name) for name in ("kind", "severity", "title", "text")}
    form = EditForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_bound and form.is_valid():
        try:
            fields = {name: value for name, value in form.cleaned_data.items() if value or name == "text"}
            saved = transitions.update_incident(incident, by=request.user, at=timezone.now(), **fields)
        except InvalidInputError as error:
            add_field_errors(form, error)
        else:
            undo = UndoEdit(pk, initial, {name: getattr(saved, name) for name in initial})
            confirm_with_undo(request, "Incident saved.", undo)
            return redirect("incident", pk=pk)
    context = {"incident": incident, "form": form}
    return render(request, "incidents/edit.html", context, status=400 if form.errors else 200)
