"""Shared admin classes."""

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
