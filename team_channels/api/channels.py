"""API of the channels of pipelines and rotations."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import (
    OpenApiCallback,
    OpenApiResponse,
    extend_schema,
    extend_schema_serializer,
    extend_schema_view,
)
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.fields import LineField, ListField
from common.api.lists import paginate_list
from common.identifiers import ID_PATTERN
from people.permissions import request_user
from people.serializers import UsernameField
from pipelines.models import Pipeline
from scheduling.models import Rotation
from team_channels.domain.events import EVENTS
from team_channels.models import MAX_NAME_LENGTH, ChannelDelivery, TeamChannel
from team_channels.queries import channel_deliveries, owner_channels
from team_channels.services.channels import (
    add_channel,
    delete_channel,
    redeliver,
    rotate_secret,
    send_test,
    update_channel,
)

MAX_ADDRESS_LENGTH = 2000


class TeamChannelSerializer(serializers.ModelSerializer[TeamChannel]):
    """A channel and its health. The address is never returned, only its host.

    `is_active` is false if someone turned it off (`switched_off_by`) or if its service says that it no longer exists.
    """

    name = LineField(max_length=MAX_NAME_LENGTH)
    address = LineField(max_length=MAX_ADDRESS_LENGTH, write_only=True)
    user_group = LineField(
        max_length=32,
        required=False,
        allow_blank=True,
        help_text="Slack’s ID of the user group whose members are the engineers on call; only for Slack channels of rotations.",
    )
    events = ListField(
        child=serializers.ChoiceField(choices=list(EVENTS)),
        max_length=len(EVENTS),
        help_text="Events that the channel receives. Pipelines have no shift events.",
    )
    is_active = serializers.BooleanField(read_only=True)
    created_by = UsernameField(read_only=True, allow_null=True)
    switched_off_by = UsernameField(read_only=True, allow_null=True)

    class Meta:
        model = TeamChannel
        fields: tuple[str, ...] = (
            "id",
            "kind",
            "name",
            "address",
            "shown_as",
            "user_group",
            "events",
            "is_active",
            "last_delivered_at",
            "problem",
            "problem_at",
            "switched_off_at",
            "switched_off_by",
            "created_at",
            "created_by",
        )
        read_only_fields: ClassVar[tuple[str, ...]] = (
            "shown_as",
            "last_delivered_at",
            "problem",
            "problem_at",
            "switched_off_at",
            "created_at",
        )
        # The service validates, with messages for people.
        validators: ClassVar[list[Any]] = []


class TeamChannelChangeSerializer(serializers.Serializer[Any]):
    """The editable fields of a channel. A new `address` turns on a channel whose old address no longer existed."""

    name = LineField(max_length=MAX_NAME_LENGTH, required=False)
    address = LineField(max_length=MAX_ADDRESS_LENGTH, required=False)
    user_group = LineField(max_length=32, required=False, allow_blank=True)
    events = ListField(child=serializers.ChoiceField(choices=list(EVENTS)), max_length=len(EVENTS), required=False)
    is_active = serializers.BooleanField(required=False)


class NewTeamChannelSerializer(TeamChannelSerializer):
    """A channel with the secret that signs its webhooks. The secret is returned only once."""

    secret = serializers.SerializerMethodField(help_text="Empty unless the channel is a webhook.")

    class Meta(TeamChannelSerializer.Meta):
        fields = (*TeamChannelSerializer.Meta.fields, "secret")

    def get_secret(self, _channel: TeamChannel) -> str:
        """Return the secret, which only the view that created it has."""
        return str(self.context["secret"])


class ChannelDeliverySerializer(serializers.ModelSerializer[ChannelDelivery]):
    """A message to a channel and its delivery. `event_id` is the ID that receivers get, the same for every attempt."""

    class Meta:
        model = ChannelDelivery
        fields = (
            "id",
            "event",
            "event_id",
            "occurred_at",
            "title",
            "state",
            "attempts",
            "response_status",
            "problem",
            "created_at",
            "sent_at",
            "retry_at",
        )


@extend_schema_serializer(component_name="WebhookEvent")
class WebhookEventSerializer(serializers.Serializer[Any]):
    """The body of a request to a webhook channel, signed as Standard Webhooks specifies.

    `Webhook-Id` is the event's `id`, `Webhook-Timestamp` the Unix time of the attempt. `Webhook-Signature` is `v1,` and the Base64 of
    HMAC-SHA256 over `<id>.<timestamp>.<body>`, by the Base64-decoded key after `whsec_`. For 24 hours after a secret
    is replaced, requests also have a signature by the old secret, separated by a space.
    """

    version = serializers.IntegerField(help_text="1. It increases when a field is removed or changes its meaning.")
    id = serializers.CharField(
        help_text="Identifies the event, the same for every attempt. Ignore an ID that you have already received."
    )
    type = serializers.ChoiceField(choices=[*EVENTS, "test"])
    occurred_at = serializers.DateTimeField()
    title = serializers.CharField(max_length=250)
    text = serializers.CharField(allow_blank=True, max_length=2000)
    url = serializers.CharField(help_text="The page that the event is about.")
    data = serializers.DictField(  # type: ignore[assignment]  # the name of the field in the payload
        help_text="For incident events `incident`, `by` and `note`; for check events `check` or `external_check`; for restatement events `pipeline`, `day`, `restatements` (at most 100) and `restatements_total`; for shift events `rotation`, `engineer`, `starts_at`, `ends_at`."
    )


WEBHOOK_EVENT = OpenApiCallback(
    name="event",
    path="$request.body#/address",
    decorator=extend_schema(
        request=WebhookEventSerializer,
        responses={200: OpenApiResponse(description="Any status from 200 to 299 accepts the event.")},
        summary="An event, sent to a webhook channel.",
        tags=["Integrations"],
    ),
)


@extend_schema_view(
    list=extend_schema(description="List the channels."),
    retrieve=extend_schema(description="Return a channel."),
)
class TeamChannelViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[TeamChannel]):
    """Chat channels and webhooks that receive the events of a pipeline or a rotation."""

    serializer_class = TeamChannelSerializer
    lookup_value_regex = ID_PATTERN
    queryset = TeamChannel.objects.none()

    def get_queryset(self) -> QuerySet[TeamChannel]:
        """Return the channels of the pipeline or rotation in the path."""
        if getattr(self, "swagger_fake_view", False):
            return TeamChannel.objects.none()
        return owner_channels(self.get_owner())

    def get_owner(self) -> Pipeline | Rotation:
        """Return the pipeline or rotation in the path, or raise Http404."""
        return self.find_owner(self.kwargs["slug"])

    def find_owner(self, slug: str) -> Pipeline | Rotation:
        """Return the pipeline or rotation with a slug, or raise Http404."""
        raise NotImplementedError

    @extend_schema(request=TeamChannelSerializer, responses={201: NewTeamChannelSerializer}, callbacks=[WEBHOOK_EVENT])
    def create(self, request: Request, slug: str) -> Response:
        """Add a channel. The secret of a webhook is returned only in this response."""
        owner = self.get_owner()
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        new = add_channel(owner, by=request_user(request), **serializer.validated_data)
        row = NewTeamChannelSerializer(new.channel, context={"secret": new.secret}).data
        return Response(row, status=status.HTTP_201_CREATED)

    @extend_schema(request=TeamChannelChangeSerializer, responses=TeamChannelSerializer)
    def partial_update(self, request: Request, slug: str, pk: str) -> Response:
        """Change a channel's name, address or events, or turn it off or on.

        Turning it off drops its pending messages.
        """
        channel = self.get_object()
        serializer = TeamChannelChangeSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        row = update_channel(channel, by=request_user(request), **serializer.validated_data)
        return Response(self.get_serializer(row).data)

    def destroy(self, request: Request, slug: str, pk: str) -> Response:
        """Delete a channel with its delivery log."""
        delete_channel(self.get_object(), by=request_user(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses={201: ChannelDeliverySerializer})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, slug: str, pk: str) -> Response:
        """Post a test message; at most one a minute."""
        row = send_test(self.get_object(), by=request_user(request))
        return Response(ChannelDeliverySerializer(row).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=NewTeamChannelSerializer)
    @action(detail=True, methods=["post"], url_path="rotate-secret")
    def rotate_secret(self, request: Request, slug: str, pk: str) -> Response:
        """Create a new secret for a webhook, returned only in this response. For 24 hours, requests are also signed with the old secret. At most 5 new secrets in 24 hours."""
        new = rotate_secret(self.get_object(), by=request_user(request))
        return Response(NewTeamChannelSerializer(new.channel, context={"secret": new.secret}).data)

    @extend_schema(responses=ChannelDeliverySerializer(many=True))
    @action(detail=True, methods=["get"])
    def deliveries(self, request: Request, slug: str, pk: str) -> Response:
        """List the messages to a channel, newest first."""
        return paginate_list(self, request, channel_deliveries(self.get_object()), serializer=ChannelDeliverySerializer)

    @extend_schema(request=None, responses=ChannelDeliverySerializer)
    @action(detail=True, methods=["post"], url_path=f"deliveries/(?P<delivery>{ID_PATTERN})/redeliver")
    def redeliver(self, request: Request, slug: str, pk: str, delivery: str) -> Response:
        """Send a message again, with the same ID."""
        row = get_object_or_404(channel_deliveries(self.get_object()).select_related("channel"), pk=delivery)
        return Response(ChannelDeliverySerializer(redeliver(row, by=request_user(request))).data)


class PipelineChannelViewSet(TeamChannelViewSet):
    """Channels of a pipeline. Only admins and the pipeline's owners can change them."""

    def find_owner(self, slug: str) -> Pipeline:
        return get_object_or_404(Pipeline, slug=slug)


class RotationChannelViewSet(TeamChannelViewSet):
    """Channels of a rotation, which also receive the incidents of its pipelines. Only admins can change them."""

    def find_owner(self, slug: str) -> Rotation:
        return get_object_or_404(Rotation, slug=slug)
