"""Serializer fields for text, lists, times and related objects."""

import contextlib
import datetime as dt
from collections.abc import Sequence
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework import serializers

from common.datetimes import INVALID_DATE, INVALID_INSTANT, INVALID_TIME_OF_DAY, is_in_range, parse_instant
from common.validators import validate_line, validate_text

Row = TypeVar("Row", bound=Model)


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


class InstantField(serializers.DateTimeField):
    """An instant that a client sends: it needs a time zone and lies between 2000 and 2100."""

    def to_internal_value(self, value: Any) -> dt.datetime:
        """Return the instant in UTC; raise ValidationError if it has no time zone or is out of range."""
        instant = parse_instant(value) if isinstance(value, str) else None
        if instant is None:
            raise serializers.ValidationError(INVALID_INSTANT)
        return instant


class DayField(serializers.DateField):
    """A date that a client sends, between 2000 and 2100."""

    default_error_messages = {"invalid": INVALID_DATE}

    def to_internal_value(self, value: Any) -> dt.date:
        """Return the date; raise ValidationError if it is out of range."""
        day: dt.date = super().to_internal_value(value)
        if not is_in_range(day):
            raise serializers.ValidationError(INVALID_DATE)
        return day


class TimeOfDayField(serializers.TimeField):
    """A time of day that a client sends: a wall-clock time, so without a zone."""

    default_error_messages = {"invalid": INVALID_TIME_OF_DAY}

    def to_internal_value(self, value: Any) -> dt.time:
        """Return the time; raise ValidationError if it has a time zone, which DRF would leave out."""
        with contextlib.suppress(ValueError, TypeError):
            if dt.time.fromisoformat(value).tzinfo is not None:
                self.fail("invalid")
        time: dt.time = super().to_internal_value(value)
        return time


class NamedField(serializers.SlugRelatedField[Row]):
    """A row that a client identifies by its slug or another unique name. `noun` is the word for it in errors."""

    default_error_messages = {"invalid": "Not a valid string."}

    def __init__(self, *, noun: str, queryset: QuerySet[Row], slug_field: str = "slug", **options: Any) -> None:
        options.setdefault("error_messages", {"does_not_exist": f"Unknown {noun} “{{value}}”."})
        if not options.get("read_only"):  # DRF refuses both
            options["queryset"] = queryset
        super().__init__(slug_field=slug_field, **options)

    def to_internal_value(self, data: Any) -> Row:
        """Return the row; raise ValidationError if there is none of this name, or if it is not a text."""
        if not isinstance(data, str):
            self.fail("invalid")
        row: Row = super().to_internal_value(data)
        return row
