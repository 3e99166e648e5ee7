"""Shared admin classes."""

from django.http import HttpRequest


class NoEditModelAdmin:
    """Rows are created and changed by services; an admin may delete them."""

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Return False: rows are created by services."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Return False: rows are changed by services."""
        return False


class ReadOnlyModelAdmin(NoEditModelAdmin):
    """Rows are created, changed and deleted by services."""

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Return False: rows are deleted by services, if at all."""
        return False
