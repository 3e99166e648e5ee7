"""The readiness badge of a pipeline."""

import hashlib

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from people.requests import SignedInRequest
from pipelines.models import Pipeline
from readiness.domain.verdict import Readiness
from readiness.presenters import badge_svg
from readiness.queries.readiness import readiness_by_pipeline


@require_safe
def badge(request: SignedInRequest, slug: str) -> HttpResponse:
    """Return the badge of the newest due day as SVG; 304 if it is the one that the browser has."""
    pipeline = get_object_or_404(Pipeline, slug=slug)
    return badge_response(request, readiness_by_pipeline([pipeline], at=timezone.now())[pipeline.pk])


def badge_response(request: HttpRequest, readiness: Readiness) -> HttpResponse:
    """Return a badge, or 304."""
    svg = badge_svg(readiness)
    etag = f'"{hashlib.sha256(svg.encode()).hexdigest()[:32]}"'
    response = HttpResponse(svg, content_type="image/svg+xml")
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = "private, no-cache"
    return get_conditional_response(request, etag=etag, response=response) or response
