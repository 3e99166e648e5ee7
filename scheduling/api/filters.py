"""Filters of the scheduling lists."""

from django_filters.filterset import FilterSet

from common.api.filters import DayFilter, RangeFilterSet, SlugFilter, WordFilter
from people.permissions import request_user
from people.queries import all_users
from scheduling.models import Cover, CoverRequest, HolidayBlock, Rotation, SwapRequest
from scheduling.models.absences import HolidayQuerySet


def rotation_filter() -> SlugFilter:
    """Return a filter by rotation slug."""
    return SlugFilter(noun="rotation", queryset=Rotation.objects.order_by("pk"), help_text="Slug of a rotation.")


def engineer_filter(field_name: str) -> SlugFilter:
    """Return a filter by user name."""
    return SlugFilter(noun="engineer", field_name=field_name, queryset=all_users(), to_field_name="username")


class HolidayFilter(RangeFilterSet):
    """Time off of an engineer, of a kind as the caller sees it, or that overlaps the dates `from` to `to`."""

    engineer = engineer_filter("engineer")
    kind = WordFilter(choices=HolidayBlock.Kind.choices, method="filter_kind")
    to = DayFilter(field_name="starts_on", lookup_expr="lte")
    from_ = DayFilter(field_name="ends_on", lookup_expr="gte")

    class Meta:
        model = HolidayBlock
        fields = ("engineer", "kind", "to")

    def filter_kind(self, rows: HolidayQuerySet, _name: str, kind: str) -> HolidayQuerySet:
        """Return the rows of a kind, as the caller sees kinds."""
        return rows.with_kind(kind, reader=request_user(self.request))


class CoverFilter(FilterSet):
    """Covers of a rotation, or by an engineer; `covers` is the covered engineer."""

    rotation = rotation_filter()
    engineer = engineer_filter("engineer")
    covers = engineer_filter("covered_engineer")

    class Meta:
        model = Cover
        fields = ("rotation", "engineer", "covers")


class CoverRequestFilter(FilterSet):
    """Cover requests of a rotation, in a state, or of an engineer."""

    rotation = rotation_filter()
    state = WordFilter(choices=CoverRequest.State.choices)
    requester = engineer_filter("requester")
    counterpart = engineer_filter("counterpart")

    class Meta:
        model = CoverRequest
        fields = ("rotation", "state", "requester", "counterpart")


class SwapFilter(FilterSet):
    """Swap requests of a rotation, in a state, or of an engineer."""

    rotation = rotation_filter()
    state = WordFilter(choices=SwapRequest.State.choices)
    requester = engineer_filter("requester")
    counterpart = engineer_filter("counterpart")

    class Meta:
        model = SwapRequest
        fields = ("rotation", "state", "requester", "counterpart")
