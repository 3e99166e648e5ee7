"""API of restatements: published values that changed."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.fields import MultilineField
from common.api.filters import BooleanFilter, DayFilter, ListFilterBackend, RangeFilterSet, SlugFilter
from common.datetimes import isoformat_z
from people.permissions import request_user
from pipelines.models import Pipeline
from readiness.models import MAX_COMMENT_LENGTH, Restatement
from readiness.queries.readiness import restatements
from readiness.services.restatements import comment_restatement


class RestatementFilters(RangeFilterSet):
    """Filter restatements by pipeline, business day and whether they are settled."""

    pipeline = SlugFilter(
        noun="pipeline",
        field_name="publication__pipeline",
        queryset=Pipeline.objects.all(),
        help_text="Slug of a pipeline.",
    )
    from_day = DayFilter(field_name="publication__day", lookup_expr="gte", help_text="First business day.")
    to_day = DayFilter(field_name="publication__day", lookup_expr="lte", help_text="Last business day.")
    first_name, last_name = "from_day", "to_day"
    settled = BooleanFilter(
        field_name="settled_at",
        lookup_expr="isnull",
        exclude=True,
        help_text="Return only restatements whose day is safe again, or only others.",
    )

    class Meta:
        model = Restatement
        fields = ("pipeline", "from_day", "to_day", "settled")


class RestatementSerializer(serializers.ModelSerializer[Restatement]):
    """A published value that changed, with its old and new value, times, cause, and who was notified."""

    pipeline = serializers.SlugField(source="publication.pipeline.slug", read_only=True)
    day = serializers.DateField(source="publication.day", read_only=True)
    metric = serializers.SlugField(source="metric.slug", read_only=True)
    at = serializers.SerializerMethodField(help_text="Date of a daily value, or instant of an hourly one.")
    change = serializers.FloatField(read_only=True)
    percent = serializers.FloatField(read_only=True, allow_null=True)
    wrong_since = serializers.DateTimeField(
        read_only=True,
        help_text="When it changed if it came back to the published value, else when that was published.",
    )
    notified = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text="User names of the people whom the incident notified."
    )
    notified_readers = serializers.IntegerField(
        read_only=True,
        help_text="Number of subscribers who were notified, from the change or the incident behind it until the day was safe again.",
    )
    commented_by = serializers.CharField(source="commented_by.username", read_only=True, allow_null=True, default=None)

    class Meta:
        model = Restatement
        fields = (
            *("id", "pipeline", "day", "metric", "segment", "at"),
            *("from_value", "to_value", "farthest_value", "change", "percent"),
            *("published_at", "wrong_since", "changed_at", "restated_at", "settled_at"),
            *("cause", "incident", "notified", "notified_readers", "comment", "commented_by"),
        )
        read_only_fields = fields

    @extend_schema_field(OpenApiTypes.STR)
    def get_at(self, row: Restatement) -> str:
        """Return the day or hour of the value."""
        time = row.bucket_time
        return (isoformat_z(row.bucket) or "") if row.metric.grain == "hour" else time.isoformat()


class CommentSerializer(serializers.Serializer[Any]):
    """Why a number was restated."""

    comment = MultilineField(max_length=MAX_COMMENT_LENGTH, allow_blank=True)


class RestatementViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Restatement]):
    """Restatements, newest first."""

    serializer_class = RestatementSerializer
    queryset = restatements()
    filter_backends = [ListFilterBackend]
    filterset_class = RestatementFilters
    lookup_value_regex = "[0-9]{1,15}"

    @extend_schema(request=CommentSerializer, responses=RestatementSerializer)
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Comment on a restatement."""
        row = self.get_object()
        serializer = CommentSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        comment_restatement(row, comment=serializer.validated_data["comment"], by=request_user(request))
        return Response(self.get_serializer(row).data)
