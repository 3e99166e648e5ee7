"""The ownership table."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from people.queries import person_named
from people.requests import SignedInRequest
from pipelines import queries
from pipelines.models import Pipeline


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
