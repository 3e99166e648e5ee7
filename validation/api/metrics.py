"""The API's calls about metrics and their points."""

from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import api_view
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.pagination import DefaultPagination
from common.datetimes import isoformat_z, parse_instant_param
from common.exceptions import InvalidInputError
from people.permissions import request_user
from pipelines.serializers import PipelineField
from validation.models import DataSource, Metric, MetricPoint
from validation.queries.checks import find_metric, metric_points, metrics
from validation.services.metrics import save_metric
from validation.services.points import push_points, read_points

FROM = OpenApiParameter("from", OpenApiTypes.DATETIME, description="Days or hours from this instant on.")
TO = OpenApiParameter("to", OpenApiTypes.DATETIME, description="Days or hours until this instant.")


class MetricSerializer(serializers.ModelSerializer[Metric]):
    """A metric of a pipeline; its SELECT and source where it is pulled."""

    pipeline = PipelineField()
    source = serializers.SlugRelatedField(  # type: ignore[assignment]  # a field of that name
        slug_field="name", queryset=DataSource.objects.defer("address"), required=False, allow_null=True
    )

    class Meta:
        model = Metric
        fields = ("pipeline", "slug", "name", "unit", "kind", "grain", "time_zone", "source", "query", "pulled_at")
        read_only_fields = ("pulled_at",)
        # The command says so, in words.
        validators: list[Any] = []


class PointSerializer(serializers.ModelSerializer[MetricPoint]):
    """A value of a day or hour and a segment."""

    at = serializers.SerializerMethodField()

    class Meta:
        model = MetricPoint
        fields = ("at", "value", "segment", "observed_at")

    def get_at(self, point: MetricPoint) -> str:
        """Return the date of a daily metric’s value, the instant of an hourly one’s."""
        if self.context["daily"]:
            return point.bucket.date().isoformat()
        return isoformat_z(point.bucket) or ""


class PushedSerializer(serializers.Serializer[Any]):
    """A value as it is sent: a date or instant, a number, and perhaps a segment."""

    at = serializers.CharField()
    value = serializers.FloatField()
    segment = serializers.CharField(required=False, allow_blank=True)


class KeptSerializer(serializers.Serializer[Any]):
    """How many points were new, differed, or were there already."""

    created = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()


class MetricViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Metric]):
    """Metrics of all pipelines; those with SQL are made by admins."""

    serializer_class = MetricSerializer
    queryset = metrics()

    def create(self, request: Request) -> Response:
        """Make a metric that points are pushed to, or, as an admin, one that is pulled."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        metric = save_metric(Metric(**given.validated_data), by=request_user(request))
        return Response(self.get_serializer(metric).data, status=status.HTTP_201_CREATED)


def metric_of(pipeline: str, slug: str) -> Metric:
    """Return a metric by both slugs; raise NotFound."""
    found = find_metric(pipeline, slug)
    if found is None:
        raise NotFound("There is no such metric.")
    return found


@extend_schema(methods=["GET"], responses=MetricSerializer)
@extend_schema(methods=["PATCH"], request=MetricSerializer(partial=True), responses=MetricSerializer)
@api_view(["GET", "PATCH"])
def metric(request: Request, pipeline: str, slug: str) -> Response:
    """Answer a metric, or change it; one with SQL is changed by admins."""
    found = metric_of(pipeline, slug)
    if request.method == "PATCH":
        given = MetricSerializer(found, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        for name, value in given.validated_data.items():
            if name not in ("pipeline", "slug"):
                setattr(found, name, value)
        save_metric(found, by=request_user(request))
    return Response(MetricSerializer(found).data)


@extend_schema(methods=["GET"], parameters=[FROM, TO], responses=PointSerializer(many=True), operation_id="points_list")
@extend_schema(
    methods=["POST"], request=PushedSerializer(many=True), responses=KeptSerializer, operation_id="points_push"
)
@api_view(["GET", "POST"])
def points(request: Request, pipeline: str, slug: str) -> Response:
    """Answer a metric's points, newest first; or keep up to 10,000, of which those sent twice change nothing."""
    found = metric_of(pipeline, slug)
    if request.method == "POST":
        return _push(request, found)
    asked = request.query_params
    rows = metric_points(
        found,
        since=parse_instant_param(asked, name="from") if asked.get("from") else None,
        until=parse_instant_param(asked, name="to") if asked.get("to") else None,
    )
    pages = DefaultPagination()
    page = pages.paginate_queryset(rows, request) or []
    daily = found.step.days >= 1
    return pages.get_paginated_response(PointSerializer(page, many=True, context={"daily": daily}).data)


def _push(request: Request, found: Metric) -> Response:
    if not isinstance(request.data, list):
        raise InvalidInputError({"points": ["Send a list of points: at, value and perhaps segment."]})
    at = timezone.now()
    read = read_points(found, rows=request.data, at=at)
    kept = push_points(found, points=read, at=at)
    return Response({"created": kept.created, "changed": kept.changed, "unchanged": kept.unchanged})
