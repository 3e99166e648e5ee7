"""API calls about pipelines and their responders."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.params import AT, IF_NONE_MATCH, UNCHANGED
from common.datetimes import isoformat_z, parse_instant_param
from common.identifiers import SLUG_PATTERN
from common.response_cache import mark_period
from common.version_cache import ValidityPeriod
from incidents.domain.status import STATUSES
from incidents.queries.statuses import PipelineStatus, statuses
from people.permissions import IsAdminOrReadOnly
from people.serializers import UsernameField
from people.services.accounts import check_active
from pipelines import services
from pipelines.models import Pipeline
from pipelines.queries import ownership
from scheduling.api.serializers import RotationField
from scheduling.queries.on_call import OnCallSnapshot, on_call_snapshot
from scheduling.services.rotations import move_pipeline


class ChainLinkSerializer(serializers.Serializer[Any]):
    """A link of an escalation chain."""

    engineer = serializers.CharField()
    role = serializers.ChoiceField(["on_call", "primary_owner", "secondary_owner", "rotation"])
    available = serializers.BooleanField()
    reason = serializers.CharField(allow_blank=True, help_text="Why the engineer is unavailable.")


class ResponderSerializer(serializers.Serializer[Any]):
    """Who responds for a pipeline, with the escalation chain. Valid until `until`."""

    pipeline = serializers.CharField()
    at = serializers.DateTimeField()
    responder = serializers.CharField(allow_null=True, help_text="Null if nobody is available.")
    acting_owner = serializers.CharField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True)
    chain = ChainLinkSerializer(many=True)


class PipelineSerializer(serializers.ModelSerializer[Pipeline]):
    """A pipeline with its owners, rotation, status, open incidents and maintenance."""

    primary_owner = UsernameField()
    secondary_owner = UsernameField()
    rotation = RotationField(source="in_rotation.rotation", allow_null=True)
    status = serializers.SerializerMethodField()
    open_incidents = serializers.SerializerMethodField()
    in_maintenance = serializers.SerializerMethodField()

    class Meta:
        model = Pipeline
        fields = (
            "slug",
            "name",
            "audience",
            "primary_owner",
            "secondary_owner",
            "escalate_after_minutes",
            "escalate_critical_after_minutes",
            "escalate_low_after_minutes",
            "rotation",
            "status",
            "open_incidents",
            "in_maintenance",
        )
        read_only_fields = ("slug",)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raise InvalidInputError if a new owner is inactive, and ValidationError if both owners are the same person."""
        for field in ("primary_owner", "secondary_owner"):
            if field in attrs:
                check_active(attrs[field], field=field)
        primary = attrs.get("primary_owner", self.instance.primary_owner if self.instance else None)
        secondary = attrs.get("secondary_owner", self.instance.secondary_owner if self.instance else None)
        if primary is not None and primary == secondary:
            raise serializers.ValidationError({"secondary_owner": ["Primary and secondary owner must be two people."]})
        return attrs

    def update(self, instance: Pipeline, validated_data: dict[str, Any]) -> Pipeline:
        """Update the pipeline and its rotation through their services, in one transaction."""
        placement = validated_data.pop("in_rotation", None)
        with transaction.atomic():
            services.update_pipeline(instance, fields=validated_data)
            if placement is not None:
                move_pipeline(instance, rotation=placement["rotation"])
        return ownership().select_related("in_rotation__rotation").get(pk=instance.pk)

    @extend_schema_field(serializers.ChoiceField(STATUSES))
    def get_status(self, pipeline: Pipeline) -> str:
        """Return the pipeline's status."""
        return self._status(pipeline).name

    def get_open_incidents(self, pipeline: Pipeline) -> int:
        """Return the number of unresolved incidents."""
        return self._status(pipeline).open_incidents

    def get_in_maintenance(self, pipeline: Pipeline) -> bool:
        """Return True during a maintenance window."""
        return self._status(pipeline).in_maintenance

    def _status(self, pipeline: Pipeline) -> PipelineStatus:
        by_pipeline: dict[int, PipelineStatus] = self.context.get("statuses") or statuses([pipeline])
        return by_pipeline[pipeline.pk]


class PipelineViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, mixins.UpdateModelMixin, viewsets.GenericViewSet[Pipeline]
):
    """Pipelines, by slug, and their responders. Admins update them."""

    serializer_class = PipelineSerializer
    permission_classes = [IsAdminOrReadOnly]
    queryset = ownership().select_related("in_rotation__rotation")
    lookup_field = "slug"
    lookup_value_regex = SLUG_PATTERN
    http_method_names = ["get", "head", "options", "patch"]

    def get_queryset(self) -> QuerySet[Pipeline]:
        """Return the pipelines, without their owners if only the chain is needed."""
        if self.action == "responder":
            return Pipeline.objects.select_related("in_rotation__rotation")
        return super().get_queryset()

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List pipelines."""
        rows = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        context = {**self.get_serializer_context(), "statuses": statuses(rows)}
        return self.get_paginated_response(self.get_serializer(rows, many=True, context=context).data)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Retrieve a pipeline."""
        return super().retrieve(request, *args, **kwargs)

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Update a pipeline. Admins only."""
        return super().partial_update(request, *args, **kwargs)

    @extend_schema(parameters=[AT, IF_NONE_MATCH], responses={200: ResponderSerializer, **UNCHANGED})
    @action(detail=True)
    def responder(self, request: Request, slug: str) -> Response:
        """Retrieve a pipeline's responder and escalation chain at an instant."""
        at, pipeline = parse_instant_param(request.query_params), self.get_object()
        snapshot = on_call_snapshot([pipeline], at=at)
        period = ValidityPeriod(at, snapshot.until, is_past=snapshot.is_past)
        return mark_period(Response(serialize_responder(pipeline, snapshot)), period)


class ResponderViewSet(viewsets.GenericViewSet[Pipeline]):
    """Responders, one per pipeline."""

    queryset = ownership()
    serializer_class = ResponderSerializer

    @extend_schema(parameters=[AT, IF_NONE_MATCH], responses={200: ResponderSerializer(many=True), **UNCHANGED})
    def list(self, request: Request) -> Response:
        """List the responder and escalation chain of every pipeline at an instant."""
        at = parse_instant_param(request.query_params)
        pipelines = self.paginate_queryset(self.get_queryset()) or []
        snapshot = on_call_snapshot(pipelines, at=at)
        rows = [serialize_responder(pipeline, snapshot) for pipeline in pipelines]
        period = ValidityPeriod(at, snapshot.until, is_past=snapshot.is_past)
        return mark_period(self.get_paginated_response(rows), period)


def serialize_responder(pipeline: Pipeline, snapshot: OnCallSnapshot) -> dict[str, object]:
    """Return a pipeline's escalation chain in the shape of ResponderSerializer."""
    chain = snapshot.chains[pipeline.pk]
    return {
        "pipeline": pipeline.slug,
        "at": isoformat_z(chain.at),
        "responder": chain.responder.username if chain.responder else None,
        "acting_owner": chain.acting_owner.username if chain.acting_owner else None,
        "until": isoformat_z(chain.until),
        "chain": [
            {
                "engineer": link.engineer.username,
                "role": link.role,
                "available": link.available,
                "reason": link.reason,
            }
            for link in chain.links
        ],
    }
