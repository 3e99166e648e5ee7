"""API views for the caller's calendar feeds."""

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from calendar_feeds.models import FeedToken
from calendar_feeds.queries import active_feeds, feed_url
from calendar_feeds.services import create_feed, revoke_feed
from people.permissions import request_user
from scheduling.api.serializers import RotationField


class FeedSerializer(serializers.ModelSerializer[FeedToken]):
    """A calendar feed: a rotation's, or the caller's own calendar if it has no rotation. Only the start of its secret is shown."""

    rotation = RotationField(required=False, allow_null=True)

    class Meta:
        model = FeedToken
        fields = ("id", "rotation", "prefix", "created_at", "last_used_at")
        read_only_fields = ("prefix", "created_at", "last_used_at")


class NewFeedSerializer(FeedSerializer):
    """A new feed with its full URL, which is returned only once."""

    url = serializers.SerializerMethodField()

    class Meta(FeedSerializer.Meta):
        fields = (*FeedSerializer.Meta.fields, "url")  # type: ignore[assignment]  # extends the parent's fields

    def get_url(self, _token: FeedToken) -> str:
        """Return the URL with the secret, which only the view that created the feed has."""
        return feed_url(self.context["secret"])


@extend_schema_view(destroy=extend_schema(description="Revoke a feed. Its URL stops working immediately."))
class FeedViewSet(
    mixins.RetrieveModelMixin, mixins.ListModelMixin, mixins.DestroyModelMixin, viewsets.GenericViewSet[FeedToken]
):
    """The caller's active calendar feeds, newest first."""

    serializer_class = FeedSerializer
    lookup_value_regex = "[0-9]{1,15}"

    def get_queryset(self) -> QuerySet[FeedToken]:
        """Return the caller's active feeds."""
        if getattr(self, "swagger_fake_view", False):
            return FeedToken.objects.order_by("pk")
        return active_feeds(request_user(self.request))

    @extend_schema(request=FeedSerializer, responses={201: NewFeedSerializer})
    def create(self, request: Request) -> Response:
        """Create a feed of your own calendar or of a rotation. The URL is returned only in this response."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        rotation = serializer.validated_data.get("rotation")
        new_feed = create_feed(request_user(request), rotation=rotation, at=timezone.now())
        row = NewFeedSerializer(new_feed.token, context={"secret": new_feed.secret}).data
        return Response(row, status=status.HTTP_201_CREATED)

    def perform_destroy(self, instance: FeedToken) -> None:
        """Revoke a feed. Its URL stops working immediately."""
        revoke_feed(instance, by=request_user(self.request), at=timezone.now())
