"""Django's admin for runbooks: what is kept of them; their text is edited on their own pages, with preview."""

from django.contrib import admin
from django.http import HttpRequest

from runbooks.models import Runbook, RunbookRevision


class RunbookRevisionInline(admin.TabularInline[RunbookRevision, Runbook]):
    """A runbook's revisions, which nobody rewrites."""

    model = RunbookRevision
    fields = readonly_fields = ("number", "author", "summary", "restored_from", "created_at")
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Runbook | None = None) -> bool:
        """Tell that a revision is made by editing."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Runbook | None = None) -> bool:
        """Tell that a revision stays."""
        return False


@admin.register(Runbook)
class RunbookAdmin(admin.ModelAdmin[Runbook]):
    """Runbooks."""

    list_display = ("title", "pipeline", "revision")
    list_select_related = ("pipeline",)
    search_fields = ("title",)
    readonly_fields = ("pipeline", "revision")
    inlines = (RunbookRevisionInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Tell that a runbook is begun on its pipeline's page, where it is rendered and checked."""
        return False
