"""The ownership table and the page of one pipeline."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from people.queries import person_named
from people.requests import SignedInRequest
from pipelines import queries
from pipelines.models import Pipeline

TRACKED = ("name", "audience", "primary_owner", "secondary_owner", "escalation_minutes")


@require_safe
def pipelines(request: SignedInRequest) -> HttpResponse:
    """Show the ownership table, narrowed by words and by owner."""
    words = request.GET.get("q", "").strip()
    owner = person_named(request.GET.get("owner", ""))
    context = {
        "pipelines": queries.ownership(owner=owner, words=words),
        "owners": queries.owners(),
        "owner": owner,
        "words": words,
        "any": Pipeline.objects.exists(),
    }
    return render(request, "pipelines/pipelines.html", context)


@require_safe
def pipeline(request: SignedInRequest, slug: str) -> HttpResponse:
    """Show one pipeline: who owns it, its runbook, its history."""
    found = get_object_or_404(Pipeline.objects.all().with_owners(), slug=slug)
    context = {"pipeline": found, "history": queries.history_of(found, fields=TRACKED)}
    return render(request, "pipelines/pipeline.html", context)
