"""API views for users."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from people.models import User
from people.permissions import request_user
from people.services.accounts import change_profile


class PersonSerializer(serializers.ModelSerializer[User]):
    """An engineer, with the fields that every user can see."""

    active = serializers.BooleanField(source="is_active")
    admin = serializers.BooleanField(source="is_staff")
    name = serializers.CharField(source="display_name")

    class Meta:
        model = User
        fields = ("username", "name", "phone", "time_zone", "country", "subdivision", "colour", "active", "admin")


class ProfileSerializer(serializers.ModelSerializer[User]):
    """The caller's profile."""

    name = serializers.CharField(source="display_name", max_length=120)

    class Meta:
        model = User
        fields = ("username", "name", "email", "phone", "time_zone", "country", "subdivision", "colour", "shortcuts")
        read_only_fields = ("username",)


@extend_schema(methods=["GET"], responses=ProfileSerializer)
@extend_schema(methods=["PATCH"], request=ProfileSerializer, responses=ProfileSerializer)
@api_view(["GET", "PATCH"])
def profile(request: Request) -> Response:
    """Return or update the caller's profile."""
    user = User.objects.get(pk=request_user(request).pk)
    if request.method == "PATCH":
        serializer = ProfileSerializer(user, data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        change_profile(user, fields=serializer.validated_data)
    return Response(ProfileSerializer(user).data)
