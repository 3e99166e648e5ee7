"""The API's calls about runs that are reported and events that are known."""

from typing import Any

from django.utils import timezone
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from people.permissions import request_user
from pipelines.serializers import PipelineField
from validation.api.fields import NUMBER, MetricField
from validation.models import KnownEvent, ReportedRun
from validation.queries.checks import known_events, reported_runs
from validation.services.known_events import Event, add_known_event, delete_known_event
from validation.services.pipeline_runs import Run, report_run


class RunSerializer(serializers.ModelSerializer[ReportedRun]):
    """A run of a pipeline; over, it has ended now where no end is given."""

    pipeline = PipelineField()

    class Meta:
        model = ReportedRun
        fields = ("pipeline", "key", "state", "started_at", "finished_at", "reported_at")
        read_only_fields = ("reported_at",)
        # A run reported twice is one.
        validators: list[Any] = []


class RunViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[ReportedRun]):
    """Runs of pipelines, as something outside reports them."""

    serializer_class = RunSerializer
    queryset = reported_runs()

    def create(self, request: Request) -> Response:
        """Report a run: 201 for one that was not known, 200 for one that was."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        fields = dict(given.validated_data)
        row, new = report_run(fields.pop("pipeline"), run=Run(**fields), at=timezone.now())
        code = status.HTTP_201_CREATED if new else status.HTTP_200_OK
        return Response(self.get_serializer(row).data, status=code)


class KnownEventSerializer(serializers.ModelSerializer[KnownEvent]):
    """Dates on which a pipeline's numbers, or one metric's, may well be unusual."""

    pipeline = PipelineField()
    metric = MetricField(required=False, allow_null=True)
    added_by = serializers.SlugRelatedField[Any](slug_field="username", read_only=True)

    class Meta:
        model = KnownEvent
        fields = ("id", "pipeline", "metric", "starts_on", "ends_on", "words", "added_by", "created_at")
        read_only_fields = ("created_at",)


class KnownEventViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[KnownEvent]):
    """Known events: what falls on them is judged, shown as expected, told to nobody."""

    serializer_class = KnownEventSerializer
    queryset = known_events()
    lookup_value_regex = NUMBER

    def create(self, request: Request) -> Response:
        """Add a known event; what was judged on its dates is judged again."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        fields = given.validated_data
        event = Event(fields["starts_on"], fields["ends_on"], fields["words"])
        made = add_known_event(
            fields["pipeline"], metric=fields.get("metric"), event=event, by=request_user(request), at=timezone.now()
        )
        return Response(self.get_serializer(made).data, status=status.HTTP_201_CREATED)

    def destroy(self, request: Request, pk: str) -> Response:
        """Remove a known event; what was judged on its dates is judged again."""
        delete_known_event(self.get_object(), at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)
