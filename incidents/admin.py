"""Django admin of incidents: read-only rows, with the transitions as actions."""

from collections.abc import Callable
from functools import partial

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.text import Truncator

from common.admin import ReadOnlyModelAdmin
from common.exceptions import DomainError
from incidents.models import (
    Alert,
    Drill,
    EscalationStep,
    Evidence,
    Failure,
    Incident,
    IntegrationKey,
    MaintenanceWindow,
    QueryApproval,
    RunbookRun,
    RunStep,
    TimelineEntry,
)
from incidents.services import transitions
from incidents.services.evidence import revoke_approval
from incidents.services.integration_keys import revoke_integration_key
from incidents.services.maintenance import end_maintenance
from people.admin import request_admin
from people.models import User

QUERY_CHARACTERS = 80


class EscalationStepInline(ReadOnlyModelAdmin, admin.TabularInline[EscalationStep, Incident]):
    """Notifications in order."""

    model = EscalationStep
    fields = ("round", "engineer", "role", "at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[EscalationStep]:
        """Return the rows with their people, in one query."""
        return super().get_queryset(request).select_related("engineer")


class FailureInline(ReadOnlyModelAdmin, admin.TabularInline[Failure, Incident]):
    """The failing checks in the incident."""

    model = Failure
    fields = ("title", "text", "started_at", "last_seen_at", "repeats", "recovered_at")


class TimelineInline(ReadOnlyModelAdmin, admin.TabularInline[TimelineEntry, Incident]):
    """The timeline in order."""

    model = TimelineEntry
    fields = ("at", "kind", "by", "text")

    def get_queryset(self, request: HttpRequest) -> QuerySet[TimelineEntry]:
        """Return the rows with their people, in one query."""
        return super().get_queryset(request).select_related("by")


@admin.register(Incident)
class IncidentAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[Incident]):
    """Incidents: search, read, acknowledge, resolve and reopen."""

    list_display = (
        "title",
        "pipeline",
        "kind",
        "severity",
        "state",
        "source",
        "opened_at",
        "assignee",
        "parent",
        "next_escalation_at",
        "resolved_at",
    )
    list_filter = ("state", "severity", "kind", "source", ("parent", admin.EmptyFieldListFilter), "pipeline")
    list_select_related = ("pipeline", "assignee", "parent")
    search_fields = ("title", "text", "fingerprint")
    date_hierarchy = "opened_at"
    inlines = (FailureInline, EscalationStepInline, TimelineInline)
    actions = ("acknowledge", "resolve", "reopen", "set_critical", "set_high", "set_low")

    @admin.action(description="Acknowledge selected incidents", permissions=["view"])
    def acknowledge(self, request: HttpRequest, queryset: QuerySet[Incident]) -> None:
        self._run_for_each(request, queryset, service=transitions.acknowledge, result="acknowledged")

    @admin.action(description="Resolve selected incidents", permissions=["view"])
    def resolve(self, request: HttpRequest, queryset: QuerySet[Incident]) -> None:
        self._run_for_each(request, queryset, service=transitions.resolve, result="resolved")

    @admin.action(description="Reopen selected incidents", permissions=["view"])
    def reopen(self, request: HttpRequest, queryset: QuerySet[Incident]) -> None:
        self._run_for_each(request, queryset, service=transitions.reopen, result="reopened")

    @admin.action(description="Set severity to critical", permissions=["view"])
    def set_critical(self, request: HttpRequest, queryset: QuerySet[Incident]) -> None:
        self._set_severity(request, queryset, severity=Incident.Severity.CRITICAL)

    @admin.action(description="Set severity to high", permissions=["view"])
    def set_high(self, request: HttpRequest, queryset: QuerySet[Incident]) -> None:
        self._set_severity(request, queryset, severity=Incident.Severity.HIGH)

    @admin.action(description="Set severity to low", permissions=["view"])
    def set_low(self, request: HttpRequest, queryset: QuerySet[Incident]) -> None:
        self._set_severity(request, queryset, severity=Incident.Severity.LOW)

    def _set_severity(self, request: HttpRequest, queryset: QuerySet[Incident], *, severity: str) -> None:
        service = partial(transitions.update_incident, severity=severity)
        self._run_for_each(request, queryset, service=service, result=f"severity {severity}")

    def _run_for_each(
        self, request: HttpRequest, queryset: QuerySet[Incident], *, service: Callable[..., Model], result: str
    ) -> None:
        assert isinstance(request.user, User)  # noqa: S101  # nosec B101  # the admin is behind sign-in
        for incident in queryset.order_by("pk"):
            try:
                service(incident, by=request.user, at=timezone.now())
            except DomainError as error:
                messages.error(request, f"{incident}: {error}")
            else:
                messages.success(request, f"{incident}: {result}.")


class RunStepInline(ReadOnlyModelAdmin, admin.TabularInline[RunStep, RunbookRun]):
    """The steps in order."""

    model = RunStep
    fields = ("position", "text", "done_at", "done_by", "note", "fixed_incident")

    def get_queryset(self, request: HttpRequest) -> QuerySet[RunStep]:
        """Return the rows with their people, in one query."""
        return super().get_queryset(request).select_related("done_by")


@admin.register(RunbookRun)
class RunbookRunAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[RunbookRun]):
    """Runbook runs of incidents."""

    list_display = ("runbook", "revision", "incident", "started_by", "started_at", "ended_at")
    list_filter = ("runbook",)
    list_select_related = ("runbook", "incident", "started_by")
    inlines = (RunStepInline,)


@admin.register(Evidence)
class EvidenceAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[Evidence]):
    """Evidence of incidents, which workers write."""

    list_display = ("name", "kind", "incident", "step", "state", "requested_at", "requested_by", "finished_at")
    list_filter = ("state", "kind", "source")
    list_select_related = ("incident", "requested_by")
    search_fields = ("name", "query", "incident__title")


@admin.register(QueryApproval)
class QueryApprovalAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[QueryApproval]):
    """Approved queries. Admins approve them on a runbook's page, which shows them, and can revoke them here."""

    list_display = ("query_start", "source", "rows_for_engineers", "approved_by", "approved_at")
    list_filter = ("source", "rows_for_engineers")
    list_select_related = ("source", "approved_by")
    search_fields = ("query",)
    actions = ("revoke",)

    @admin.display(description="query")
    def query_start(self, approval: QueryApproval) -> str:
        """Return the first words of the query."""
        return Truncator(approval.query).chars(QUERY_CHARACTERS)

    @admin.action(description="Revoke selected approvals", permissions=["view"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[QueryApproval]) -> None:
        """Revoke the selected approvals."""
        count = len(queryset)
        for approval in queryset:
            revoke_approval(approval, by=request_admin(request))
        messages.success(request, f"{count} approval{'s' if count != 1 else ''} revoked.")


@admin.register(Alert)
class AlertAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[Alert]):
    """Alerts; a `pipeline` label or a mapping rule gives an alert its pipeline."""

    list_display = ("name", "pipeline", "is_firing", "severity", "starts_at", "ends_at", "received_at")
    list_filter = ("is_firing", ("pipeline", admin.EmptyFieldListFilter), "pipeline")
    list_select_related = ("pipeline",)
    search_fields = ("name", "summary", "fingerprint")


@admin.register(Drill)
class DrillAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[Drill]):
    """Drills with their results. Weekly drills are set up in their rotation."""

    list_display = ("at", "rotation", "incident", "engineer", "outcome", "skip_reason")
    list_filter = ("rotation",)
    list_select_related = ("rotation", "incident__acknowledged_by", "incident__resolved_by", "engineer")
    date_hierarchy = "at"

    @admin.display(description="State")
    def outcome(self, drill: Drill) -> str:
        """Return the label of the drill's state."""
        return drill.state_label


@admin.register(IntegrationKey)
class IntegrationKeyAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[IntegrationKey]):
    """Integration keys. Admins create them on a pipeline's page, which shows the secret once, and can revoke them here."""

    list_display = ("name", "pipeline", "prefix", "created_by", "created_at", "last_used_at", "revoked_at")
    list_filter = ("pipeline",)
    list_select_related = ("pipeline", "created_by")
    search_fields = ("name", "prefix")
    exclude = ("digest",)
    actions = ("revoke",)

    @admin.action(description="Revoke selected integration keys", permissions=["view"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[IntegrationKey]) -> None:
        """Revoke the selected keys."""
        for key in queryset:
            revoke_integration_key(key, by=request_admin(request), at=timezone.now())
        messages.success(request, f"{len(queryset)} integration key{'s' if len(queryset) != 1 else ''} revoked.")


@admin.register(MaintenanceWindow)
class MaintenanceWindowAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[MaintenanceWindow]):
    """Maintenance windows. Engineers schedule them on a pipeline's page, and admins can end them here."""

    list_display = ("reason", "pipeline", "starts_at", "ends_at", "created_by")
    list_filter = ("pipeline",)
    list_select_related = ("pipeline", "created_by")
    search_fields = ("reason",)
    date_hierarchy = "starts_at"
    actions = ("end",)

    @admin.action(description="End selected maintenance windows", permissions=["view"])
    def end(self, request: HttpRequest, queryset: QuerySet[MaintenanceWindow]) -> None:
        """End the selected windows."""
        for window in queryset.select_related("pipeline").order_by("pk"):
            try:
                end_maintenance(window, at=timezone.now())
            except DomainError as error:
                messages.error(request, f"{window}: {error}")
            else:
                messages.success(request, f"{window}: ended.")
