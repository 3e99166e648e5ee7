"""Serializers and serializer fields for people."""

from typing import Any

from rest_framework import serializers

from common.api.fields import NamedField
from people.models import User
from people.queries import all_users


class UsernameField(NamedField[User]):
    """A user, identified by user name."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("queryset", all_users())
        super().__init__(noun="engineer", slug_field="username", **options)


class PersonSerializer(serializers.ModelSerializer[User]):
    """An engineer, with the fields that every user can see."""

    active = serializers.BooleanField(source="is_active")
    admin = serializers.BooleanField(source="is_staff")
    name = serializers.CharField(source="display_name")

    class Meta:
        model = User
        fields = ("username", "name", "phone", "time_zone", "country", "subdivision", "colour", "active", "admin")
