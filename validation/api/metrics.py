"""API views for metrics and data points."""

from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import api_view
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.fields import LineField
from common.api.pagination import DefaultPagination
from common.datetimes import isoformat_z, parse_instant_param
from common.exceptions import InvalidInputError
from people.permissions import request_user
from pipelines.serializers import PipelineField
from validation.api.fields import DataSourceField
from validation.domain.buckets import DAY, bucket_time
from validation.models import Metric, MetricPoint
from validation.models.metrics import METRIC_FIELDS
from validation.queries.checks import find_metric, metric_points, metrics
from validation.services.metrics import save_metric
from validation.services.points import MAX_SEGMENT_LENGTH, push_points, read_points

FROM = OpenApiParameter("from", OpenApiTypes.DATETIME, description="Start of the window.")
TO = OpenApiParameter("to", OpenApiTypes.DATETIME, description="End of the window.")
KNOWN_AT = OpenApiParameter(
    "known_at", OpenApiTypes.DATETIME, description="Return the values that were known at this instant. Defaults to now."
)


class MetricSerializer(serializers.ModelSerializer[Metric]):
    """A metric of a pipeline, with its query and data source if it is pulled."""

    pipeline = PipelineField()
    source = DataSourceField(required=False, allow_null=True)  # type: ignore[assignment]  # a field of that name

    class Meta:
        model = Metric
        fields = (*METRIC_FIELDS, "pulled_at")
        read_only_fields = ("pulled_at",)
        # The service validates uniqueness.
        validators: list[Any] = []


class PointSerializer(serializers.ModelSerializer[MetricPoint]):
    """The value of a day or hour, and of a segment if there is one."""

    at = serializers.SerializerMethodField()
    value = serializers.FloatField(source="known_value")
    observed_at = serializers.DateTimeField(source="known_since")

    class Meta:
        model = MetricPoint
        fields = ("at", "value", "segment", "observed_at")

    def get_at(self, point: MetricPoint) -> str:
        """Return the date of a daily value, or the instant of an hourly one."""
        if self.context["daily"]:
            return bucket_time(point.bucket, step=DAY).isoformat()
        return isoformat_z(point.bucket) or ""


class NewPointSerializer(serializers.Serializer[Any]):
    """A data point to store: date or instant, number and, optionally, segment."""

    at = LineField(max_length=64)
    value = serializers.FloatField()
    segment = LineField(required=False, allow_blank=True, max_length=MAX_SEGMENT_LENGTH)


class PushResultSerializer(serializers.Serializer[Any]):
    """How many data points were created, changed and left unchanged."""

    created = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()


class MetricViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Metric]):
    """Metrics of all pipelines. Only admins create metrics with SQL."""

    serializer_class = MetricSerializer
    queryset = metrics()

    def create(self, request: Request) -> Response:
        """Create a metric. Only admins create metrics with SQL."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        metric = save_metric(Metric(**serializer.validated_data), by=request_user(request))
        return Response(self.get_serializer(metric).data, status=status.HTTP_201_CREATED)


def _get_metric(pipeline: str, slug: str) -> Metric:
    metric = find_metric(pipeline, slug)
    if metric is None:
        raise NotFound("Unknown metric.")
    return metric


@extend_schema(methods=["GET"], responses=MetricSerializer)
@extend_schema(methods=["PATCH"], request=MetricSerializer(partial=True), responses=MetricSerializer)
@api_view(["GET", "PATCH"])
def metric(request: Request, pipeline: str, slug: str) -> Response:
    """Return or update a metric. Only admins update metrics with SQL."""
    metric = _get_metric(pipeline, slug)
    if request.method == "PATCH":
        serializer = MetricSerializer(metric, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        for name, value in serializer.validated_data.items():
            if name not in ("pipeline", "slug"):
                setattr(metric, name, value)
        save_metric(metric, by=request_user(request))
    return Response(MetricSerializer(metric).data)


@extend_schema(
    methods=["GET"], parameters=[FROM, TO, KNOWN_AT], responses=PointSerializer(many=True), operation_id="points_list"
)
@extend_schema(
    methods=["POST"], request=NewPointSerializer(many=True), responses=PushResultSerializer, operation_id="points_push"
)
@api_view(["GET", "POST"])
def points(request: Request, pipeline: str, slug: str) -> Response:
    """List data points, newest first, or store up to 10,000. Sending a point twice changes nothing.

    A metric with SQL takes no points: 409.
    """
    metric = _get_metric(pipeline, slug)
    if request.method == "POST":
        return _push(request, metric)
    params = request.query_params
    rows = metric_points(
        metric,
        since=parse_instant_param(params, name="from") if params.get("from") else None,
        until=parse_instant_param(params, name="to") if params.get("to") else None,
        known_at=parse_instant_param(params, name="known_at") if params.get("known_at") else None,
    )
    paginator = DefaultPagination()
    page = paginator.paginate_queryset(rows, request) or []
    daily = metric.step.days >= 1
    return paginator.get_paginated_response(PointSerializer(page, many=True, context={"daily": daily}).data)


def _push(request: Request, metric: Metric) -> Response:
    if not isinstance(request.data, list):
        raise InvalidInputError({"points": ["Send a list of points with at, value and, optionally, segment."]})
    at = timezone.now()
    points = read_points(metric, rows=request.data, at=at)
    return Response(PushResultSerializer(push_points(metric, points=points, at=at)).data)
