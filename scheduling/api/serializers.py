"""Serializers that several endpoints share."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from scheduling.domain.suggestions import ONE_WAY, THREE_WAY, TWO_WAY


@extend_schema_field(OpenApiTypes.STR)
class EngineerKeyField(serializers.Field[int, object, str, int]):
    """The user name of an engineer known by primary key.

    Reading needs the context's `usernames`, a map from primary keys; writing needs its `keys`, a map to primary keys. So a
    list costs no queries.
    """

    default_error_messages = {"unknown": "There is no engineer with this user name."}

    def to_representation(self, value: int) -> str:
        """Return the engineer's user name."""
        usernames: Mapping[int, str] = self.context["usernames"]
        return usernames[value]

    def to_internal_value(self, data: object) -> int:
        """Return the engineer's primary key; raise ValidationError for an unknown user name."""
        keys: Mapping[str, int] = self.context["keys"]
        if not isinstance(data, str) or data not in keys:
            self.fail("unknown")
        return keys[data]


class FromToSerializer(serializers.Serializer[Any]):
    """A serializer with a field called `from`, which Python reserves; `source_of_from` names its attribute."""

    source_of_from: str

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the declared fields and `from`."""
        fields = super().get_fields()
        allow_null = bool(fields["to"].allow_null)
        return {**fields, "from": EngineerKeyField(source=self.source_of_from, allow_null=allow_null)}


class MoveSerializer(FromToSerializer):
    """A shift, identified by its start date, that moves `from` one engineer `to` another."""

    source_of_from = "giver"
    week = serializers.DateField()
    to = EngineerKeyField(source="taker")


class SuggestionSerializer(serializers.Serializer[Any]):
    """A suggested way to hand over a shift."""

    kind = serializers.ChoiceField([TWO_WAY, THREE_WAY, ONE_WAY])
    moves = MoveSerializer(many=True)
    score = serializers.FloatField()
    why = serializers.ListField(child=serializers.CharField())
