"""Admin pages for checks, metrics, data sources and external checks."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from common.admin import DeletedFilter, NoEditModelAdmin
from common.forms import LineField
from people.admin import request_admin
from validation.forms import MetricForm
from validation.models import (
    Check,
    CheckResult,
    DataSource,
    ExternalCheck,
    ExternalFinding,
    ImportedFile,
    KnownEvent,
    MappingRule,
    Metric,
    ReportedRun,
)
from validation.services.checks import delete_check, restore_check
from validation.services.data_sources import address_problem, save_data_source
from validation.services.external_results import delete_mapping_rule, save_mapping_rule
from validation.services.metrics import save_metric


class UnmappedFilter(admin.SimpleListFilter):
    """Filter external checks by whether a rule maps them to a pipeline."""

    title = "pipeline"
    parameter_name = "mapped"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Return the two choices."""
        return [("no", "Unmapped"), ("yes", "Mapped")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ExternalCheck]) -> QuerySet[ExternalCheck]:
        """Return the mapped or unmapped checks."""
        if self.value() is None:
            return queryset
        return queryset.filter(pipeline__isnull=self.value() == "no")


@admin.register(MappingRule)
class MappingRuleAdmin(admin.ModelAdmin[MappingRule]):
    """Rules that map external checks to pipelines. A change applies to existing checks too."""

    list_display = ("pattern", "tool", "pipeline")
    list_filter = ("tool", "pipeline")
    list_select_related = ("pipeline",)
    search_fields = ("pattern",)

    def save_model(self, request: HttpRequest, obj: MappingRule, form: Any, change: Any) -> None:
        """Save the rule and apply all rules again."""
        messages.info(request, _moved_message(save_mapping_rule(obj)))

    def delete_model(self, request: HttpRequest, obj: MappingRule) -> None:
        """Delete the rule and apply the others again."""
        messages.info(request, _moved_message(delete_mapping_rule(obj)))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[MappingRule]) -> None:
        """Delete the selected rules, one by one."""
        for rule in queryset:
            self.delete_model(request, rule)


class ExternalFindingInline(NoEditModelAdmin, admin.TabularInline[ExternalFinding, ExternalCheck]):
    """Results of an external check, newest first."""

    model = ExternalFinding
    fields = ("at", "status", "value", "message", "received_at")
    can_delete = False
    max_num = 0


@admin.register(ExternalCheck)
class ExternalCheckAdmin(NoEditModelAdmin, admin.ModelAdmin[ExternalCheck]):
    """Checks of other tools, mapped to pipelines by rules."""

    list_display = ("name", "tool", "key", "pipeline", "status", "at")
    list_filter = (UnmappedFilter, "tool", "status")
    list_select_related = ("pipeline",)
    search_fields = ("key", "name")
    inlines = (ExternalFindingInline,)


@admin.register(ImportedFile)
class ImportedFileAdmin(NoEditModelAdmin, admin.ModelAdmin[ImportedFile]):
    """Files in watched folders. Delete a row to import its file again."""

    list_display = ("path", "imported_at", "error")


def _moved_message(count: int) -> str:
    return f"Rules applied. {count} external check{'' if count == 1 else 's'} changed pipeline."


class DataSourceForm(forms.ModelForm[DataSource]):
    """A data source. Its URL can be set but not read."""

    new_address = LineField(
        label="Database URL",
        required=False,
        max_length=2000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="An SQLAlchemy URL of a read-only role, such as postgresql://reader:password@host/warehouse. "
        "Stored encrypted and never shown. Leave empty to keep the current URL.",
    )

    class Meta:
        model = DataSource
        fields = ("name", "limit_seconds", "row_cap", "load_minutes")

    def clean_new_address(self) -> str:
        """Return the URL; raise ValidationError if it is invalid, or missing for a new data source."""
        address: str = self.cleaned_data["new_address"].strip()
        problem = address_problem(address) if address or self.instance.pk is None else ""
        if problem:
            raise forms.ValidationError(problem)
        return address


@admin.register(DataSource)
class DataSourceAdmin(admin.ModelAdmin[DataSource]):
    """Database connections for SQL metrics and checks."""

    form = DataSourceForm
    list_display = ("name", "dialect", "limit_seconds", "row_cap", "load_minutes")

    def save_model(self, request: HttpRequest, obj: DataSource, form: Any, change: Any) -> None:
        """Save the data source with its URL encrypted."""
        save_data_source(obj, address=form.cleaned_data["new_address"], by=request_admin(request))


@admin.register(Metric)
class MetricAdmin(admin.ModelAdmin[Metric]):
    """Metrics: pushed, or pulled from a data source."""

    form = MetricForm
    list_display = ("name", "pipeline", "slug", "kind", "grain", "time_zone", "source", "pulled_at")
    list_filter = ("kind", "grain", "pipeline")
    list_select_related = ("pipeline", "source")
    search_fields = ("name", "slug")

    def save_model(self, request: HttpRequest, obj: Metric, form: Any, change: Any) -> None:
        """Save the metric with the service that checks permissions."""
        save_metric(obj, by=request_admin(request))


class ResultInline(NoEditModelAdmin, admin.TabularInline[CheckResult, Check]):
    """Results of a check, newest first."""

    model = CheckResult
    readonly_fields = ("bucket_time",)
    fields = ("started_at", "status", "bucket_time", "value", "expected", "message")
    can_delete = False
    max_num = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[CheckResult]:
        """Return the results of the last 31 days; a check may have 100,000."""
        since = timezone.now() - dt.timedelta(days=31)
        return super().get_queryset(request).filter(started_at__gte=since)


@admin.register(Check)
class CheckAdmin(NoEditModelAdmin, admin.ModelAdmin[Check]):
    """Checks: viewed and deleted here. Their pages have the form of each check type."""

    list_display = (
        "name",
        "pipeline",
        "check_type",
        "is_active",
        "last_status",
        "last_run_at",
        "alerting_since",
        "deleted_at",
    )
    actions = ("restore",)
    list_filter = (DeletedFilter, "is_active", "last_status", "check_type", "pipeline")
    list_select_related = ("pipeline",)
    search_fields = ("name",)
    inlines = (ResultInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Check]:
        """Return the checks, deleted or not; the filter hides deleted ones by default."""
        return Check.all_objects.order_by("pipeline__position", "pipeline", "name")

    @admin.action(description="Restore selected checks", permissions=["delete"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Check]) -> None:
        for check in queryset:
            restored = restore_check(check, by=request_admin(request), at=timezone.now())
            messages.success(request, f"{restored}: restored.")

    def view_on_site(self, obj: Check) -> str:
        """Return the URL of the check's page."""
        return reverse("check", args=[obj.pk])

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Return True: admins may delete checks."""
        return True

    def delete_model(self, request: HttpRequest, obj: Check) -> None:
        """Delete the check so that it can be restored."""
        delete_check(obj, by=request_admin(request), at=timezone.now())

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Check]) -> None:
        """Delete the checks so that they can be restored."""
        for check in queryset:
            self.delete_model(request, check)


@admin.register(KnownEvent)
class KnownEventAdmin(NoEditModelAdmin, admin.ModelAdmin[KnownEvent]):
    """Known events: added and deleted on a check's page, which re-evaluates affected results."""

    list_display = ("name", "pipeline", "metric", "starts_on", "ends_on", "added_by")
    list_filter = ("pipeline",)
    list_select_related = ("pipeline", "metric__pipeline", "added_by")


@admin.register(ReportedRun)
class ReportedRunAdmin(NoEditModelAdmin, admin.ModelAdmin[ReportedRun]):
    """Pipeline runs reported through the API."""

    list_display = ("key", "pipeline", "state", "started_at", "finished_at", "reported_at")
    list_filter = ("state", "pipeline")
    list_select_related = ("pipeline",)
    search_fields = ("key",)
