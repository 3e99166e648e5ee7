"""API views for the caller's calendar feeds."""

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
    """A calendar feed: a rotation's, or the caller's own calendar if it has no rotation. Only the start of its address is shown."""

    rotation = serializers.SlugRelatedField(
        slug_field="slug", queryset=Rotation.objects.order_by("pk"), required=False, allow_null=True
    )

    class Meta:
        model = FeedToken
        fields = ("id", "rotation", "prefix", "created_at", "last_used_at")
        read_only_fields = ("prefix", "created_at", "last_used_at")


class NewFeedSerializer(FeedSerializer):
    """A new feed with its full address, which is returned only once."""

    address = serializers.CharField(read_only=True)

    class Meta(FeedSerializer.Meta):
        fields = (*FeedSerializer.Meta.fields, "address")  # type: ignore[assignment]  # extends the parent's fields


@extend_schema_view(destroy=extend_schema(description="Revoke an address: from now on it opens nothing."))
class FeedViewSet(
    mixins.RetrieveModelMixin, mixins.ListModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet[FeedToken]
):
    """The caller's active calendar feeds, newest first."""

    serializer_class = FeedSerializer
    lookup_value_regex = LINK

    def get_queryset(self) -> QuerySet[FeedToken]:
        """Return the caller's active feeds."""
        if getattr(self, "swagger_fake_view", False):
            return FeedToken.objects.order_by("pk")
        return feeds_of(request_user(self.request))

    @extend_schema(request=FeedSerializer, responses={201: NewFeedSerializer})
    def create(self, request: Request) -> Response:
        """Create a feed of your own calendar or of a rotation. The address is returned only in this response."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        rotation = given.validated_data.get("rotation")
        made = create_feed(request_user(request), rotation=rotation, at=timezone.now())
        answer: dict[str, Any] = {**self.get_serializer(made.token).data, "address": address_of(made.secret)}
        return Response(answer, status=status.HTTP_201_CREATED)

    def perform_destroy(self, instance: FeedToken) -> None:
        """Revoke a feed. Its address stops working immediately."""
        revoke_feed(instance, by=request_user(self.request), at=timezone.now())
