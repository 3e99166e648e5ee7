"""API views for pipeline runs and known events."""

from typing import Any

from django.utils import timezone
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.fields import DayField, InstantField
from common.identifiers import ID_PATTERN
from people.permissions import request_user
from pipelines.serializers import PipelineField
from validation.api.fields import MetricField
from validation.models import KnownEvent, ReportedRun
from validation.queries.checks import known_events, reported_runs
from validation.services.known_events import Event, add_known_event, delete_known_event
from validation.services.pipeline_runs import Run, report_run


class RunSerializer(serializers.ModelSerializer[ReportedRun]):
    """A run of a pipeline. The end of a finished run defaults to now."""

    pipeline = PipelineField()
    started_at = InstantField(required=False, allow_null=True)
    finished_at = InstantField(required=False, allow_null=True)

    class Meta:
        model = ReportedRun
        fields = ("pipeline", "key", "state", "started_at", "finished_at", "reported_at")
        read_only_fields = ("reported_at",)
        # Reporting a run again updates it.
        validators: list[Any] = []


class RunViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[ReportedRun]):
    """Runs of pipelines, reported by schedulers."""

    serializer_class = RunSerializer
    queryset = reported_runs()

    def create(self, request: Request) -> Response:
        """Report a run: 201 for a new run, 200 for an update."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        fields = dict(serializer.validated_data)
        row, new = report_run(fields.pop("pipeline"), run=Run(**fields), at=timezone.now())
        code = status.HTTP_201_CREATED if new else status.HTTP_200_OK
        return Response(self.get_serializer(row).data, status=code)


class KnownEventSerializer(serializers.ModelSerializer[KnownEvent]):
    """Dates on which unusual values of a pipeline or metric are expected."""

    pipeline = PipelineField()
    metric = MetricField(required=False, allow_null=True)
    starts_on = DayField(label="First day")
    ends_on = DayField(label="Last day")
    added_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)

    class Meta:
        model = KnownEvent
        fields = ("id", "pipeline", "metric", "starts_on", "ends_on", "name", "added_by", "created_at")
        read_only_fields = ("created_at",)


class KnownEventViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[KnownEvent]):
    """Known events: on their dates, results are recorded but don't alert or affect baselines."""

    serializer_class = KnownEventSerializer
    queryset = known_events()
    lookup_value_regex = ID_PATTERN

    def create(self, request: Request) -> Response:
        """Create a known event and re-evaluate affected results."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        fields = serializer.validated_data
        event = Event(fields["starts_on"], fields["ends_on"], fields["name"])
        row = add_known_event(
            fields["pipeline"], metric=fields.get("metric"), event=event, by=request_user(request), at=timezone.now()
        )
        return Response(self.get_serializer(row).data, status=status.HTTP_201_CREATED)

    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a known event and re-evaluate affected results."""
        delete_known_event(self.get_object(), at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)
