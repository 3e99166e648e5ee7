"""The integration keys of a pipeline: secrets with which tools send events. For admins."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from common.exceptions import DomainError
from common.forms import add_service_error
from incidents.forms import IntegrationKeyForm
from incidents.models import IntegrationKey
from incidents.services.integration_keys import create_integration_key, revoke_integration_key
from notifications.queries.outbox import absolute_url
from people.requests import SignedInRequest
from pipelines.models import Pipeline

NEW_KEY = "new_integration_key"
PAGE_SIZE = 50


@require_http_methods(["GET", "HEAD", "POST"])
def integration_keys(request: SignedInRequest, slug: str) -> HttpResponse:
    """Show a pipeline's integration keys and once the secret of a new one, or create one."""
    _require_admin(request)
    pipeline = get_object_or_404(Pipeline, slug=slug)
    form = IntegrationKeyForm(request.POST if request.method == "POST" else None)
    status = 400 if form.errors else 200
    if form.is_bound and form.is_valid():
        try:
            new = create_integration_key(pipeline, name=form.cleaned_data["name"], by=request.user)
        except DomainError as error:
            status = add_service_error(form, error)
        else:
            # The session is encrypted. The page shows the secret once.
            request.session[NEW_KEY] = {"name": new.key.name, "secret": new.secret, "pipeline": slug}
            return redirect("integration_keys", slug=slug)
    context: dict[str, object] = {
        "pipeline": pipeline,
        "form": form,
        "page": Paginator(pipeline.integration_keys.active(), PAGE_SIZE).get_page(request.GET.get("page")),
        "address": absolute_url(reverse("api-events")),
        "base_address": absolute_url(reverse("api-events")).rstrip("/"),
    }
    if request.method != "POST" and request.session.get(NEW_KEY, {}).get("pipeline") == slug:
        context["new_key"] = request.session.pop(NEW_KEY)
    return render(request, "incidents/integration_keys.html", context, status=status)


@require_POST
def revoke(request: SignedInRequest, slug: str, pk: int) -> HttpResponse:
    """Revoke an integration key."""
    _require_admin(request)
    key = get_object_or_404(IntegrationKey.objects.active(), pk=pk, pipeline__slug=slug)
    revoke_integration_key(key, by=request.user, at=timezone.now())
    messages.success(request, f"Integration key “{key.name}” revoked.")
    return redirect("integration_keys", slug=slug)


def _require_admin(request: SignedInRequest) -> None:
    if not request.user.is_staff:
        raise PermissionDenied("Only an admin can manage integration keys.")
