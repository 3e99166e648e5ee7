"""The list of drills, and the button that starts one."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from common.exceptions import DomainError
from incidents.queries.drills import all_drills, weekly_drills
from incidents.services.drills import start_drill
from people.requests import SignedInRequest
from pipelines.models import Pipeline

PAGE_SIZE = 50


@require_safe
def drills(request: SignedInRequest) -> HttpResponse:
    """List drills with their results, newest first, and the rotations that have a weekly drill."""
    page = Paginator(all_drills(), PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "incidents/drills.html", {"page": page, "weekly": weekly_drills()})


@require_POST
def start(request: SignedInRequest, slug: str) -> HttpResponse:
    """Start a drill for a pipeline."""
    pipeline = get_object_or_404(Pipeline, slug=slug)
    try:
        incident = start_drill(pipeline, by=request.user, at=timezone.now())
    except DomainError as error:
        messages.error(request, str(error))
        return redirect("pipeline", slug=slug)
    messages.success(request, "Drill started. The responder is notified as for a real incident.")
    return redirect("incident", pk=incident.pk)
