"""Views for the results of other tools."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from people.requests import SignedInRequest
from validation.queries import external

CHECKS_PER_PAGE = 100
RESULTS_PER_CHECK = 100


@require_safe
def external_checks(request: SignedInRequest) -> HttpResponse:
    """List external checks, those without a pipeline first."""
    rows = external.external_checks()
    mapped = Paginator(rows.filter(pipeline__isnull=False), CHECKS_PER_PAGE)
    unmapped = Paginator(rows.unmapped(), CHECKS_PER_PAGE)
    context = {
        "page": mapped.get_page(request.GET.get("page")),
        "unmapped": unmapped.get_page(request.GET.get("unmapped")),
    }
    return render(request, "validation/external_checks.html", context)


@require_safe
def external_check(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show an external check with its newest results."""
    check = get_object_or_404(external.external_checks(), pk=pk)
    context = {"check": check, "findings": check.findings.order_by("-at", "-pk")[:RESULTS_PER_CHECK]}
    return render(request, "validation/external_check.html", context)
