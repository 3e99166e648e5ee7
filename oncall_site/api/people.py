"""API calls about people: read, invite, deactivate, reactivate."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.identifiers import USERNAME_PATTERN
from oncall_site import services
from people.models import PasswordLink, User
from people.permissions import request_user
from people.queries import all_users
from people.serializers import PersonSerializer
from scheduling.services import offboarding


class InviteSerializer(serializers.Serializer[Any]):
    """Options of an invitation."""

    reset = serializers.BooleanField(
        required=False, default=False, help_text="True for a user who has a password and needs a new one."
    )


class InvitationSerializer(serializers.ModelSerializer[PasswordLink]):
    """A password link that was mailed. The link itself is only in the mail."""

    engineer = serializers.CharField(source="user.username")

    class Meta:
        model = PasswordLink
        fields = ("engineer", "purpose", "expires_at")


class PersonViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[User]):
    """People, by user name. Admins invite, deactivate and reactivate them."""

    serializer_class = PersonSerializer
    queryset = all_users()
    lookup_field = "username"
    lookup_value_regex = USERNAME_PATTERN

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List people."""
        return super().list(request, *args, **kwargs)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Retrieve a person."""
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(request=InviteSerializer, responses={201: InvitationSerializer})
    @action(detail=True, methods=["post"])
    def invite(self, request: Request, username: str) -> Response:
        """Send an invitation.

        Mails the person a link to set their first password, or with `reset` a new one. Admins only.
        """
        options = InviteSerializer(data=request.data)
        options.is_valid(raise_exception=True)
        link = services.invite(
            self.get_object(), by=request_user(request), at=timezone.now(), reset=options.validated_data["reset"]
        )
        return Response(InvitationSerializer(link).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=PersonSerializer)
    @action(detail=True, methods=["post"])
    def deactivate(self, request: Request, username: str) -> Response:
        """Deactivate a person and reassign all their on-call time. Admins only."""
        person = self.get_object()
        offboarding.deactivate(person, by=request_user(request), at=timezone.now())
        return Response(self.get_serializer(person).data)

    @extend_schema(request=None, responses=PersonSerializer)
    @action(detail=True, methods=["post"])
    def reactivate(self, request: Request, username: str) -> Response:
        """Reactivate a person. Admins only."""
        person = self.get_object()
        offboarding.reactivate(person, by=request_user(request))
        return Response(self.get_serializer(person).data)
