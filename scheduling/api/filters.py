"""Filters of the scheduling lists. An unknown value is a 400 that names the parameter."""

from typing import Any

import django_filters
from django import forms
from django.core.exceptions import ValidationError

from people.queries import all_users
from scheduling.models import Cover, HolidayBlock, Rotation, SwapRequest


class NameField(forms.ModelChoiceField[Any]):
    """A row chosen by its slug or user name."""

    default_error_messages = {"invalid_choice": "There is no “%(value)s”."}

    def to_python(self, value: Any) -> Any:
        """Return the row. PostgreSQL refuses text with NUL, so such a name is unknown."""
        if isinstance(value, str) and "\0" in value:
            raise ValidationError(
                self.error_messages["invalid_choice"], code="invalid_choice", params={"value": value.replace("\0", "�")}
            )
        return super().to_python(value)


class NameFilter(django_filters.ModelChoiceFilter):  # type: ignore[misc]  # django-filter has no annotations
    """Filter by a related row's slug or user name."""

    field_class = NameField


def rotation_filter() -> NameFilter:
    """Return a filter by rotation slug."""
    return NameFilter(queryset=Rotation.objects.order_by("pk"), to_field_name="slug")


def engineer_filter(field_name: str) -> NameFilter:
    """Return a filter by user name."""
    return NameFilter(field_name=field_name, queryset=all_users(), to_field_name="username")


class HolidayFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter has no annotations
    """Time off of an engineer, of a kind, or that overlaps the dates `from` to `to`."""

    engineer = engineer_filter("engineer")
    kind = django_filters.ChoiceFilter(choices=HolidayBlock.Kind.choices)
    to = django_filters.DateFilter(field_name="starts_on", lookup_expr="lte")

    class Meta:
        model = HolidayBlock
        fields = ("engineer", "kind", "to")

    @classmethod
    def get_filters(cls) -> Any:
        """Return the declared filters and `from`, which Python reserves."""
        return {**super().get_filters(), "from": django_filters.DateFilter(field_name="ends_on", lookup_expr="gte")}


class CoverFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter has no annotations
    """Covers of a rotation, or by an engineer; `covers` is the covered engineer."""

    rotation = rotation_filter()
    engineer = engineer_filter("engineer")
    covers = engineer_filter("covered_engineer")

    class Meta:
        model = Cover
        fields = ("rotation", "engineer", "covers")


class SwapFilter(django_filters.FilterSet):  # type: ignore[misc]  # django-filter has no annotations
    """Swap requests of a rotation, in a state, or of an engineer."""

    rotation = rotation_filter()
    state = django_filters.ChoiceFilter(choices=SwapRequest.State.choices)
    requester = engineer_filter("requester")
    counterpart = engineer_filter("counterpart")

    class Meta:
        model = SwapRequest
        fields = ("rotation", "state", "requester", "counterpart")
