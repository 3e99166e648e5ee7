"""API views for messages and notification preferences."""

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action, api_view
from rest_framework.request import Request
from rest_framework.response import Response

from common.exceptions import InvalidInputError
from notifications.models import Message
from notifications.queries.outbox import all_messages, message_link, messages_for
from notifications.queries.preferences import chat_address_for, preferences_for, quiet_hours_for
from notifications.services import delivery
from notifications.services.preferences import Channels, Quiet, update_preferences
from people.models import User
from people.permissions import request_user


class MessageSerializer(serializers.ModelSerializer[Message]):
    """A notification for one user through one channel, with its delivery state."""

    recipient = serializers.SlugRelatedField[User](slug_field="username", read_only=True)
    link = serializers.SerializerMethodField(help_text="URL of the page it is about; empty without one.")
    due_at = serializers.DateTimeField(read_only=True, default_timezone=dt.UTC)
    expires_at = serializers.DateTimeField(read_only=True, default_timezone=dt.UTC)
    retry_at = serializers.DateTimeField(read_only=True, default_timezone=dt.UTC)
    sent_at = serializers.DateTimeField(read_only=True, default_timezone=dt.UTC)
    created_at = serializers.DateTimeField(read_only=True, default_timezone=dt.UTC)

    class Meta:
        model = Message
        fields = (
            "id",
            "type",
            "recipient",
            "channel",
            "urgent",
            "subject",
            "text",
            "link",
            "state",
            "attempts",
            "problem",
            "due_at",
            "expires_at",
            "retry_at",
            "sent_at",
            "created_at",
        )
        read_only_fields = fields

    def get_link(self, message: Message) -> str:
        return message_link(message)


@extend_schema_view(
    list=extend_schema(
        parameters=[
            OpenApiParameter("state", OpenApiTypes.STR, description="Return messages in this state only."),
            OpenApiParameter("everyone", OpenApiTypes.BOOL, description="Return everyone's messages. Admins only."),
        ]
    )
)
class MessageViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[Message]):
    """The caller's messages, newest first. Admins can list everyone's and retry failed messages."""

    serializer_class = MessageSerializer
    lookup_value_regex = "[0-9]{1,15}"

    def get_queryset(self) -> QuerySet[Message]:
        """Return the caller's messages, or everyone's for an admin who sets `everyone`."""
        if getattr(self, "swagger_fake_view", False):
            return all_messages()
        person = request_user(self.request)
        everyone = self.request.query_params.get("everyone", "") == "true" or self.action != "list"
        rows = all_messages() if everyone and person.is_staff else messages_for(person)
        state = self.request.query_params.get("state", "")
        if state and state not in Message.State.values:
            raise InvalidInputError({"state": [f"Choose one of {', '.join(Message.State.values)}."]})
        return rows.filter(state=state) if state else rows

    @extend_schema(request=None, responses=MessageSerializer)
    @action(detail=True, methods=["post"], url_path="retry")
    def retry(self, request: Request, pk: str) -> Response:
        """Retry a failed message. Admins only."""
        message = self.get_object()
        delivery.retry_message(message, by=request_user(request))
        return Response(self.get_serializer(all_messages().get(pk=message.pk)).data)


class TypePreferenceSerializer(serializers.Serializer[Any]):
    """A notification type and the channels enabled for the caller."""

    type = serializers.CharField(max_length=40)
    label = serializers.CharField(read_only=True)  # type: ignore[assignment]  # DRF takes declared fields off the class
    urgent = serializers.BooleanField(read_only=True)
    email = serializers.BooleanField()
    chat = serializers.BooleanField()


class PreferencesSerializer(serializers.Serializer[Any]):
    """Notification preferences: channels by type, and quiet hours in the caller's time zone (null for none)."""

    quiet_from = serializers.TimeField(allow_null=True, required=False)
    quiet_until = serializers.TimeField(allow_null=True, required=False)
    chat_service = serializers.CharField(read_only=True, allow_null=True)
    types = TypePreferenceSerializer(many=True, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return the data; raise ValidationError if only one of the two times is given."""
        if (attrs.get("quiet_from") is None) != (attrs.get("quiet_until") is None):
            raise serializers.ValidationError({"quiet_until": ["Set both times or neither."]})
        return attrs


@extend_schema(methods=["GET"], responses=PreferencesSerializer)
@extend_schema(methods=["PUT"], request=PreferencesSerializer, responses=PreferencesSerializer)
@api_view(["GET", "PUT"])
def notification_preferences(request: Request) -> Response:
    """Return the caller's notification preferences, or update the quiet hours and the listed types."""
    person = request_user(request)
    if request.method == "PUT":
        serializer = PreferencesSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        fields: dict[str, Any] = serializer.validated_data
        start, end = fields.get("quiet_from"), fields.get("quiet_until")
        channels = {row["type"]: Channels(row["email"], row["chat"]) for row in fields.get("types", [])}
        quiet_hours = Quiet(start, end) if start is not None and end is not None else None
        update_preferences(person, channels=channels, quiet=quiet_hours)
    quiet, chat = quiet_hours_for(person), chat_address_for(person)
    answer = {
        "quiet_from": quiet.starts_at if quiet else None,
        "quiet_until": quiet.ends_at if quiet else None,
        "chat_service": chat.service if chat else None,
        "types": [
            {
                "type": row.type.name,
                "label": row.type.label,
                "urgent": row.type.urgent,
                "email": row.email,
                "chat": row.chat,
            }
            for row in preferences_for(person)
        ],
    }
    return Response(PreferencesSerializer(answer).data)
