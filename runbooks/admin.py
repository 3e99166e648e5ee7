"""Django admin for runbooks. It is read-only for text, which is edited with preview on the runbook pages."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from common.admin import DeletedFilter
from people.admin import request_admin
from runbooks.models import Runbook, RunbookRevision
from runbooks.services import delete_runbook, restore_runbook


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

    list_display = ("title", "pipeline", "revision", "deleted_at")
    list_filter = (DeletedFilter,)
    list_select_related = ("pipeline",)
    actions = ("restore",)
    search_fields = ("title",)
    readonly_fields = ("title", "pipeline", "revision", "deleted_at", "deleted_by")
    inlines = (RunbookRevisionInline,)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False: runbooks are created on the pipeline's page, which renders and validates them."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Runbook]:
        """Return the runbooks, deleted or not; the filter hides deleted ones by default."""
        return Runbook.all_objects.order_by("pipeline__position", "pk")

    def delete_model(self, request: HttpRequest, obj: Runbook) -> None:
        """Delete the runbook so that it can be restored."""
        delete_runbook(obj, by=request_admin(request), at=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Runbook]) -> None:
        """Delete the runbooks so that they can be restored."""
        for runbook in queryset:
            self.delete_model(request, runbook)

    @admin.action(description="Restore selected runbooks", permissions=["delete"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Runbook]) -> None:
        for runbook in queryset:
            messages.success(request, f"{restore_runbook(runbook)}: restored.")
