"""Serializer fields for people."""

from typing import Any

from rest_framework import serializers

from people.models import User
from people.queries import all_users


class UsernameField(serializers.SlugRelatedField[User]):
    """A user, identified by user name."""

    def __init__(self, **options: Any) -> None:
        if not options.get("read_only"):
            options["queryset"] = all_users()
        super().__init__(slug_field="username", **options)
