"""The search page, which is also the content of the command palette."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from common.http import query_param
from oncall_site.search import MAX_QUERY_LENGTH, search
from people.requests import SignedInRequest

MAX_HITS, MAX_PALETTE_HITS = 20, 5


@require_safe
def search_page(request: SignedInRequest) -> HttpResponse:
    """Search the whole site. With `?palette=1`, return only the results, fewer of each kind."""
    words = query_param(request, "q").strip()
    is_palette = "palette" in request.GET
    is_too_long = len(words) > MAX_QUERY_LENGTH
    groups = [] if is_too_long else search(words, limit=MAX_PALETTE_HITS if is_palette else MAX_HITS)
    context = {"words": words, "is_too_long": is_too_long, "groups": groups, "is_palette": is_palette}
    template = "oncall_site/_search_results.html" if is_palette else "oncall_site/search.html"
    return render(request, template, context)
