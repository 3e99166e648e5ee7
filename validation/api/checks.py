"""API views for checks and their results."""

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.fields import InstantField, ListField
from common.api.filters import ListFilterBackend
from common.api.pagination import DefaultPagination
from common.datetimes import isoformat_z
from common.identifiers import ID_PATTERN
from people.permissions import request_user
from pipelines.serializers import PipelineField
from validation.api.fields import DataSourceField, MetricField
from validation.api.filters import CheckFilters
from validation.check_types import CHECK_TYPES
from validation.domain.check_type import describe_parameters
from validation.domain.parameters import WEEKDAYS
from validation.models import Check, CheckResult
from validation.models.checks import check_type_choices
from validation.queries.checks import check_results, checks, deleted_checks
from validation.services.checks import create_check, delete_check, mute_check, restore_check, unmute_check, update_check
from validation.services.known_events import acknowledge_expected
from validation.services.run_check import request_run


class CheckSerializer(serializers.ModelSerializer[Check]):
    """A check: its type and parameters, schedule, alerting and last result.

    `deleted_at`, `deleted_by` and `restorable_until` are null unless it is deleted.
    """

    pipeline = PipelineField()
    type = serializers.ChoiceField(source="check_type", choices=check_type_choices())
    metric = MetricField(required=False, allow_null=True)
    other_metric = MetricField(
        required=False,
        allow_null=True,
        help_text="Denominator of a ratio, metric to reconcile with, or companion that explains the metric of an anomaly check.",
    )
    source = DataSourceField(required=False, allow_null=True)  # type: ignore[assignment]  # a field of that name
    parameters = serializers.DictField(required=False, help_text=describe_parameters(CHECK_TYPES.values()))
    weekdays = ListField(child=serializers.IntegerField(min_value=0, max_value=6), max_length=WEEKDAYS, required=False)
    active = serializers.BooleanField(source="is_active", required=False)
    status = serializers.CharField(source="last_status", read_only=True)
    message = serializers.CharField(source="last_message", read_only=True)
    value = serializers.FloatField(source="last_value", read_only=True, allow_null=True)
    expected = serializers.CharField(source="last_expected", read_only=True)
    deleted_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)
    restorable_until = serializers.DateTimeField(read_only=True, allow_null=True)

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
            "deleted_at",
            "deleted_by",
            "restorable_until",
        )
        read_only_fields = (
            "muted_until",
            "proposed_from",
            "next_due_at",
            "last_run_at",
            "alerting_since",
            "deleted_at",
        )
        # The service validates uniqueness.
        validators: list[Any] = []


class ResultSerializer(serializers.ModelSerializer[CheckResult]):
    """A result of a check."""

    check_id = serializers.IntegerField(source="parent_check_id", read_only=True)
    acknowledged_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)
    details = serializers.SerializerMethodField(help_text="Values from the data source, for admins only.")
    bucket = serializers.SerializerMethodField(help_text="Date of a daily metric, or start of the hour.")
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
            "details",
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

    def get_details(self, result: CheckResult) -> str:
        """Return the details for admins, and nothing for others."""
        return result.details if self.context["request"].user.is_staff else ""

    def get_bucket(self, result: CheckResult) -> str | None:
        """Return a business date, or an instant ending in Z."""
        time = result.bucket_time
        if isinstance(time, dt.datetime):
            return isoformat_z(time)
        return time.isoformat() if time else None


class MuteSerializer(serializers.Serializer[Any]):
    """The end of a mute."""

    until = InstantField()


class CheckViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Check]):
    """Checks. Only admins create and change checks with SQL."""

    serializer_class = CheckSerializer
    lookup_value_regex = ID_PATTERN

    filter_backends = [ListFilterBackend]
    filterset_class = CheckFilters

    def get_queryset(self) -> QuerySet[Check]:
        """Return all checks."""
        return checks()

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List checks, by pipeline and name."""
        return super().list(request, *args, **kwargs)

    def create(self, request: Request) -> Response:
        """Create a check."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        fields = dict(serializer.validated_data)
        check = create_check(fields.pop("pipeline"), fields=fields, by=request_user(request), at=timezone.now())
        return Response(self.get_serializer(check).data, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Update a check."""
        check = self.get_object()
        serializer = self.get_serializer(check, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        fields = {name: value for name, value in serializer.validated_data.items() if name != "pipeline"}
        update_check(check, fields=fields, by=request_user(request), at=timezone.now())
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(responses={200: CheckSerializer, 204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a check. One with results can be restored until `restorable_until`; one without is gone (204)."""
        check = self.get_object()
        delete_check(check, by=request_user(request), at=timezone.now())
        if check.deleted_at is None:
            return Response(status=status.HTTP_204_NO_CONTENT)
        return Response(self.get_serializer(deleted_checks().get(pk=pk)).data)

    @extend_schema(request=None, responses=CheckSerializer)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: str) -> Response:
        """Restore a deleted check with its results, under another name if its own is taken."""
        check = get_object_or_404(Check.all_objects.all(), pk=pk)
        restore_check(check, by=request_user(request), at=timezone.now())
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(responses=ResultSerializer(many=True))
    @action(detail=True)
    def results(self, request: Request, pk: str) -> Response:
        """List results, newest first."""
        paginator = DefaultPagination()
        rows = paginator.paginate_queryset(check_results(self.get_object()), request, view=self) or []
        return paginator.get_paginated_response(
            ResultSerializer(rows, many=True, context=self.get_serializer_context()).data
        )

    @extend_schema(request=None, responses={202: CheckSerializer})
    @action(detail=True, methods=["post"])
    def run(self, request: Request, pk: str) -> Response:
        """Request a run of a check."""
        check = request_run(self.get_object(), at=timezone.now())
        return Response(self.get_serializer(check).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(methods=["POST"], request=MuteSerializer, responses=CheckSerializer)
    @extend_schema(methods=["DELETE"], request=None, responses=CheckSerializer)
    @action(detail=True, methods=["post", "delete"])
    def mute(self, request: Request, pk: str) -> Response:
        """Mute or unmute a check."""
        check = self.get_object()
        if request.method == "DELETE":
            unmute_check(check)
        else:
            serializer = MuteSerializer(data=request.data)
            serializer.is_valid(raise_exception=True)
            mute_check(check, until=serializer.validated_data["until"], at=timezone.now())
        return Response(self.get_serializer(check).data)


class ResultViewSet(mixins.RetrieveModelMixin, viewsets.GenericViewSet[CheckResult]):
    """Results of checks."""

    serializer_class = ResultSerializer
    queryset = (
        CheckResult.objects.filter(parent_check__deleted_at=None)
        .select_related("acknowledged_by", "parent_check__metric")
        .order_by("-started_at", "-pk")
    )
    lookup_value_regex = ID_PATTERN

    @extend_schema(request=None, responses=ResultSerializer)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str) -> Response:
        """Mark a result as expected: it no longer alerts, and its value is left out of baselines."""
        row = acknowledge_expected(self.get_object(), by=request_user(request), at=timezone.now())
        return Response(self.get_serializer(row).data)
