"""Filters for the API's lists: a value that cannot be right is a 400 that names the parameter.

A viewset uses them with `filter_backends = [ListFilterBackend]` and `filterset_class`.
"""

import datetime as dt
from typing import Any

from django import forms
from django.db.models import QuerySet
from django_filters.filters import ChoiceFilter, DateFilter, Filter, ModelChoiceFilter, TypedChoiceFilter
from django_filters.filterset import FilterSet
from django_filters.rest_framework.backends import DjangoFilterBackend
from drf_spectacular.utils import extend_schema_field
from rest_framework.request import Request
from rest_framework.views import APIView

from common.datetimes import INVALID_DATE, check_order, parse_instant_or_date
from common.forms import DayField

NOT_A_FLAG = "Use true or false."
BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


class ListFilterBackend(DjangoFilterBackend):
    """Filters lists only: detail routes ignore query parameters."""

    def filter_queryset(self, request: Request, queryset: QuerySet[Any], view: APIView) -> QuerySet[Any]:
        """Return the filtered rows of a list, and the rows of any other action unchanged."""
        return super().filter_queryset(request, queryset, view) if getattr(view, "action", "") == "list" else queryset


def _describe(row_filter: Filter, schema_type: str) -> None:
    """Give a filter its type and its help text in the API's description, which would have only the type of a class."""
    schema = {"type": schema_type}
    if help_text := row_filter.extra.get("help_text"):
        schema["description"] = help_text
    extend_schema_field(schema)(row_filter)  # type: ignore[type-var]  # it takes an instance as well as a class


class WordFilter(ChoiceFilter):
    """One of a column's values, in lower case or as given; an unknown one is a 400 that lists them."""

    def __init__(self, *, choices: Any, **options: Any) -> None:
        words = [str(value) for value, _ in choices]
        options.setdefault("error_messages", {"invalid_choice": f"Use one of {', '.join(words)}."})
        super().__init__(choices=choices, **options)


class BooleanFilter(TypedChoiceFilter):
    """`true` or `1`, `false` or `0`."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("error_messages", {"invalid_choice": NOT_A_FLAG})
        choices = [(word, word) for word in BOOLEANS]
        super().__init__(choices=choices, coerce=BOOLEANS.__getitem__, empty_value=None, **options)
        _describe(self, "boolean")

    def filter(self, qs: QuerySet[Any], value: object) -> QuerySet[Any]:
        """Return the rows with this value; all rows if none is given."""
        return qs if value is None else super().filter(qs, value)


class SlugFilter(ModelChoiceFilter):
    """Rows of the object with this slug, or another unique name (`to_field_name`)."""

    schema_type = "string"

    def __init__(self, *, noun: str, to_field_name: str = "slug", **options: Any) -> None:
        options.setdefault("error_messages", {"invalid_choice": f"Unknown {noun}."})
        super().__init__(to_field_name=to_field_name, **options)
        _describe(self, self.schema_type)


class IdFilter(SlugFilter):
    """Rows of the object with this ID."""

    schema_type = "integer"

    def __init__(self, *, noun: str, **options: Any) -> None:
        super().__init__(noun=noun, to_field_name="pk", **options)


class DayFilter(DateFilter):
    """A date between 2000 and 2100."""

    field_class = DayField

    def __init__(self, **options: Any) -> None:
        options.setdefault("error_messages", {"invalid": INVALID_DATE})
        super().__init__(**options)


class InstantOrDateField(forms.Field):
    """An instant, or a date, which means its first instant in UTC."""

    def to_python(self, value: Any) -> dt.datetime | None:
        """Return the instant; raise ValidationError if it is not valid."""
        try:
            return parse_instant_or_date(value) if value else None
        except ValueError as error:
            raise forms.ValidationError(str(error)) from error


class InstantFilter(Filter):
    """An instant between 2000 and 2100, or a date."""

    field_class = InstantOrDateField

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        _describe(self, "string")


class RangeFilterSet(FilterSet):
    """Filters with a first and a last day or instant, which are in order. Python reserves `from`: declare `from_`."""

    first_name, last_name = "from", "to"

    @classmethod
    def get_filters(cls) -> Any:
        """Return the filters by parameter, `from_` as `from`."""
        filters = super().get_filters()
        return {name.removesuffix("_"): row_filter for name, row_filter in filters.items()}

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the filtered rows; raise InvalidInputError if the last one is before the first one."""
        first, last = (self.form.cleaned_data.get(name) for name in (self.first_name, self.last_name))
        if first and last:
            check_order(first, last, first_name=self.first_name, last_name=self.last_name)
        rows: QuerySet[Any] = super().filter_queryset(queryset)
        return rows
