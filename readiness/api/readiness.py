"""API for the readiness of a pipeline, for gating jobs."""

import hashlib
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.cache import get_conditional_response
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from common.datetimes import parse_date_param
from pipelines.models import Pipeline
from readiness.domain.verdict import Readiness, Verdict
from readiness.queries.readiness import readiness_by_pipeline

DAY = OpenApiParameter(
    "day",
    OpenApiTypes.DATE,
    description="Business date of the pipeline’s metrics; defaults to the newest day that is due.",
)


class ReadinessSerializer(serializers.Serializer[Any]):
    """Whether the numbers of a pipeline's day can be used, and the reasons."""

    pipeline = serializers.SlugField()
    day = serializers.DateField()
    verdict = serializers.ChoiceField([str(verdict) for verdict in Verdict])
    why = serializers.ListField(child=serializers.CharField())
    until = serializers.DateTimeField(
        allow_null=True, help_text="When the verdict may change without new data; null if only new data changes it."
    )


@extend_schema(
    parameters=[DAY],
    responses={
        200: ReadinessSerializer,
        304: OpenApiResponse(description="Still safe: the `ETag` matches `If-None-Match`."),
        409: OpenApiResponse(ReadinessSerializer, description="Not safe: `not_yet`, `doubtful` or `wrong`."),
    },
    operation_id="pipelines_readiness_retrieve",
)
@api_view(["GET"])
def readiness(request: Request, slug: str) -> Response:
    """Retrieve whether the numbers of a day can be used: 200 if they are safe, else 409. Use `curl --fail` to gate a job."""
    pipeline = get_object_or_404(Pipeline, slug=slug)
    at = timezone.now()
    day = (
        parse_date_param(request.query_params, name="day", default=at.date())
        if request.query_params.get("day")
        else None
    )
    current = readiness_by_pipeline([pipeline], at=at, day=day)[pipeline.pk]
    is_safe = current.verdict is Verdict.SAFE
    response = Response(
        ReadinessSerializer(_fields(pipeline, current)).data,
        status=status.HTTP_200_OK if is_safe else status.HTTP_409_CONFLICT,
    )
    etag = f'"{_digest(pipeline, current)}"'
    response.headers["ETag"] = etag
    response.headers["Cache-Control"] = "private, no-cache"
    # Conditions apply to successful answers only (RFC 9110, section 13.2.1).
    return _conditional(request, etag=etag, response=response) if is_safe else response


def _conditional(request: Request, *, etag: str, response: Response) -> Response:
    conditional: Response = get_conditional_response(request._request, etag=etag, response=response)  # type: ignore[assignment]  # noqa: SLF001  # Django's function needs Django's request
    return conditional


def _fields(pipeline: Pipeline, readiness: Readiness) -> dict[str, object]:
    return {
        "pipeline": pipeline.slug,
        "day": readiness.day,
        "verdict": str(readiness.verdict),
        "why": readiness.why,
        "until": readiness.until,
    }


def _digest(pipeline: Pipeline, readiness: Readiness) -> str:
    return hashlib.sha256(repr(sorted(_fields(pipeline, readiness).items())).encode()).hexdigest()[:32]
