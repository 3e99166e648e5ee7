"""API calls about lineage."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from lineage.models import Edge
from lineage.queries import downstream_edges, upstream_edges
from pipelines.models import Pipeline


class EdgeSerializer(serializers.ModelSerializer[Edge]):
    """An edge to another pipeline, as one source reports it."""

    pipeline = serializers.SerializerMethodField(help_text="The pipeline at the other end, by slug.")
    name = serializers.SerializerMethodField(help_text="Its name.")
    state = serializers.SerializerMethodField(
        help_text="`faded` if the source has not reported the edge for 30 days: then it is shown and no longer counts."
    )

    class Meta:
        model = Edge
        fields = ("pipeline", "name", "source", "project", "state", "first_seen_at", "last_seen_at")

    def get_pipeline(self, edge: Edge) -> str:
        """Return the slug of the pipeline at the other end."""
        return self._other(edge).slug

    def get_name(self, edge: Edge) -> str:
        """Return the name of the pipeline at the other end."""
        return self._other(edge).full_name

    @extend_schema_field(serializers.ChoiceField(["current", "faded"]))
    def get_state(self, edge: Edge) -> str:
        """Return whether the edge is current or faded."""
        return edge.state(self.context["at"])

    def _other(self, edge: Edge) -> Pipeline:
        return edge.upstream if edge.downstream_id == self.context["pipeline"].pk else edge.downstream


class LineageSerializer(serializers.Serializer[Any]):
    """The pipelines that a pipeline reads from and those that read from it."""

    pipeline = serializers.CharField()
    upstream = EdgeSerializer(many=True)
    downstream = EdgeSerializer(many=True)


@extend_schema(responses=LineageSerializer)
@api_view(["GET"])
def lineage(request: Request, slug: str) -> Response:
    """Retrieve a pipeline's upstream and downstream pipelines. Cut edges are left out."""
    pipeline = get_object_or_404(Pipeline, slug=slug)
    context = {"pipeline": pipeline, "at": timezone.now()}
    answer: dict[str, QuerySet[Edge] | str] = {
        "pipeline": pipeline.slug,
        "upstream": upstream_edges(pipeline),
        "downstream": downstream_edges(pipeline),
    }
    return Response(LineageSerializer(answer, context=context).data)
