"""Serializers that several endpoints share."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.api.fields import NamedField
from people.domain.person import Person
from scheduling.domain.suggestions import ONE_WAY, THREE_WAY, TWO_WAY
from scheduling.models import Rotation


@extend_schema_field(OpenApiTypes.STR)
class PersonField(serializers.Field[Person, object, str, Person]):
    """A person, identified by user name. Writing needs the context's `people`, by user name, so that a list costs one query."""

    default_error_messages = {"unknown": "There is no engineer with this user name."}

    def to_representation(self, value: Person) -> str:
        """Return the person's user name."""
        return value.username

    def to_internal_value(self, data: object) -> Person:
        """Return the person; raise ValidationError for an unknown user name."""
        people: Mapping[str, Person] = self.context["people"]
        if not isinstance(data, str) or data not in people:
            self.fail("unknown")
        return people[data]


class RotationField(NamedField[Rotation]):
    """A rotation, identified by slug."""

    def __init__(self, **options: Any) -> None:
        super().__init__(noun="rotation", queryset=Rotation.objects.order_by("pk"), **options)


class FromToSerializer(serializers.Serializer[Any]):
    """A serializer with a field called `from`, which Python reserves; `source_of_from` names its attribute."""

    source_of_from: str

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the declared fields and `from`."""
        fields = super().get_fields()
        allow_null = bool(fields["to"].allow_null)
        return {**fields, "from": PersonField(source=self.source_of_from, allow_null=allow_null)}


class MoveSerializer(FromToSerializer):
    """A shift, identified by its start date, that moves `from` one engineer `to` another."""

    source_of_from = "giver"
    week = serializers.DateField()
    to = PersonField(source="taker")


class SuggestionSerializer(serializers.Serializer[Any]):
    """A suggested way to hand over a shift."""

    kind = serializers.ChoiceField([TWO_WAY, THREE_WAY, ONE_WAY])
    moves = MoveSerializer(many=True)
    score = serializers.FloatField()
    why = serializers.ListField(child=serializers.CharField())
