"""TODO."""

from django.http import HttpRequest


class ReadOnlyModelAdmin:
    """What is looked at in the admin and written elsewhere, by commands: made, changed and removed there."""

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Tell that rows are made elsewhere."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Tell that rows are changed elsewhere."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Tell that rows are removed elsewhere, or kept."""
        return False
