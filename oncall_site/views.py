"""The Now page, which joins every room, and the health calls."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.utils import timezone
from django.views.decorators.http import require_safe

from oncall_site import queries
from pipelines.queries import ownership


@require_safe
def now(request: HttpRequest) -> HttpResponse:
    """Show every pipeline with its owners."""
    return render(request, "oncall_site/now.html", {"pipelines": ownership(), "now": timezone.now()})


@require_safe
@login_not_required
def favicon(request: HttpRequest) -> HttpResponse:
    """Send who asks by the old name on to the icon."""
    return redirect(static("oncall_site/icon.svg"))


@require_safe
@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """Say that this process answers."""
    return JsonResponse({"alive": True})


@require_safe
@login_not_required
def readyz(request: HttpRequest) -> HttpResponse:
    """Say of each part whether it works; 503 where one does not."""
    parts = queries.readiness()
    answer = {part.part: {"well": part.well, "seen": part.seen} for part in parts}
    well = all(part.well for part in parts)
    return JsonResponse({"ready": well, "parts": answer}, status=200 if well else 503)
