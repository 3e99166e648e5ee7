"""Views for evidence on incident and runbook pages: run blocks again, and approve their queries."""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from common.http import redirect_to_part
from incidents.forms import StepForm
from incidents.queries.evidence import evidence_items
from incidents.queries.incidents import active_run
from incidents.services.evidence import approve_block, rerun_evidence, revoke_block
from incidents.services.runbook_runs import save_notes
from incidents.views.incidents import get_incident, render_incident
from people.requests import SignedInRequest
from runbooks.models import Runbook


@require_safe
def evidence(request: SignedInRequest, pk: int, key: str) -> HttpResponse:
    """Return the newest evidence of a block of an incident, as the incident's page shows it; `?step=` for a step of its checklist."""
    incident = get_incident(pk)
    item = next((one for one in evidence_items(incident) if one.newest.key == key), None)
    if item is None:
        return HttpResponse(status=404)
    context = {"incident": incident, "item": item, "is_in_checklist": "step" in request.GET}
    return render(request, "incidents/_evidence.html", context)


@require_POST
def rerun(request: SignedInRequest, pk: int) -> HttpResponse:
    """Run one block again, or all of them, and save the notes typed on the checklist."""
    incident, form = get_incident(pk), StepForm(request.POST)
    key = request.POST.get("key", "")
    try:
        if form.is_valid() and (notes := form.notes(position=0)):
            save_notes(incident, edits=notes)
        count = rerun_evidence(incident, by=request.user, at=timezone.now(), key=key or None)
    except DomainError as error:
        status = 400 if isinstance(error, InvalidInputError) else 409
        return render_incident(request, get_incident(pk), status=status, error=error)
    if count:
        messages.success(request, "Evidence requested. It appears here within seconds.")
    else:
        messages.info(request, "This evidence is already requested.")
    return redirect_to_part("run" if active_run(incident) else "evidence-all", "incident", pk=pk)


@require_POST
def approve(request: SignedInRequest, slug: str, key: str) -> HttpResponse:
    """Approve the query of a block."""

    def service(runbook: Runbook) -> None:
        for_engineers = "rows_for_engineers" in request.POST
        approve_block(runbook, key=key, by=request.user, at=timezone.now(), rows_for_engineers=for_engineers)

    return _decide(request, slug, service, success="Query approved. It runs when an incident opens.")


@require_POST
def revoke(request: SignedInRequest, slug: str, key: str) -> HttpResponse:
    """Revoke the approval of a block's query."""

    def service(runbook: Runbook) -> None:
        revoke_block(runbook, key=key, by=request.user)

    return _decide(request, slug, service, success="Approval revoked. The query will not run.")


def _decide(request: SignedInRequest, slug: str, service: Callable[[Runbook], None], *, success: str) -> HttpResponse:
    runbook = get_object_or_404(Runbook.objects.select_related("pipeline"), pipeline__slug=slug)
    try:
        service(runbook)
    except NotAllowedError as error:
        raise PermissionDenied(str(error)) from error
    except DomainError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, success)
    return redirect("runbook", slug=slug)
