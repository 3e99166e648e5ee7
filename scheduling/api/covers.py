"""API endpoints for covers."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.fields import InstantField, LineField
from common.api.filters import ListFilterBackend
from people.permissions import request_user
from people.serializers import UsernameField
from scheduling.api.filters import CoverFilter
from scheduling.api.serializers import RotationField
from scheduling.models import Cover
from scheduling.services.covers import CoverData, create_cover, end_cover


class CoverSerializer(serializers.ModelSerializer[Cover]):
    """A part of a rotation's time that one engineer takes over from another; `covers` is the covered engineer."""

    rotation = RotationField()
    engineer = UsernameField(required=False)
    covers = UsernameField(source="covered_engineer", read_only=True)
    starts_at = InstantField(required=False)
    ends_at = InstantField()
    reason = LineField(required=False, allow_blank=True, max_length=200, default="")
    acknowledge_conflicts = serializers.BooleanField(write_only=True, required=False, default=False)

    class Meta:
        model = Cover
        fields = ("id", "rotation", "engineer", "starts_at", "ends_at", "covers", "reason", "acknowledge_conflicts")
        # Skip the serializer's validators: the service explains overlaps in words.
        validators: list[Any] = []


class CoverViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[Cover]):
    """Covers: take over a rotation, let another engineer cover part of it, or end a cover early."""

    queryset = Cover.objects.select_related("rotation", "engineer", "covered_engineer").order_by("-starts_at", "-pk")
    serializer_class = CoverSerializer
    filter_backends = (ListFilterBackend,)
    filterset_class = CoverFilter
    lookup_value_regex = "[0-9]{1,15}"

    def create(self, request: Request) -> Response:
        """Create a cover. The engineer defaults to you and the start to now."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        fields, person, at = serializer.validated_data, request_user(request), timezone.now()
        span = CoverData(
            engineer=fields.get("engineer", person),
            starts_at=fields.get("starts_at", at),
            ends_at=fields["ends_at"],
            reason=fields["reason"],
        )
        cover = create_cover(
            fields["rotation"], data=span, by=person, at=at, acknowledge_conflicts=fields["acknowledge_conflicts"]
        )
        return Response(self.get_serializer(cover).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """End a cover now, or cancel it before it starts."""
        end_cover(self.get_object(), by=request_user(request), at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)
