"""The API's calls about checks and what they said."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.pagination import DefaultPagination
from people.permissions import request_user
from pipelines.serializers import PipelineField
from validation.api.fields import NUMBER, MetricField
from validation.check_types import CHECK_TYPES
from validation.domain.check_type import describe_parameters
from validation.models import Check, CheckResult, DataSource
from validation.models.checks import check_type_choices
from validation.queries.checks import check_results, checks
from validation.services.checks import create_check, delete_check, mute_check, unmute_check, update_check
from validation.services.known_events import acknowledge_expected
from validation.services.run_check import request_run

LAST = {"status": "last_status", "message": "last_message", "value": "last_value", "expected": "last_expected"}


class CheckSerializer(serializers.ModelSerializer[Check]):
    """A check: what it judges, when, whom it may wake, and what it said last."""

    pipeline = PipelineField()
    type = serializers.ChoiceField(source="check_type", choices=check_type_choices())
    metric = MetricField(required=False, allow_null=True)
    other_metric = MetricField(required=False, allow_null=True)
    source = serializers.SlugRelatedField(  # type: ignore[assignment]  # a field of that name
        slug_field="name", queryset=DataSource.objects.defer("address"), required=False, allow_null=True
    )
    parameters = serializers.DictField(required=False, help_text=describe_parameters(CHECK_TYPES.values()))
    weekdays = serializers.ListField(child=serializers.IntegerField(min_value=0, max_value=6), required=False)
    active = serializers.BooleanField(source="is_active", required=False)
    status = serializers.CharField(source="last_status", read_only=True)
    message = serializers.CharField(source="last_message", read_only=True)
    value = serializers.FloatField(source="last_value", read_only=True, allow_null=True)
    expected = serializers.CharField(source="last_expected", read_only=True)

    class Meta:
        model = Check
        fields = (
            "id",
            "pipeline",
            "name",
            "type",
            "metric",
            "other_metric",
            "source",
            "query",
            "parameters",
            "severity",
            "interval_minutes",
            "cron",
            "settle_minutes",
            "confirm",
            "confirm_of",
            "cooldown_minutes",
            "weekdays",
            "country",
            "holidays",
            "active",
            "muted_until",
            "proposed_from",
            "next_due_at",
            "status",
            "message",
            "value",
            "expected",
            "last_run_at",
            "alerting_since",
        )
        read_only_fields = ("muted_until", "proposed_from", "next_due_at", "last_run_at", "alerting_since")
        # The command says so, in words.
        validators: list[Any] = []


class ResultSerializer(serializers.ModelSerializer[CheckResult]):
    """What a check said once."""

    check_id = serializers.IntegerField(source="of_id", read_only=True)
    acknowledged_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)
    segments = serializers.ListField(child=serializers.DictField(), read_only=True)
    seconds = serializers.FloatField(read_only=True)

    class Meta:
        model = CheckResult
        fields = (
            "id",
            "check_id",
            "status",
            "value",
            "low",
            "high",
            "message",
            "bucket",
            "expected",
            "trigger",
            "segments",
            "started_at",
            "finished_at",
            "seconds",
            "acknowledged_by",
            "acknowledged_at",
        )


class MuteSerializer(serializers.Serializer[Any]):
    """Until when a check is to be quiet."""

    until = serializers.DateTimeField()


class CheckViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Check]):
    """Checks; those with SQL are made and changed by admins."""

    serializer_class = CheckSerializer
    lookup_value_regex = NUMBER

    def get_queryset(self) -> QuerySet[Check]:
        """Return the checks, of one pipeline or status where the caller asks for it."""
        rows = checks()
        asked = {} if getattr(self, "swagger_fake_view", False) else self.request.query_params
        for name, field in (("pipeline", "pipeline__slug"), ("status", "last_status")):
            text = asked.get(name, "")
            if text:
                rows = rows.filter(**{field: text}) if "\0" not in text else rows.none()
        return rows

    @extend_schema(
        parameters=[OpenApiParameter("pipeline", OpenApiTypes.STR), OpenApiParameter("status", OpenApiTypes.STR)]
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List checks, by pipeline and name."""
        return super().list(request, *args, **kwargs)

    def create(self, request: Request) -> Response:
        """Make a check."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        fields = dict(given.validated_data)
        made = create_check(fields.pop("pipeline"), fields=fields, by=request_user(request), at=timezone.now())
        return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a check."""
        check = self.get_object()
        given = self.get_serializer(check, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        fields = {name: value for name, value in given.validated_data.items() if name != "pipeline"}
        update_check(check, fields=fields, by=request_user(request), at=timezone.now())
        return Response(self.get_serializer(self.get_object()).data)

    def destroy(self, request: Request, pk: str) -> Response:
        """Remove a check with everything it said."""
        delete_check(self.get_object(), by=request_user(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(responses=ResultSerializer(many=True))
    @action(detail=True)
    def results(self, request: Request, pk: str) -> Response:
        """List what a check said, newest first."""
        pages = DefaultPagination()
        rows = pages.paginate_queryset(check_results(self.get_object()), request, view=self) or []
        return pages.get_paginated_response(ResultSerializer(rows, many=True).data)

    @extend_schema(request=None, responses={202: CheckSerializer})
    @action(detail=True, methods=["post"])
    def run(self, request: Request, pk: str) -> Response:
        """Let a check run as soon as a worker is free."""
        check = request_run(self.get_object(), at=timezone.now())
        return Response(self.get_serializer(check).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(methods=["POST"], request=MuteSerializer, responses=CheckSerializer)
    @extend_schema(methods=["DELETE"], request=None, responses=CheckSerializer)
    @action(detail=True, methods=["post", "delete"])
    def mute(self, request: Request, pk: str) -> Response:
        """Let a check begin no alert until an instant; or let it speak again."""
        check = self.get_object()
        if request.method == "DELETE":
            unmute_check(check)
        else:
            given = MuteSerializer(data=request.data)
            given.is_valid(raise_exception=True)
            mute_check(check, until=given.validated_data["until"], at=timezone.now())
        return Response(self.get_serializer(check).data)


class ResultViewSet(mixins.RetrieveModelMixin, viewsets.GenericViewSet[CheckResult]):
    """What checks said."""

    serializer_class = ResultSerializer
    queryset = CheckResult.objects.select_related("acknowledged_by").order_by("-started_at", "-pk")
    lookup_value_regex = NUMBER

    @extend_schema(request=None, responses=ResultSerializer)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str) -> Response:
        """Say that a result was to be expected: its point is left out of baselines, and nobody is told of it any more."""
        row = acknowledge_expected(self.get_object(), by=request_user(request), at=timezone.now())
        return Response(self.get_serializer(row).data)
