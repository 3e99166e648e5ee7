"""Filters of the API's lists of checks and external checks."""

from typing import Any

from django.db.models import QuerySet
from django_filters.filterset import FilterSet

from common.api.filters import BooleanFilter, SlugFilter, WordFilter
from pipelines.models import Pipeline
from validation.models import TOOLS, Check, ExternalCheck
from validation.models.checks import STATUSES
from validation.queries.checks import deleted_checks


class CheckFilters(FilterSet):
    """Filter checks by pipeline, by the status of their last result, and by whether they are deleted."""

    # First: it chooses the rows that the other filters narrow down.
    deleted = BooleanFilter(
        method="filter_deleted", help_text="Deleted checks that can be restored, instead of others."
    )
    pipeline = SlugFilter(noun="pipeline", queryset=Pipeline.objects.all(), help_text="Slug of a pipeline.")
    status = WordFilter(field_name="last_status", choices=STATUSES, help_text="Status of the last result.")

    class Meta:
        model = Check
        fields = ("deleted", "pipeline", "status")

    def filter_deleted(self, rows: QuerySet[Check], name: str, value: bool) -> QuerySet[Check]:  # noqa: FBT001  # django-filter's signature
        """Return the deleted checks, or those that are not deleted."""
        return deleted_checks() if value else rows


class ExternalCheckFilters(FilterSet):
    """Filter external checks by tool, pipeline, status and whether they are mapped to a pipeline."""

    tool = WordFilter(choices=TOOLS, help_text="Tool that ran the check.")
    pipeline = SlugFilter(noun="pipeline", queryset=Pipeline.objects.all(), help_text="Slug of a pipeline.")
    status = WordFilter(choices=STATUSES, help_text="Status of the last result.")
    unmapped = BooleanFilter(
        method="filter_unmapped", help_text="Only checks that no rule maps to a pipeline, or only others."
    )

    class Meta:
        model = ExternalCheck
        fields = ("tool", "pipeline", "status")

    def filter_unmapped(self, rows: QuerySet[Any], name: str, value: bool) -> QuerySet[Any]:  # noqa: FBT001  # django-filter's signature
        """Return the checks without a pipeline, or those with one."""
        return rows.filter(pipeline__isnull=value)
