"""API of the caller's contact methods."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.fields import LineField
from common.identifiers import ID_PATTERN
from notifications.api.notifications import MessageSerializer
from notifications.models import ContactMethod
from notifications.services.channel_tests import send_method_test
from notifications.services.contact_methods import (
    remove_contact_method,
    send_code,
    set_contact_method,
    verify_contact_method,
)
from people.permissions import request_user


class ContactMethodSerializer(serializers.ModelSerializer[ContactMethod]):
    """The caller's address for a channel, and its health. The address is never returned, only the service or host."""

    address = LineField(max_length=2000, write_only=True)

    class Meta:
        model = ContactMethod
        fields = (
            "id",
            "channel",
            "address",
            "shown_as",
            "created_at",
            "verified_at",
            "last_delivered_at",
            "problem",
            "switched_off_at",
        )
        read_only_fields = (
            "shown_as",
            "created_at",
            "verified_at",
            "last_delivered_at",
            "problem",
            "switched_off_at",
        )


class CodeSerializer(serializers.Serializer[Any]):
    """The code that was sent to a contact method."""

    code = LineField(max_length=20)


class ContactMethodViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[ContactMethod]):
    """The caller's contact methods other than e-mail and push, several per channel. Each is verified by a code."""

    serializer_class = ContactMethodSerializer
    lookup_value_regex = ID_PATTERN

    def get_queryset(self) -> QuerySet[ContactMethod]:
        """Return the caller's contact methods."""
        if getattr(self, "swagger_fake_view", False):
            return ContactMethod.objects.none()
        return ContactMethod.objects.filter(person=request_user(self.request))

    def create(self, request: Request) -> Response:
        """Add a contact method and send a code to it. Nothing else is sent to it until it is verified."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        person = request_user(request)
        row = set_contact_method(person, by=person, **serializer.validated_data)
        return Response(self.get_serializer(row).data, status=201)

    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a contact method."""
        remove_contact_method(self.get_object(), by=request_user(request))
        return Response(status=204)

    @extend_schema(request=CodeSerializer, responses=ContactMethodSerializer)
    @action(detail=True, methods=["post"])
    def verify(self, request: Request, pk: str) -> Response:
        """Verify a contact method by the code that was sent to it."""
        serializer = CodeSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        row = verify_contact_method(self.get_object(), code=serializer.validated_data["code"])
        return Response(self.get_serializer(row).data)

    @extend_schema(request=None, responses={201: MessageSerializer})
    @action(detail=True, methods=["post"], url_path="send-code")
    def send_code(self, request: Request, pk: str) -> Response:
        """Send another code; at most one a minute, and ten a day."""
        return Response(MessageSerializer(send_code(self.get_object())).data, status=201)

    @extend_schema(request=None, responses={201: MessageSerializer})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Send a test message to a verified contact method; at most one a minute."""
        return Response(MessageSerializer(send_method_test(self.get_object())).data, status=201)
