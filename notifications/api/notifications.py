"""API views for messages and notification preferences."""

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django_filters.filterset import FilterSet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action, api_view
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.fields import LineField, ListField, TimeOfDayField
from common.api.filters import BooleanFilter, ListFilterBackend, WordFilter
from common.identifiers import ID_PATTERN
from notifications.domain.rules import Step
from notifications.models import MAX_DELAY_MINUTES, Message
from notifications.queries.contact_methods import email_rejections
from notifications.queries.outbox import all_messages, message_link, messages_for
from notifications.queries.preferences import preferences_for, quiet_hours_for, rule_sets_for
from notifications.services import delivery, preferences
from notifications.services.channel_tests import send_test
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


class EveryoneFilter(BooleanFilter):
    """Everyone's messages if true, else those of the caller."""

    def filter(self, qs: QuerySet[Any], value: object) -> QuerySet[Any]:
        """Return the rows, or without this flag the caller's."""
        return qs if value else qs.filter(recipient=request_user(self.parent.request))  # type: ignore[attr-defined]  # django-filter sets it


class MessageFilter(FilterSet):
    """Filters of the list."""

    state = WordFilter(choices=Message.State.choices, help_text="Return messages in this state only.")
    everyone = EveryoneFilter(help_text="Return everyone's messages. Admins only.")


class MessageViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[Message]):
    """The caller's messages, newest first. Admins can list everyone's and retry failed messages."""

    serializer_class = MessageSerializer
    lookup_value_regex = ID_PATTERN
    filter_backends = [ListFilterBackend]
    filterset_class = MessageFilter

    def get_queryset(self) -> QuerySet[Message]:
        """Return the messages that the caller may read: their own, or everyone's for an admin."""
        if getattr(self, "swagger_fake_view", False):
            return all_messages()
        person = request_user(self.request)
        return all_messages() if person.is_staff else messages_for(person)

    @extend_schema(request=None, responses=MessageSerializer)
    @action(detail=True, methods=["post"], url_path="retry")
    def retry(self, request: Request, pk: str) -> Response:
        """Retry a failed message. Admins only."""
        message = self.get_object()
        delivery.retry_message(message, by=request_user(request))
        return Response(self.get_serializer(all_messages().get(pk=message.pk)).data)


# More than the site has.
MAX_TYPES = 200


class TypePreferenceSerializer(serializers.Serializer[Any]):
    """A notification type and the channels by which the caller gets it. Urgent types follow the notification rules."""

    type = LineField(max_length=40)
    label = serializers.CharField(read_only=True)  # type: ignore[assignment]  # DRF takes declared fields off the class
    urgent = serializers.BooleanField(read_only=True)
    channels = ListField(child=serializers.ChoiceField(Message.Channel.choices), max_length=10)


class PreferencesSerializer(serializers.Serializer[Any]):
    """Notification preferences: channels by type, and quiet hours in the caller's time zone (null for none)."""

    quiet_from = TimeOfDayField(allow_null=True, required=False)
    quiet_until = TimeOfDayField(allow_null=True, required=False)
    quiet_weekends = serializers.BooleanField(
        required=False, default=False, help_text="True if the whole weekend is quiet too."
    )
    types = TypePreferenceSerializer(many=True, required=False, max_length=MAX_TYPES)  # type: ignore[call-arg]  # DRF passes it to the list
    email_problem = serializers.CharField(
        read_only=True, help_text="Why the mail server rejects the caller's e-mail address; empty if it does not."
    )

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
        channels = {row["type"]: row["channels"] for row in fields.get("types", [])}
        weekends = fields["quiet_weekends"]
        quiet_hours = preferences.Quiet(start, end, weekends) if start is not None and end is not None else None
        preferences.update_preferences(person, channels=channels, quiet=quiet_hours)
    quiet, rejection = quiet_hours_for(person), email_rejections([person]).first()
    answer = {
        "quiet_from": quiet.starts_at if quiet else None,
        "quiet_until": quiet.ends_at if quiet else None,
        "quiet_weekends": quiet is not None and quiet.weekends,
        "types": [
            {"type": row.type.name, "label": row.type.label, "urgent": row.type.urgent, "channels": row.channels}
            for row in preferences_for(person)
        ],
        "email_problem": rejection.problem if rejection else "",
    }
    return Response(PreferencesSerializer(answer).data)


class StepSerializer(serializers.Serializer[Any]):
    """A step of notification rules: a channel, and how long after the event."""

    channel = serializers.ChoiceField(Message.Channel.choices)
    after_minutes = serializers.IntegerField(min_value=0, max_value=MAX_DELAY_MINUTES, source="delay_minutes")


class RulesSerializer(serializers.Serializer[Any]):
    """Notification rules by urgency, and the same in words. An empty list restores the default."""

    high = StepSerializer(many=True, required=False, max_length=preferences.MAX_RULES)  # type: ignore[call-arg]  # DRF passes it to the list
    low = StepSerializer(many=True, required=False, max_length=preferences.MAX_RULES)  # type: ignore[call-arg]  # DRF passes it to the list
    high_in_words = serializers.CharField(read_only=True)
    low_in_words = serializers.CharField(read_only=True)


@extend_schema(methods=["GET"], responses=RulesSerializer)
@extend_schema(methods=["PUT"], request=RulesSerializer, responses=RulesSerializer)
@api_view(["GET", "PUT"])
def notification_rules(request: Request) -> Response:
    """Return the caller's notification rules, or replace those of the urgencies in the request."""
    person = request_user(request)
    if request.method == "PUT":
        serializer = RulesSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        rules = {
            urgency: [Step(step["delay_minutes"], step["channel"]) for step in steps]
            for urgency, steps in serializer.validated_data.items()
        }
        preferences.update_rules(person, rules=rules)
    answer: dict[str, Any] = {}
    for row in rule_sets_for(person):
        answer |= {row.urgency.value: row.steps, f"{row.urgency.value}_in_words": row.text}
    return Response(RulesSerializer(answer).data)


class ChannelSerializer(serializers.Serializer[Any]):
    """The channel of a test message."""

    channel = serializers.ChoiceField(Message.Channel.choices)


@extend_schema(request=ChannelSerializer, responses={201: MessageSerializer})
@api_view(["POST"])
def send_test_message(request: Request) -> Response:
    """Send the caller a test message by one channel; at most one a minute per channel."""
    serializer = ChannelSerializer(data=request.data)
    serializer.is_valid(raise_exception=True)
    message = send_test(request_user(request), channel=serializer.validated_data["channel"])
    return Response(MessageSerializer(message).data, status=201)
