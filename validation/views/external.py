"""What other tools say: the list, what belongs to no pipeline yet, and one check's past."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from people.requests import SignedInRequest
from validation.queries import external

ROWS = 100
FINDINGS = 100


@require_safe
def external_checks(request: SignedInRequest) -> HttpResponse:
    """Show what other tools said last, what no rule gives to a pipeline apart."""
    rows = external.external_checks()
    pages = Paginator(rows.filter(pipeline__isnull=False), ROWS)
    unmapped = Paginator(rows.unmapped(), ROWS)
    context = {
        "page": pages.get_page(request.GET.get("page")),
        "unmapped": unmapped.get_page(request.GET.get("unmapped")),
    }
    return render(request, "validation/external_checks.html", context)


@require_safe
def external_check(request: SignedInRequest, pk: int) -> HttpResponse:
    """Show one external check and its newest results."""
    check = get_object_or_404(external.external_checks(), pk=pk)
    context = {"check": check, "findings": check.findings.order_by("-at", "-pk")[:FINDINGS]}
    return render(request, "validation/external_check.html", context)
