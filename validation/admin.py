"""Django's admin for checks and their results."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from common.admin import NoEditModelAdmin
from people.admin import request_admin
from validation.forms import MetricForm
from validation.models import (
    Check,
    CheckResult,
    DataSource,
    ExternalCheck,
    ExternalFinding,
    KnownEvent,
    MappingRule,
    Metric,
    ReportedRun,
)
from validation.services.data_sources import address_problem, save_data_source
from validation.services.external_results import delete_mapping_rule, save_mapping_rule
from validation.services.metrics import save_metric


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


@admin.register(MappingRule)
class ExternalRuleAdmin(admin.ModelAdmin[MappingRule]):
    """Which pipeline other tools' results belong to; every change is applied to what is there."""

    list_display = ("pattern", "tool", "pipeline")
    list_filter = ("tool", "pipeline")
    list_select_related = ("pipeline",)
    search_fields = ("pattern",)

    def save_model(self, request: HttpRequest, obj: MappingRule, form: Any, change: Any) -> None:
        """Save the rule by the command that applies all of them anew."""
        messages.info(request, _moved(save_mapping_rule(obj)))

    def delete_model(self, request: HttpRequest, obj: MappingRule) -> None:
        """Remove the rule by the command that applies the others anew."""
        messages.info(request, _moved(delete_mapping_rule(obj)))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[MappingRule]) -> None:
        """Remove the selected rules, one by one."""
        for rule in queryset:
            self.delete_model(request, rule)


class ExternalFindingInline(NoEditModelAdmin, admin.TabularInline[ExternalFinding, ExternalCheck]):
    """What a tool said, newest first."""

    model = ExternalFinding
    fields = ("at", "status", "value", "message", "received_at")
    can_delete = False
    max_num = 0


@admin.register(ExternalCheck)
class ExternalCheckAdmin(NoEditModelAdmin, admin.ModelAdmin[ExternalCheck]):
    """What other tools judge; one without a pipeline waits for a rule."""

    list_display = ("name", "tool", "key", "pipeline", "status", "at")
    list_filter = (UnmappedFilter, "tool", "status")
    list_select_related = ("pipeline",)
    search_fields = ("key", "name")
    inlines = (ExternalFindingInline,)


def _moved(count: int) -> str:
    return f"The rules were applied: {count} external check{'' if count == 1 else 's'} moved."


class SourceForm(forms.ModelForm[DataSource]):
    """A source; its address is taken and never shown."""

    new_address = forms.CharField(
        label="Address",
        required=False,
        max_length=2000,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="An SQLAlchemy address, such as postgresql://reader:password@host/warehouse, of a role that only reads. "
        "It is sealed and never shown again; leave it empty to keep the one there is.",
    )

    class Meta:
        model = DataSource
        fields = ("name", "limit_seconds", "row_cap")

    def clean_new_address(self) -> str:
        """Return the address; raise ValidationError where it is none, or a new source has none."""
        address: str = self.cleaned_data["new_address"].strip()
        problem = address_problem(address) if address or not self.instance.address else ""
        if problem:
            raise forms.ValidationError(problem)
        return address


@admin.register(DataSource)
class SourceAdmin(admin.ModelAdmin[DataSource]):
    """Warehouses that SELECTs are sent to."""

    form = SourceForm
    list_display = ("name", "dialect", "limit_seconds", "row_cap")

    def save_model(self, request: HttpRequest, obj: DataSource, form: Any, change: Any) -> None:
        """Save the source by the command that seals its address."""
        save_data_source(obj, address=form.cleaned_data["new_address"], by=request_admin(request))


@admin.register(Metric)
class MetricAdmin(admin.ModelAdmin[Metric]):
    """Metrics: pushed, or pulled from a source."""

    form = MetricForm
    list_display = ("name", "pipeline", "slug", "kind", "grain", "time_zone", "source", "pulled_at")
    list_filter = ("kind", "grain", "pipeline")
    list_select_related = ("pipeline", "source")
    search_fields = ("name", "slug")

    def save_model(self, request: HttpRequest, obj: Metric, form: Any, change: Any) -> None:
        """Save the metric by its command."""
        save_metric(obj, by=request_admin(request))


class ResultInline(NoEditModelAdmin, admin.TabularInline[CheckResult, Check]):
    """What a check said, newest first."""

    model = CheckResult
    fields = ("started_at", "status", "bucket", "value", "expected", "message")
    can_delete = False
    max_num = 0

    def get_queryset(self, request: HttpRequest) -> QuerySet[CheckResult]:
        """Return the results of the last month: there may be a hundred thousand."""
        since = timezone.now() - dt.timedelta(days=31)
        return super().get_queryset(request).filter(started_at__gte=since)


@admin.register(Check)
class CheckAdmin(NoEditModelAdmin, admin.ModelAdmin[Check]):
    """Checks: looked at and removed here; made and changed on their pages, whose form knows each type."""

    list_display = ("name", "pipeline", "check_type", "is_active", "last_status", "last_run_at", "alerting_since")
    list_filter = ("is_active", "last_status", "check_type", "pipeline")
    list_select_related = ("pipeline",)
    search_fields = ("name",)
    inlines = (ResultInline,)

    def view_on_site(self, obj: Check) -> str:
        """Return where it is changed."""
        return reverse("check", args=[obj.pk])

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Tell that an admin removes checks."""
        return True


@admin.register(KnownEvent)
class KnownEventAdmin(NoEditModelAdmin, admin.ModelAdmin[KnownEvent]):
    """Known events: added and removed on a check's page, where what was judged is judged again."""

    list_display = ("words", "pipeline", "metric", "starts_on", "ends_on", "added_by")
    list_filter = ("pipeline",)
    list_select_related = ("pipeline", "metric__pipeline", "added_by")


@admin.register(ReportedRun)
class ReportedRunAdmin(NoEditModelAdmin, admin.ModelAdmin[ReportedRun]):
    """Runs of pipelines, as something outside reported them."""

    list_display = ("key", "pipeline", "state", "started_at", "finished_at", "reported_at")
    list_filter = ("state", "pipeline")
    list_select_related = ("pipeline",)
    search_fields = ("key",)
