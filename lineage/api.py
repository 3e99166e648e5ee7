"""API calls about lineage."""

from typing import Any, cast

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django_filters.filterset import FilterSet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action, api_view
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.fields import LineField
from common.api.filters import BooleanFilter, ListFilterBackend, SlugFilter, WordFilter
from common.identifiers import SLUG_PATTERN
from lineage.domain.dbt import KINDS
from lineage.models import DbtNode, DbtProject, Edge
from lineage.queries import downstream_edges, owner_drift, upstream_edges
from lineage.services.drift import ShownOwners, keep_current_owner, set_owner_from_code
from people.permissions import IsAdminOrReadOnly, request_user
from pipelines.models import Pipeline


class EdgeSerializer(serializers.ModelSerializer[Edge]):
    """An edge to another pipeline, as reported by one source."""

    pipeline = serializers.SerializerMethodField(help_text="The pipeline at the other end, by slug.")
    name = serializers.SerializerMethodField(help_text="Its name.")
    state = serializers.SerializerMethodField(
        help_text="`faded` if the source has not reported the edge for 30 days. Faded edges are shown but no longer count."
    )

    class Meta:
        model = Edge
        fields = ("pipeline", "name", "source", "project", "state", "first_seen_at", "last_seen_at")

    def get_pipeline(self, edge: Edge) -> str:
        """Return the slug of the pipeline at the other end."""
        return self._other_pipeline(edge).slug

    def get_name(self, edge: Edge) -> str:
        """Return the name of the pipeline at the other end."""
        return self._other_pipeline(edge).full_name

    @extend_schema_field(serializers.ChoiceField(["current", "faded"]))
    def get_state(self, edge: Edge) -> str:
        """Return whether the edge is current or faded."""
        return edge.state(self.context["at"])

    def _other_pipeline(self, edge: Edge) -> Pipeline:
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


class DbtNodeFilters(FilterSet):
    """Filter dbt nodes by pipeline, by kind, and by whether they have a pipeline."""

    pipeline = SlugFilter(noun="pipeline", queryset=Pipeline.objects.all(), help_text="Slug of a pipeline.")
    unmapped = BooleanFilter(method="filter_unmapped", help_text="Only nodes without a pipeline, or only others.")
    kind = WordFilter(choices=[(kind, kind) for kind in KINDS], help_text="Kind of node.")

    class Meta:
        model = DbtNode
        fields = ("pipeline", "kind")

    def filter_unmapped(self, rows: QuerySet[DbtNode], name: str, value: bool) -> QuerySet[DbtNode]:  # noqa: FBT001  # django-filter's signature
        """Return the nodes without a pipeline, or those with one."""
        return rows.filter(pipeline__isnull=value)


class DbtNodeSerializer(serializers.ModelSerializer[DbtNode]):
    """A node of a dbt project with its pipeline, and where the pipeline comes from."""

    project = serializers.SlugRelatedField[DbtProject](slug_field="name", read_only=True)
    pipeline = serializers.SlugRelatedField[Pipeline](slug_field="slug", read_only=True)

    class Meta:
        model = DbtNode
        fields = (
            "id",
            "project",
            "key",
            "kind",
            "name",
            "path",
            "group",
            "pipeline",
            "reason",
            "owner_name",
            "owner_email",
        )


class DbtNodeViewSet(mixins.ListModelMixin, viewsets.GenericViewSet[DbtNode]):
    """Nodes of dbt projects."""

    serializer_class = DbtNodeSerializer
    queryset = DbtNode.objects.select_related("project", "pipeline").order_by("project", "key")
    filter_backends = [ListFilterBackend]
    filterset_class = DbtNodeFilters

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List dbt nodes; `?unmapped=true` lists those without a pipeline, with the reason."""
        return super().list(request, *args, **kwargs)


class DriftSerializer(serializers.Serializer[Any]):
    """A pipeline whose owner in the code is not its primary owner."""

    pipeline = serializers.CharField(source="pipeline.slug")
    code_name = serializers.CharField(source="owner.name")
    code_email = serializers.CharField(source="owner.email")
    code_owner = serializers.CharField(
        source="person.username", default=None, allow_null=True, help_text="User name; null if no user matches."
    )
    primary_owner = serializers.CharField(source="pipeline.primary_owner.username")
    nodes = serializers.IntegerField(help_text="Number of dbt nodes that have this owner.")


class DecisionSerializer(serializers.Serializer[Any]):
    """Which side is right: `code` makes the owner in the code the primary owner; `site` keeps the current owners.

    The other fields are those of the list. If one of them is sent and has changed since, the response is 409 and
    nothing changes.
    """

    side = serializers.ChoiceField(["code", "site"])
    code_name = LineField(required=False, allow_blank=True, trim_whitespace=False, max_length=200)
    code_email = LineField(required=False, allow_blank=True, trim_whitespace=False, max_length=200)
    code_owner = LineField(
        required=False,
        allow_null=True,
        max_length=150,
        help_text="User name; null if no user matched the owner in the code.",
    )
    primary_owner = LineField(required=False, max_length=150)

    def shown_owners(self) -> ShownOwners:
        """Return the owners that the client saw."""
        data = {name: value for name, value in self.validated_data.items() if name != "side"}
        return ShownOwners(**data | ({"code_owner": data["code_owner"] or ""} if "code_owner" in data else {}))


class OwnerDriftViewSet(viewsets.GenericViewSet[Pipeline]):
    """Pipelines whose owner in the code differs from their owner on this site. Admins decide which owner is right."""

    queryset = Pipeline.objects.all()
    serializer_class = DriftSerializer
    permission_classes = [IsAdminOrReadOnly]
    lookup_field = "slug"
    lookup_value_regex = SLUG_PATTERN

    @extend_schema(responses=DriftSerializer(many=True))
    def list(self, request: Request) -> Response:
        """List the pipelines whose owner in the code is not their primary owner."""
        rows = self.paginate_queryset(cast("Any", owner_drift())) or []
        return self.get_paginated_response(DriftSerializer(rows, many=True).data)

    @extend_schema(request=DecisionSerializer, responses={204: None})
    @action(detail=True, methods=["post"])
    def decide(self, request: Request, slug: str) -> Response:
        """Change to the owner in the code, or keep the current owners. Admins only."""
        pipeline = self.get_object()
        form = DecisionSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        shown = form.shown_owners()
        if form.validated_data["side"] == "code":
            set_owner_from_code(pipeline, shown=shown)
        else:
            keep_current_owner(pipeline, by=request_user(request), at=timezone.now(), shown=shown)
        return Response(status=204)
