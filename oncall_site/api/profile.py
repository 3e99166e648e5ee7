"""API view of the caller's profile."""

from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.fields import LineField
from common.exceptions import NotAllowedError
from oncall_site import services
from people.models import User, name_problem
from people.permissions import request_user


class ProfileSerializer(serializers.ModelSerializer[User]):
    """The caller's profile."""

    name = LineField(source="display_name", max_length=120)

    class Meta:
        model = User
        fields = (
            "username",
            "name",
            "handbook_name",
            "email",
            "phone",
            "time_zone",
            "country",
            "subdivision",
            "colour",
            "shortcuts",
        )
        read_only_fields = ("username", "handbook_name")

    def validate_name(self, name: str) -> str:
        """Return the name; raise ValidationError if it is another person's."""
        if problem := name_problem(name, user=self.instance or User()):
            raise serializers.ValidationError(problem)
        return name


@extend_schema(methods=["GET"], responses=ProfileSerializer)
@extend_schema(methods=["PATCH"], request=ProfileSerializer, responses=ProfileSerializer)
@api_view(["GET", "PATCH"])
def profile(request: Request) -> Response:
    """Return or update the caller's profile.

    The e-mail address changes only in a browser session with a recently confirmed password, never with an API token.
    """
    user = User.objects.get(pk=request_user(request).pk)
    if request.method == "PATCH":
        serializer = ProfileSerializer(user, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        if serializer.validated_data.get("email", user.email) != user.email:
            _check_email_change(request)
        services.change_profile(user, fields=serializer.validated_data, at=timezone.now())
    return Response(ProfileSerializer(user).data)


def _check_email_change(request: Request) -> None:
    if request.auth is not None:
        raise NotAllowedError("API tokens can’t change your e-mail address. Use the account page.")
    if not did_recently_reauthenticate(request._request):  # noqa: SLF001  # allauth needs Django's request
        raise NotAllowedError("Confirm your password on the account page before you change your e-mail address.")
