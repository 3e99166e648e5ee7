"""Django admin for pipelines, with the ownership grid and bulk reassignment."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path

from common.exceptions import DomainError
from pipelines import services
from pipelines.forms import BulkOwnerForm, OwnershipFilterForm, OwnershipForm, ReassignForm
from pipelines.models import Pipeline
from pipelines.queries import ownership


@admin.register(Pipeline)
class PipelineAdmin(admin.ModelAdmin[Pipeline]):
    """Pipelines and their owners."""

    list_display = ("full_name", "primary_owner", "secondary_owner", "escalate_after_minutes", "position")
    list_select_related = ("primary_owner", "secondary_owner")
    list_filter = ("audience", "primary_owner", "secondary_owner")
    search_fields = ("name", "audience", "slug")
    autocomplete_fields = ("primary_owner", "secondary_owner")
    prepopulated_fields = {"slug": ("name", "audience")}
    change_list_template = "admin/pipelines/pipelines.html"

    def get_urls(self) -> list[URLPattern]:
        """Add the paths of the ownership grid and of the bulk reassignment."""
        wrap = self.admin_site.admin_view
        return [
            path("ownership/", wrap(self.ownership), name="pipelines_ownership"),
            path("ownership/reassign/", wrap(self.reassign), name="pipelines_reassign"),
            *super().get_urls(),
        ]

    def ownership(self, request: HttpRequest) -> HttpResponse:
        """Show the ownership grid, or save all its rows."""
        filters = OwnershipFilterForm(request.GET)
        chosen = filters.cleaned_data if filters.is_valid() else {}
        listed = list(ownership(owner=chosen.get("owner"), search=chosen.get("q", "")))
        if request.method == "POST" and "bulk" in request.POST:
            return self._change_ticked(request, listed)
        form = OwnershipForm(request.POST if request.method == "POST" else None, pipelines=listed)
        if form.is_bound and form.is_valid():
            try:
                changed = services.change_owners(form.owners())
            except DomainError as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, f"Owners changed for {_count(changed)}." if changed else "No changes.")
                return redirect(request.get_full_path())
        return self._grid(request, form=form, reassign=ReassignForm(), filters=filters)

    def _change_ticked(self, request: HttpRequest, listed: list[Pipeline]) -> HttpResponse:
        """Give the selected pipelines one owner."""
        form = BulkOwnerForm(request.POST)
        ticked = [pipeline for pipeline in listed if str(pipeline.pk) in request.POST.getlist("tick")]
        if not ticked:
            messages.error(request, "Select at least one pipeline.")
        elif not form.is_valid():
            messages.error(request, "Choose an engineer for the selected pipelines.")
        else:
            try:
                changed = services.change_owners(form.owners(ticked))
            except DomainError as error:
                messages.error(request, str(error))
            else:
                messages.success(request, f"Owners changed for {_count(changed)}." if changed else "No changes.")
        return redirect(request.get_full_path())

    def reassign(self, request: HttpRequest) -> HttpResponse:
        """Transfer every pipeline that one person owns to another."""
        if request.method != "POST":
            return redirect("admin:pipelines_ownership")
        form = ReassignForm(request.POST)
        if form.is_valid():
            leaver, successor = form.cleaned_data["leaver"], form.cleaned_data["successor"]
            try:
                changed = services.reassign(leaver=leaver, successor=successor)
            except DomainError as error:
                form.add_error(None, str(error))
            else:
                messages.success(request, f"Reassigned {_count(changed)} from {leaver} to {successor}.")
                return redirect("admin:pipelines_ownership")
        return self._grid(request, form=OwnershipForm(pipelines=list(ownership())), reassign=form)

    def _grid(
        self,
        request: HttpRequest,
        *,
        form: OwnershipForm,
        reassign: ReassignForm,
        filters: OwnershipFilterForm | None = None,
    ) -> HttpResponse:
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": "Pipeline owners",
            "form": form,
            "reassign_form": reassign,
            "filters": filters or OwnershipFilterForm(),
            "bulk_form": BulkOwnerForm(auto_id="bulk_%s"),
            "opts": self.opts,
        }
        status = 400 if form.is_bound or reassign.is_bound else 200
        return render(request, "admin/pipelines/ownership.html", context, status=status)


def _count(pipelines: list[Pipeline]) -> str:
    return f"{len(pipelines)} pipeline{'' if len(pipelines) == 1 else 's'}"
