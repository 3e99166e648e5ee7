"""API of maintenance windows."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django_filters.filterset import FilterSet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.fields import InstantField, LineField
from common.api.filters import BooleanFilter, ListFilterBackend, SlugFilter
from common.identifiers import ID_PATTERN
from incidents.models import MAX_REASON_LENGTH, MaintenanceWindow
from incidents.services.maintenance import change_maintenance, end_maintenance, schedule_maintenance
from people.permissions import request_user
from people.serializers import UsernameField
from pipelines.models import Pipeline
from pipelines.serializers import PipelineField


class MaintenanceWindowSerializer(serializers.ModelSerializer[MaintenanceWindow]):
    """A maintenance window of a pipeline. It starts now if no start is given."""

    pipeline = PipelineField()
    starts_at = InstantField(required=False)
    ends_at = InstantField()
    reason = LineField(max_length=MAX_REASON_LENGTH)
    created_by = UsernameField(read_only=True)

    class Meta:
        model = MaintenanceWindow
        fields = ("id", "pipeline", "starts_at", "ends_at", "reason", "created_by", "created_at")
        read_only_fields = ("created_at",)
        # The service validates, with messages for people.
        validators: list[Any] = []


class MaintenanceChangeSerializer(serializers.Serializer[Any]):
    """A new end or reason of a maintenance window."""

    ends_at = InstantField(required=False)
    reason = LineField(required=False, max_length=MAX_REASON_LENGTH)


class MaintenanceWindowFilter(FilterSet):
    """Filters of the list."""

    pipeline = SlugFilter(noun="pipeline", queryset=Pipeline.objects.order_by("pk"), help_text="Slug of a pipeline.")
    active = BooleanFilter(method="filter_active", help_text="Return only active windows, or only others.")

    def filter_active(self, rows: QuerySet[MaintenanceWindow], name: str, value: bool) -> QuerySet[MaintenanceWindow]:  # noqa: FBT001  # django-filter's signature
        """Return the windows that cover this instant, or those that do not."""
        active = MaintenanceWindow.objects.active(at=timezone.now()).values("pk")
        return rows.filter(pk__in=active) if value else rows.exclude(pk__in=active)


class MaintenanceWindowViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[MaintenanceWindow]
):
    """Maintenance windows, newest first. During a window, nobody is notified of the pipeline's incidents."""

    serializer_class = MaintenanceWindowSerializer
    queryset = MaintenanceWindow.objects.select_related("pipeline", "created_by").order_by("-starts_at", "-pk")
    lookup_value_regex = ID_PATTERN
    filter_backends = [ListFilterBackend]
    filterset_class = MaintenanceWindowFilter

    @extend_schema(responses={201: MaintenanceWindowSerializer})
    def create(self, request: Request) -> Response:
        """Schedule a maintenance window, or start one now."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        at, fields = timezone.now(), dict(serializer.validated_data)
        row = schedule_maintenance(
            fields.pop("pipeline"), starts_at=fields.pop("starts_at", at), by=request_user(request), at=at, **fields
        )
        return Response(self.get_serializer(row).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=MaintenanceChangeSerializer, responses=MaintenanceWindowSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change the end or reason of a maintenance window that has not ended."""
        serializer = MaintenanceChangeSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        row = change_maintenance(self.get_object(), at=timezone.now(), **serializer.validated_data)
        return Response(self.get_serializer(row).data)

    def destroy(self, request: Request, pk: str) -> Response:
        """End a maintenance window now, or remove one that has not started. Open incidents then escalate."""
        end_maintenance(self.get_object(), at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)
