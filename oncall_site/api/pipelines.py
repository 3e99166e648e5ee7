"""The API's calls about pipelines that join rooms: who answers, and each pipeline's rotation."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.params import AT
from common.datetimes import isoformat_z, parse_instant_param
from incidents.domain.status import STATUSES
from incidents.queries.statuses import PipelineStatus, statuses
from pipelines.api import PipelineSerializer, PipelineViewSet
from pipelines.models import Pipeline
from pipelines.queries import ownership
from scheduling.queries.on_call import OnCallSnapshot, on_call_snapshot


class LinkSerializer(serializers.Serializer[Any]):
    """A link of a responder chain."""

    engineer = serializers.CharField()
    role = serializers.ChoiceField(["on_call", "primary_owner", "secondary_owner", "rotation"])
    available = serializers.BooleanField()
    reason = serializers.CharField(allow_blank=True)


class ResponderSerializer(serializers.Serializer[Any]):
    """Who answers for a pipeline at an instant, why, and until when that holds."""

    pipeline = serializers.CharField()
    at = serializers.DateTimeField()
    responder = serializers.CharField(allow_null=True)
    acting_owner = serializers.CharField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True)
    chain = LinkSerializer(many=True)


class JoinedPipelineSerializer(PipelineSerializer):
    """A pipeline with its owners, its rotation, its status and how many of its incidents are not resolved."""

    rotation = serializers.SlugRelatedField[Any](source="in_rotation.rotation", slug_field="slug", read_only=True)
    status = serializers.SerializerMethodField()
    open_incidents = serializers.SerializerMethodField()

    class Meta(PipelineSerializer.Meta):
        fields = (*PipelineSerializer.Meta.fields, "rotation", "status", "open_incidents")

    @extend_schema_field(serializers.ChoiceField(STATUSES))
    def get_status(self, pipeline: Pipeline) -> str:
        """Return the pipeline's status in one word."""
        return self._status(pipeline).word

    def get_open_incidents(self, pipeline: Pipeline) -> int:
        """Return how many of its incidents are not resolved."""
        return self._status(pipeline).open_incidents

    def _status(self, pipeline: Pipeline) -> PipelineStatus:
        known: dict[int, PipelineStatus] = self.context.get("statuses") or statuses([pipeline])
        return known[pipeline.pk]


class JoinedPipelineViewSet(PipelineViewSet):
    """Pipelines, by slug, with who answers for each."""

    serializer_class = JoinedPipelineSerializer
    queryset = ownership().select_related("in_rotation__rotation")

    def get_queryset(self) -> QuerySet[Pipeline]:
        """Return the pipelines; for who answers without their owners' rows, since the chain names them."""
        if self.action == "responder":
            return Pipeline.objects.select_related("in_rotation__rotation")
        return super().get_queryset()

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List pipelines, each with its status."""
        rows = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        context = {**self.get_serializer_context(), "statuses": statuses(rows)}
        return self.get_paginated_response(self.get_serializer(rows, many=True, context=context).data)

    @extend_schema(parameters=[AT], responses=ResponderSerializer)
    @action(detail=True)
    def responder(self, request: Request, slug: str) -> Response:
        """Answer who answers for a pipeline at an instant, why, and until when."""
        at, pipeline = parse_instant_param(request.query_params), self.get_object()
        found = on_call_snapshot([pipeline], at=at)
        return Response(responder_row(pipeline, found))


class ResponderViewSet(viewsets.GenericViewSet[Pipeline]):
    """Who answers, one row a pipeline."""

    queryset = ownership()
    serializer_class = ResponderSerializer

    @extend_schema(parameters=[AT], responses=ResponderSerializer(many=True))
    def list(self, request: Request) -> Response:
        """List who answers for every pipeline at an instant."""
        at = parse_instant_param(request.query_params)
        pipelines = self.paginate_queryset(self.get_queryset()) or []
        found = on_call_snapshot(pipelines, at=at)
        return self.get_paginated_response([responder_row(pipeline, found) for pipeline in pipelines])


def responder_row(pipeline: Pipeline, found: OnCallSnapshot) -> dict[str, object]:
    """Return a responder chain as the API answers it (product.md §10)."""
    chain, names = found.chains[pipeline.pk], found.usernames
    return {
        "pipeline": pipeline.slug,
        "at": isoformat_z(chain.at),
        "responder": names[chain.responder] if chain.responder else None,
        "acting_owner": names[chain.acting_owner] if chain.acting_owner else None,
        "until": isoformat_z(chain.until),
        "chain": [
            {"engineer": names[link.engineer], "role": link.role, "available": link.available, "reason": link.reason}
            for link in chain.links
        ],
    }
