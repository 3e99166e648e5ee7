"""Admin pages for lineage."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from common.admin import NoEditModelAdmin, ReadOnlyModelAdmin
from common.exceptions import DomainError
from lineage.models import DbtExposure, DbtNode, Edge, OpenLineageNode, OwnerDecision
from lineage.services.edges import add_edge, cut_edge, restore_edge
from people.admin import dry_run_form, request_admin


@admin.register(Edge)
class EdgeAdmin(admin.ModelAdmin[Edge]):
    """Edges between pipelines. Admins add their own, and cut and restore those of any source; nothing is deleted."""

    list_display = ("upstream", "downstream", "source", "project", "edge_state", "first_seen_at", "last_seen_at")
    list_display_links = ("upstream", "downstream")
    list_filter = ("source", ("cut_at", admin.EmptyFieldListFilter), ("removed_at", admin.EmptyFieldListFilter))
    list_select_related = ("upstream", "downstream")
    search_fields = ("upstream__name", "upstream__slug", "downstream__name", "downstream__slug", "project")
    actions = ("cut", "restore")

    def get_fields(self, request: HttpRequest, obj: Edge | None = None) -> tuple[str, ...]:
        """Return the two ends for a new edge, and everything for an existing one."""
        ends = ("upstream", "downstream")
        seen = ("source", "project", "first_seen_at", "last_seen_at", "removed_at", "cut_at", "cut_by")
        return (*ends, *seen) if obj else ends

    def get_form(self, request: HttpRequest, obj: Edge | None = None, change: Any = False, **options: Any) -> Any:  # noqa: FBT002  # Django's own signature
        """Return the form; that of a new edge refuses cycles."""
        form = super().get_form(request, obj, change=change, **options)
        return form if obj else dry_run_form(form, _add)

    def has_change_permission(self, request: HttpRequest, obj: Edge | None = None) -> bool:
        """Return True for the list, where edges are cut and restored, and False for one edge."""
        return obj is None and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Edge | None = None) -> bool:
        """Return False: an edge is cut, so that its source cannot bring it back."""
        return False

    def save_model(self, request: HttpRequest, obj: Edge, form: Any, change: Any) -> None:
        """Add an admin's edge."""
        obj.pk = add_edge(upstream=obj.upstream, downstream=obj.downstream, at=timezone.now()).pk

    @admin.display(description="state")
    def edge_state(self, edge: Edge) -> str:
        """Return whether the edge counts."""
        return edge.state(timezone.now())

    @admin.action(description="Cut selected edges", permissions=["change"])
    def cut(self, request: HttpRequest, queryset: QuerySet[Edge]) -> None:
        """Cut the selected edges, and those of other sources between the same pipelines."""
        count = sum(cut_edge(edge, by=request_admin(request), at=timezone.now()) for edge in queryset)
        messages.success(request, f"{_count(count)} cut.")

    @admin.action(description="Restore selected edges", permissions=["change"])
    def restore(self, request: HttpRequest, queryset: QuerySet[Edge]) -> None:
        """Restore the selected edges; say which ones would close a cycle."""
        count = 0
        for edge in queryset:
            try:
                count += restore_edge(edge, at=timezone.now())
            except DomainError as refusal:
                messages.error(request, str(refusal))
        messages.success(request, f"{_count(count)} restored.")


@admin.register(DbtNode)
class DbtNodeAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[DbtNode]):
    """Nodes of dbt projects with their pipelines, as the last manifest and the mapping rules give them."""

    list_display = ("key", "project", "kind", "pipeline", "reason")
    list_filter = (("pipeline", admin.EmptyFieldListFilter), "project", "kind")
    list_select_related = ("project", "pipeline")
    search_fields = ("key", "path")
    exclude = ("parents",)


@admin.register(DbtExposure)
class DbtExposureAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[DbtExposure]):
    """Dashboards and reports that read pipelines."""

    list_display = ("name", "kind", "project", "owner_name", "owner_email")
    list_filter = ("project", "kind")
    list_select_related = ("project",)
    search_fields = ("name", "key")
    exclude = ("parents",)


@admin.register(OpenLineageNode)
class OpenLineageNodeAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[OpenLineageNode]):
    """Jobs and datasets of OpenLineage events."""

    list_display = ("key", "kind", "pipeline", "last_seen_at")
    list_filter = (("pipeline", admin.EmptyFieldListFilter), "kind")
    list_select_related = ("pipeline",)
    search_fields = ("key",)


@admin.register(OwnerDecision)
class OwnerDecisionAdmin(NoEditModelAdmin, admin.ModelAdmin[OwnerDecision]):
    """Owners here that an admin confirmed against the code. Delete one to list the pipeline as drift again."""

    list_display = ("pipeline", "owner_name", "owner_email", "decided_by", "decided_at")
    list_select_related = ("pipeline", "decided_by")


def _add(form: Any) -> None:
    add_edge(upstream=form.cleaned_data["upstream"], downstream=form.cleaned_data["downstream"], at=timezone.now())


def _count(number: int) -> str:
    return f"{number} edge{'' if number == 1 else 's'}"
