"""The maintenance windows of a pipeline."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from common.exceptions import DomainError
from common.formatting import format_period
from common.forms import add_service_error
from incidents.forms import MaintenanceForm
from incidents.models import MaintenanceWindow
from incidents.services.maintenance import end_maintenance, schedule_maintenance
from people.models import User
from people.requests import SignedInRequest
from pipelines.models import Pipeline

PAGE_SIZE = 50


@require_http_methods(["GET", "HEAD", "POST"])
def maintenance(request: SignedInRequest, slug: str) -> HttpResponse:
    """Show a pipeline's maintenance windows, newest first, or schedule one."""
    pipeline, at = get_object_or_404(Pipeline, slug=slug), timezone.now()
    form = MaintenanceForm(request.POST if request.method == "POST" else None)
    status = 400 if form.errors else 200
    if form.is_bound and form.is_valid():
        data = {**form.cleaned_data, "starts_at": form.cleaned_data["starts_at"] or at}
        try:
            window = schedule_maintenance(pipeline, by=request.user, at=at, **data)
        except DomainError as error:
            status = add_service_error(form, error)
        else:
            messages.success(request, f"Maintenance scheduled: {_subject(window, request.user)}.")
            return redirect("maintenance", slug=slug)
    rows = MaintenanceWindow.objects.filter(pipeline=pipeline).select_related("created_by")
    page = Paginator(rows.order_by("-starts_at", "-pk"), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {"pipeline": pipeline, "form": form, "page": page, "now": at}
    return render(request, "incidents/maintenance.html", context, status=status)


@require_POST
def end(request: SignedInRequest, slug: str, pk: int) -> HttpResponse:
    """End a maintenance window now, or remove one that has not started."""
    rows = MaintenanceWindow.objects.select_related("pipeline")
    window = get_object_or_404(rows, pk=pk, pipeline__slug=slug)
    try:
        end_maintenance(window, at=timezone.now())
    except DomainError as error:
        messages.error(request, str(error))
    else:
        subject = _subject(window, request.user)
        messages.success(request, f"Maintenance ended: {subject}. Open incidents escalate again.")
    return redirect("maintenance", slug=slug)


def _subject(window: MaintenanceWindow, reader: User) -> str:
    return f"{window.pipeline}, {format_period(window.starts_at, window.ends_at, reader.zone, brief=True)}"
