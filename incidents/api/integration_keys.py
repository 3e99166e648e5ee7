"""API of integration keys. Admins only."""

from typing import Any

from django.utils import timezone
from django_filters.filterset import FilterSet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.fields import LineField
from common.api.filters import ListFilterBackend, SlugFilter
from common.identifiers import ID_PATTERN
from incidents.models import MAX_KEY_NAME_LENGTH, IntegrationKey
from incidents.services.integration_keys import create_integration_key, revoke_integration_key
from people.permissions import IsAdmin, request_user
from people.serializers import UsernameField
from pipelines.models import Pipeline
from pipelines.serializers import PipelineField


class IntegrationKeySerializer(serializers.ModelSerializer[IntegrationKey]):
    """An integration key of a pipeline. Only the start of its secret is shown."""

    pipeline = PipelineField()
    name = LineField(max_length=MAX_KEY_NAME_LENGTH)
    created_by = UsernameField(read_only=True)

    class Meta:
        model = IntegrationKey
        fields: tuple[str, ...] = ("id", "pipeline", "name", "prefix", "created_at", "created_by", "last_used_at")
        read_only_fields = ("prefix", "created_at", "last_used_at")
        # The service validates, with messages for people.
        validators: list[Any] = []


class NewIntegrationKeySerializer(IntegrationKeySerializer):
    """A new integration key with its secret, the `routing_key` for events. The secret is returned only once."""

    routing_key = serializers.SerializerMethodField()

    class Meta(IntegrationKeySerializer.Meta):
        fields = (*IntegrationKeySerializer.Meta.fields, "routing_key")

    def get_routing_key(self, _key: IntegrationKey) -> str:
        """Return the secret, which only the view that created the key has."""
        return str(self.context["secret"])


class IntegrationKeyFilter(FilterSet):
    """Filters of the list."""

    pipeline = SlugFilter(noun="pipeline", queryset=Pipeline.objects.order_by("pk"), help_text="Slug of a pipeline.")


class IntegrationKeyViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[IntegrationKey]):
    """Active integration keys, with which tools send events to a pipeline. Admins only."""

    serializer_class = IntegrationKeySerializer
    permission_classes = [IsAdmin]
    queryset = IntegrationKey.objects.active().select_related("pipeline", "created_by")
    lookup_value_regex = ID_PATTERN
    filter_backends = [ListFilterBackend]
    filterset_class = IntegrationKeyFilter

    @extend_schema(request=IntegrationKeySerializer, responses={201: NewIntegrationKeySerializer})
    def create(self, request: Request) -> Response:
        """Create an integration key for a pipeline. The key is returned only in this response."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        fields = serializer.validated_data
        new = create_integration_key(fields["pipeline"], name=fields["name"], by=request_user(request))
        row = NewIntegrationKeySerializer(new.key, context={"secret": new.secret}).data
        return Response(row, status=status.HTTP_201_CREATED)

    def destroy(self, request: Request, pk: str) -> Response:
        """Revoke an integration key. Events sent with it are then rejected."""
        revoke_integration_key(self.get_object(), by=request_user(request), at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)
