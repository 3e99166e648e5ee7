"""Django's admin for checks and their results."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from validation import commands
from validation.models import ExternalCheck, ExternalFinding, ExternalRule


class UnmappedFilter(admin.SimpleListFilter):
    """Those that no rule gives to a pipeline."""

    title = "pipeline"
    parameter_name = "mapped"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the two choices."""
        return [("no", "no pipeline yet"), ("yes", "with a pipeline")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ExternalCheck]) -> QuerySet[ExternalCheck]:
        """Return the checks of the choice."""
        if self.value() is None:
            return queryset
        return queryset.filter(pipeline__isnull=self.value() == "no")


@admin.register(ExternalRule)
class ExternalRuleAdmin(admin.ModelAdmin[ExternalRule]):
    """Which pipeline other tools' results belong to; every change is applied to what is there."""

    list_display = ("pattern", "tool", "pipeline")
    list_filter = ("tool", "pipeline")
    list_select_related = ("pipeline",)
    search_fields = ("pattern",)

    def save_model(self, request: HttpRequest, obj: ExternalRule, form: Any, change: Any) -> None:
        """Save the rule by the command that applies all of them anew."""
        messages.info(request, _moved(commands.keep_external_rule(obj)))

    def delete_model(self, request: HttpRequest, obj: ExternalRule) -> None:
        """Remove the rule by the command that applies the others anew."""
        messages.info(request, _moved(commands.remove_external_rule(obj)))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ExternalRule]) -> None:
        """Remove the selected rules, one by one."""
        for rule in queryset:
            self.delete_model(request, rule)


class ReadOnly:
    """What is looked at in the admin and written by the tools alone."""

    def has_add_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Tell that rows come from tools."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Tell that what a tool said stays."""
        return False


class ExternalFindingInline(ReadOnly, admin.TabularInline[ExternalFinding, ExternalCheck]):
    """What a tool said, newest first."""

    model = ExternalFinding
    fields = ("at", "status", "value", "message", "received_at")
    can_delete = False
    max_num = 0


@admin.register(ExternalCheck)
class ExternalCheckAdmin(ReadOnly, admin.ModelAdmin[ExternalCheck]):
    """What other tools judge; one without a pipeline waits for a rule."""

    list_display = ("name", "tool", "key", "pipeline", "status", "at")
    list_filter = (UnmappedFilter, "tool", "status")
    list_select_related = ("pipeline",)
    search_fields = ("key", "name")
    inlines = (ExternalFindingInline,)


def _moved(count: int) -> str:
    return f"The rules were applied: {count} external check{'' if count == 1 else 's'} moved."
