"""The API's calls about the caller's calendar feeds."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from calendar_feeds.models import FeedToken
from calendar_feeds.queries import address_of, feeds_of
from calendar_feeds.services import create_feed, revoke_feed
from handoffs.api.handoffs import LINK
from people.permissions import request_user
from scheduling.models import Rotation


class FeedSerializer(serializers.ModelSerializer[FeedToken]):
    """The address of a calendar feed, of which only the beginning is kept: a rotation's, or without one the caller's own."""

    rotation = serializers.SlugRelatedField(
        slug_field="slug", queryset=Rotation.objects.order_by("pk"), required=False, allow_null=True
    )

    class Meta:
        model = FeedToken
        fields = ("id", "rotation", "prefix", "created_at", "last_used_at")
        read_only_fields = ("prefix", "created_at", "last_used_at")


class NewFeedSerializer(FeedSerializer):
    """A feed just made, with the address that is answered this once."""

    address = serializers.CharField(read_only=True)

    class Meta(FeedSerializer.Meta):
        fields = (*FeedSerializer.Meta.fields, "address")  # type: ignore[assignment]  # one field more


@extend_schema_view(destroy=extend_schema(description="Revoke an address: from now on it opens nothing."))
class FeedViewSet(
    mixins.RetrieveModelMixin, mixins.ListModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet[FeedToken]
):
    """The caller's feed addresses that are not revoked, newest first."""

    serializer_class = FeedSerializer
    lookup_value_regex = LINK

    def get_queryset(self) -> QuerySet[FeedToken]:
        """Return the caller's own."""
        if getattr(self, "swagger_fake_view", False):
            return FeedToken.objects.order_by("pk")
        return feeds_of(request_user(self.request))

    @extend_schema(request=FeedSerializer, responses={201: NewFeedSerializer})
    def create(self, request: Request) -> Response:
        """Make an address of the caller's own calendar or of a rotation's; it is answered this once."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        rotation = given.validated_data.get("rotation")
        made = create_feed(request_user(request), rotation=rotation, at=timezone.now())
        answer: dict[str, Any] = {**self.get_serializer(made.token).data, "address": address_of(made.secret)}
        return Response(answer, status=status.HTTP_201_CREATED)

    def perform_destroy(self, instance: FeedToken) -> None:
        """Revoke the address."""
        revoke_feed(instance, by=request_user(self.request), at=timezone.now())
