"""Django admin for runbooks. It is read-only for text, which is edited with preview on the runbook pages."""

from django.contrib import admin
from django.http import HttpRequest

from runbooks.models import Runbook, RunbookRevision


class RunbookRevisionInline(admin.TabularInline[RunbookRevision, Runbook]):
    """The read-only revisions of a runbook."""

    model = RunbookRevision
    fields = readonly_fields = ("number", "author", "summary", "restored_from", "created_at")
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Runbook | None = None) -> bool:
        """Return False: editing a runbook creates its revisions."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Runbook | None = None) -> bool:
        """Return False: revisions are permanent."""
        return False


@admin.register(Runbook)
class RunbookAdmin(admin.ModelAdmin[Runbook]):
    """Runbooks with their revisions."""

    list_display = ("title", "pipeline", "revision")
    list_select_related = ("pipeline",)
    search_fields = ("title",)
    readonly_fields = ("pipeline", "revision")
    inlines = (RunbookRevisionInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False: runbooks are created on the pipeline's page, which renders and validates them."""
        return False
