"""Serializer fields for text and lists."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from common.validators import validate_line, validate_text


class LineField(serializers.CharField):
    """One line of text (`common.text`)."""

    default_validators = [validate_line]


class MultilineField(serializers.CharField):
    """Text of several lines (`common.text`)."""

    default_validators = [validate_text]


class ShortListField(serializers.ListField):
    """The first `limit` items of a list of texts in a response. The response has their total in another field."""

    def __init__(self, *, limit: int, **options: Any) -> None:
        self.limit = limit
        super().__init__(child=serializers.CharField(), read_only=True, **options)

    def to_representation(self, data: Sequence[str]) -> list[Any]:
        items: list[Any] = super().to_representation(list(data[: self.limit]))
        return items


class ListField(serializers.ListField):
    """A list whose length is checked before its items, because each item may cost a query."""

    def to_internal_value(self, data: Any) -> list[Any]:
        """Return the items. Raises ValidationError for a list that is too long before it reads any of them."""
        if self.max_length is not None and isinstance(data, list) and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        items: list[Any] = super().to_internal_value(data)
        return items
