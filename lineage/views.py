"""Pages for owner drift and unmapped dbt nodes."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from common.exceptions import DomainError
from lineage.forms import CODE_OWNER, DriftForm
from lineage.queries import owner_drift, unmapped_nodes
from lineage.services.drift import keep_current_owner, set_owner_from_code
from people.models import User
from people.requests import SignedInRequest
from pipelines.models import Pipeline

NODES_PER_PAGE = 100
DRIFT_PER_PAGE = 50


@require_safe
def drift(request: SignedInRequest) -> HttpResponse:
    """Show the pipelines whose owner in the code is not their primary owner."""
    page = Paginator(owner_drift(), DRIFT_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "lineage/drift.html", {"page": page})


@require_POST
def decide(request: SignedInRequest, slug: str) -> HttpResponse:
    """Change to the owner in the code, or keep the current owners. Admins only."""
    if not request.user.is_staff:
        raise PermissionDenied("Only an admin can change owners.")
    pipeline = get_object_or_404(Pipeline, slug=slug)
    form = DriftForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose one of the owners.")
        return redirect("drift")
    try:
        messages.success(request, _decide(pipeline, form=form, by=request.user))
    except DomainError as error:
        messages.error(request, str(error))
    return redirect("drift")


def _decide(pipeline: Pipeline, *, form: DriftForm, by: User) -> str:
    """Take the chosen side; return the confirmation for the admin."""
    if form.cleaned_data["side"] == CODE_OWNER:
        owner = set_owner_from_code(pipeline, shown=form.shown)
        return f"{owner} is now the primary owner of {pipeline}."
    keep_current_owner(pipeline, by=by, at=timezone.now(), shown=form.shown)
    return f"Owners of {pipeline} unchanged. It will be listed again if the code names another owner."


@require_safe
def unmapped(request: SignedInRequest) -> HttpResponse:
    """List the dbt nodes without a pipeline, with the reason."""
    page = Paginator(unmapped_nodes(), NODES_PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "lineage/unmapped.html", {"page": page})
