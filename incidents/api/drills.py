"""API of drills."""

from typing import Any

from django.utils import timezone
from django_filters.filterset import FilterSet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.filters import ListFilterBackend, SlugFilter
from incidents.api.serializers import IncidentDetailSerializer
from incidents.models import Drill
from incidents.queries.drills import all_drills
from incidents.queries.incidents import detailed_incidents
from incidents.services.drills import start_drill
from people.permissions import request_user
from pipelines.models import Pipeline
from pipelines.serializers import PipelineField
from scheduling.models import Rotation


class NewDrillSerializer(serializers.Serializer[Any]):
    """The pipeline of a drill."""

    pipeline = PipelineField()


class DrillSerializer(serializers.Serializer[Drill]):
    """A drill that someone started, or a rotation's weekly drill. A skipped drill has no incident."""

    id = serializers.IntegerField()
    rotation = serializers.CharField(
        source="rotation.slug", default=None, allow_null=True, help_text="Slug of the rotation, for weekly drills only."
    )
    pipeline = serializers.CharField(source="incident.pipeline.slug", default=None, allow_null=True)
    at = serializers.DateTimeField(help_text="When it started or was skipped.")
    engineer = serializers.CharField(
        source="engineer.username",
        default=None,
        allow_null=True,
        help_text="User name of the responder when the drill started.",
    )
    state = serializers.ChoiceField(Drill.State.choices)
    skip_reason = serializers.CharField(allow_blank=True)
    incident = serializers.IntegerField(
        source="incident_id", allow_null=True, help_text="ID of the drill's incident; null if the drill was skipped."
    )
    acknowledged_at = serializers.DateTimeField(source="responded_at", allow_null=True)
    acknowledged_by = serializers.CharField(source="responded_by.username", default=None, allow_null=True)
    after_seconds = serializers.SerializerMethodField(help_text="Seconds until it was acknowledged or resolved.")

    def get_after_seconds(self, drill: Drill) -> float | None:
        """Return the seconds from opening to response."""
        return None if drill.response_time is None else round(drill.response_time.total_seconds(), 1)


class DrillFilter(FilterSet):
    """Filters of the list."""

    rotation = SlugFilter(noun="rotation", queryset=Rotation.objects.order_by("pk"), help_text="Slug of a rotation.")
    pipeline = SlugFilter(
        noun="pipeline",
        field_name="incident__pipeline",
        queryset=Pipeline.objects.order_by("pk"),
        help_text="Slug of a pipeline.",
    )


class DrillViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[Drill]):
    """Drills and their results."""

    serializer_class = DrillSerializer
    filter_backends = [ListFilterBackend]
    filterset_class = DrillFilter
    queryset = all_drills()

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List drills, newest first, including skipped ones."""
        return super().list(request, *args, **kwargs)

    @extend_schema(request=NewDrillSerializer, responses={201: IncidentDetailSerializer})
    def create(self, request: Request) -> Response:
        """Start a drill for a pipeline: an incident that does not change statuses or reports and ends after four hours."""
        serializer = NewDrillSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        pipeline = serializer.validated_data["pipeline"]
        incident = start_drill(pipeline, by=request_user(request), at=timezone.now())
        row = detailed_incidents().get(pk=incident.pk)
        return Response(IncidentDetailSerializer(row).data, status=status.HTTP_201_CREATED)
