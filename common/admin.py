"""Shared admin classes."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest


class NoEditModelAdmin:
    """Admin class for rows that services create and change, and admins may delete."""

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Return False: services create rows."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Return False: services change rows."""
        return False


class ReadOnlyModelAdmin(NoEditModelAdmin):
    """Admin class for rows that only services create, change and delete."""

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Return False: services delete rows, if at all."""
        return False


class DeletedFilter(admin.SimpleListFilter):
    """Filter rows that can be restored by `deleted_at`; without a choice, only those that are not deleted."""

    title = "deleted"
    parameter_name = "deleted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the choice besides "all", which here means all that are not deleted."""
        return [("yes", "Recently deleted")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Return the deleted rows, or the others."""
        is_detail = request.resolver_match is not None and "object_id" in request.resolver_match.kwargs
        return queryset if is_detail else queryset.filter(deleted_at__isnull=self.value() != "yes")
