"""The API's calls about people that join rooms: inviting them by mail."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from oncall_site import services
from people.models import PasswordLink
from people.permissions import request_user
from scheduling.api.engineers import EngineerViewSet


class InviteSerializer(serializers.Serializer[Any]):
    """Whether somebody who has a password is to choose another."""

    reset = serializers.BooleanField(required=False, default=False)


class InvitationSerializer(serializers.ModelSerializer[PasswordLink]):
    """A link that was mailed; the link itself is known to its reader only."""

    engineer = serializers.CharField(source="user.username")

    class Meta:
        model = PasswordLink
        fields = ("engineer", "purpose", "expires_at")


class InvitedEngineerViewSet(EngineerViewSet):
    """Engineers, by user name; admins invite them, deactivate them and bring them back."""

    @extend_schema(request=InviteSerializer, responses={201: InvitationSerializer})
    @action(detail=True, methods=["post"])
    def invite(self, request: Request, username: str) -> Response:
        """Mail somebody a link by which they set their first password, or another one with `reset`. For admins."""
        given = InviteSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        link = services.invite(
            self.get_object(), by=request_user(request), at=timezone.now(), reset=given.validated_data["reset"]
        )
        return Response(InvitationSerializer(link).data, status=status.HTTP_201_CREATED)
