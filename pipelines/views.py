"""The list of pipelines."""

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from people.queries import user_by_username
from people.requests import SignedInRequest
from pipelines import queries
from pipelines.models import Pipeline

PIPELINES_PER_PAGE = 100


@require_safe
def pipelines(request: SignedInRequest) -> HttpResponse:
    """Show the ownership table, filtered by words and by owner."""
    search = request.GET.get("q", "").strip()
    owner = user_by_username(request.GET.get("owner", ""))
    page = Paginator(queries.ownership(owner=owner, search=search), PIPELINES_PER_PAGE).get_page(
        request.GET.get("page")
    )
    context = {
        "pipelines": page.object_list,
        "page": page,
        "owners": queries.owners(),
        "owner": owner,
        "search": search,
        "has_pipelines": Pipeline.objects.exists(),
    }
    return render(request, "pipelines/pipelines.html", context)
