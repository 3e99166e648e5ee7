"""Django's admin for incidents: looked at here, changed by the same commands as on their pages."""

from collections.abc import Callable

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from common.admin import ReadOnlyModelAdmin
from common.exceptions import DomainError
from incidents.models import Alert, EscalationStep, Incident, RunbookRun, RunStep, TimelineEntry
from incidents.services import transitions
from people.models import User


class TellingInline(ReadOnlyModelAdmin, admin.TabularInline[EscalationStep, Incident]):
    """Who was told."""

    model = EscalationStep
    fields = ("round", "engineer", "role", "at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[EscalationStep]:
        """Return the rows with their people, so that they are read at once."""
        return super().get_queryset(request).select_related("engineer")


class TimelineInline(ReadOnlyModelAdmin, admin.TabularInline[TimelineEntry, Incident]):
    """What happened, in order."""

    model = TimelineEntry
    fields = ("at", "kind", "by", "text")

    def get_queryset(self, request: HttpRequest) -> QuerySet[TimelineEntry]:
        """Return the rows with their people, so that they are read at once."""
        return super().get_queryset(request).select_related("by")


@admin.register(Incident)
class IncidentAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[Incident]):
    """Incidents: found, read, acknowledged, resolved and reopened."""

    list_display = (
        "title",
        "pipeline",
        "kind",
        "state",
        "source",
        "opened_at",
        "assignee",
        "next_escalation_at",
        "resolved_at",
    )
    list_filter = ("state", "kind", "source", "pipeline")
    list_select_related = ("pipeline", "assignee")
    search_fields = ("title", "text", "fingerprint")
    date_hierarchy = "opened_at"
    inlines = (TellingInline, TimelineInline)
    actions = ("acknowledge", "resolve", "reopen")

    @admin.action(description="Acknowledge the selected incidents", permissions=["view"])
    def acknowledge(self, request: HttpRequest, queryset: QuerySet[Incident]) -> None:
        """Take the incidents."""
        self._each(request, queryset, do=transitions.acknowledge, said="acknowledged")

    @admin.action(description="Resolve the selected incidents", permissions=["view"])
    def resolve(self, request: HttpRequest, queryset: QuerySet[Incident]) -> None:
        """Close the incidents."""
        self._each(request, queryset, do=transitions.resolve, said="resolved")

    @admin.action(description="Reopen the selected incidents", permissions=["view"])
    def reopen(self, request: HttpRequest, queryset: QuerySet[Incident]) -> None:
        """Open the incidents again."""
        self._each(request, queryset, do=transitions.reopen, said="open again")

    def _each(self, request: HttpRequest, queryset: QuerySet[Incident], *, do: Callable[..., Model], said: str) -> None:
        assert isinstance(request.user, User)  # noqa: S101  # nosec B101  # the admin is behind sign-in
        for incident in queryset.order_by("pk"):
            try:
                do(incident, by=request.user, at=timezone.now())
            except DomainError as refusal:
                messages.error(request, f"{incident}: {refusal}")
            else:
                messages.success(request, f"{incident}: {said}.")


class RunStepInline(ReadOnlyModelAdmin, admin.TabularInline[RunStep, RunbookRun]):
    """The steps, in order."""

    model = RunStep
    fields = ("position", "text", "done_at", "done_by", "note", "ended_incident")

    def get_queryset(self, request: HttpRequest) -> QuerySet[RunStep]:
        """Return the rows with their people, so that they are read at once."""
        return super().get_queryset(request).select_related("done_by")


@admin.register(RunbookRun)
class RunbookRunAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[RunbookRun]):
    """Runbooks as they were run against incidents."""

    list_display = ("runbook", "revision", "incident", "started_by", "started_at", "ended_at")
    list_filter = ("runbook",)
    list_select_related = ("runbook", "incident", "started_by")
    inlines = (RunStepInline,)


@admin.register(Alert)
class AlertAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[Alert]):
    """Alerts, those that belong to no pipeline too: a label `pipeline` or a rule of other tools' results says whose one is."""

    list_display = ("name", "pipeline", "is_firing", "severity", "starts_at", "ends_at", "received_at")
    list_filter = ("is_firing", ("pipeline", admin.EmptyFieldListFilter), "pipeline")
    list_select_related = ("pipeline",)
    search_fields = ("name", "summary", "fingerprint")
