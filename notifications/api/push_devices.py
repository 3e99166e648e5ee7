"""API views for devices with push."""

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action, api_view
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.fields import LineField
from notifications.api.notifications import MessageSerializer
from notifications.domain.device_names import device_name
from notifications.models import PushDevice
from notifications.queries.push_devices import devices_for
from notifications.services import push_devices as services
from people.permissions import request_user


class PushDeviceSerializer(serializers.ModelSerializer[PushDevice]):
    """A browser that shows the caller's push messages. Its endpoint and keys are never returned, only the push service's host."""

    created_at = serializers.DateTimeField(read_only=True, default_timezone=dt.UTC)
    confirmed_at = serializers.DateTimeField(
        read_only=True, allow_null=True, default_timezone=dt.UTC, help_text="When the user confirmed a test message."
    )
    last_delivered_at = serializers.DateTimeField(
        read_only=True, allow_null=True, default_timezone=dt.UTC, help_text="When its push service accepted a message."
    )
    switched_off_at = serializers.DateTimeField(
        read_only=True, allow_null=True, default_timezone=dt.UTC, help_text="Nothing is sent to it since then."
    )

    class Meta:
        model = PushDevice
        fields = (
            "id",
            "name",
            "service",
            "created_at",
            "confirmed_at",
            "last_delivered_at",
            "problem",
            "switched_off_at",
        )
        read_only_fields = ("service", "problem")


class SubscriptionKeysSerializer(serializers.Serializer[Any]):
    """The keys of a browser's subscription, as base64url text (RFC 8291)."""

    p256dh = LineField(max_length=200)
    auth = LineField(max_length=100)


class NewPushDeviceSerializer(serializers.Serializer[Any]):
    """A subscription as `PushSubscription.toJSON()` returns it, and a name for the device."""

    endpoint = LineField(max_length=2000)
    keys = SubscriptionKeysSerializer()
    expirationTime = serializers.FloatField(  # noqa: N815  # the browser's name of the field
        required=False, allow_null=True, help_text="Ignored: a push service reports a subscription that has expired."
    )
    name = LineField(max_length=services.MAX_NAME_LENGTH, required=False, allow_blank=True)


class DeviceNameSerializer(serializers.Serializer[Any]):
    """A new name."""

    name = LineField(max_length=services.MAX_NAME_LENGTH)


class DeviceCodeSerializer(serializers.Serializer[Any]):
    """The code in the link of a test message."""

    code = LineField(max_length=200)


class PushKeySerializer(serializers.Serializer[Any]):
    """The site's public key."""

    public_key = serializers.CharField(read_only=True, help_text="The `applicationServerKey` of a subscription.")


class PushDeviceViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[PushDevice]):
    """The caller's devices with push, oldest first."""

    serializer_class = PushDeviceSerializer
    lookup_value_regex = "[0-9]{1,15}"

    def get_queryset(self) -> QuerySet[PushDevice]:
        """Return the caller's devices."""
        if getattr(self, "swagger_fake_view", False):
            return PushDevice.objects.none()
        return devices_for(request_user(self.request))

    @extend_schema(request=NewPushDeviceSerializer, responses={201: PushDeviceSerializer})
    def create(self, request: Request) -> Response:
        """Add a browser's subscription and turn on push, or replace the keys of the subscription with the same endpoint."""
        serializer = NewPushDeviceSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        fields: dict[str, Any] = serializer.validated_data
        name = fields.get("name") or device_name(request.headers.get("User-Agent", ""))
        row = services.add_device(request_user(request), endpoint=fields["endpoint"], name=name, **fields["keys"])
        return Response(self.get_serializer(row).data, status=201)

    @extend_schema(request=DeviceNameSerializer, responses=PushDeviceSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Rename a device."""
        device = self.get_object()
        serializer = DeviceNameSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return Response(self.get_serializer(services.rename_device(device, **serializer.validated_data)).data)

    def destroy(self, request: Request, pk: str) -> Response:
        """Remove a device. Nothing more is sent to it."""
        services.remove_device(self.get_object())
        return Response(status=204)

    @extend_schema(request=None, responses={201: MessageSerializer})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Send a test message to a device; at most one a minute."""
        message = services.send_device_test(self.get_object())
        return Response(MessageSerializer(message).data, status=201)

    @extend_schema(request=DeviceCodeSerializer, responses=PushDeviceSerializer)
    @action(detail=True, methods=["post"])
    def confirm(self, request: Request, pk: str) -> Response:
        """Confirm that a test message arrived, with the code in its link."""
        device = self.get_object()
        serializer = DeviceCodeSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        return Response(self.get_serializer(services.confirm_device(device, **serializer.validated_data)).data)


@extend_schema(request=None, responses=PushKeySerializer)
@api_view(["POST"])
def push_key(request: Request) -> Response:
    """Return the site's public key, which a browser needs to subscribe. The first call generates it."""
    return Response(PushKeySerializer({"public_key": services.ensure_site_key().public_text}).data)
