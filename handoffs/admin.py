"""Django admin for hand-offs."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from common.admin import ReadOnlyModelAdmin
from common.exceptions import DomainError
from handoffs.models import ActionItem, Handoff, HandoffNote, HandoffPolicy, HandoffTopic
from handoffs.services.action_items import ItemChange, add_item, change_item
from handoffs.services.meetings import move_meeting
from handoffs.services.sheets import close_handoff
from people.admin import dry_run_form, request_admin
from people.models import User


def _move(handoff: Handoff, times: dict[str, Any], *, by: User) -> None:
    """Move a meeting to the submitted times; raise the same errors as `move_meeting`."""
    starts_at, ends_at = times["meeting_starts_at"], times["meeting_ends_at"]
    move_meeting(handoff, by=by, at=timezone.now(), starts_at=starts_at, ends_at=ends_at)


class HandoffTopicInline(admin.TabularInline[HandoffTopic, HandoffPolicy]):
    """The meeting's topics, in order."""

    model = HandoffTopic
    extra = 0


@admin.register(HandoffPolicy)
class HandoffPolicyAdmin(admin.ModelAdmin[HandoffPolicy]):
    """The meeting's length and topics. Upcoming meetings are updated within a minute."""

    list_display = ("rotation", "name", "minutes_min", "minutes_max")
    inlines = (HandoffTopicInline,)


class HandoffNoteInline(ReadOnlyModelAdmin, admin.TabularInline[HandoffNote, Handoff]):
    """Notes under each topic. They are read-only here and edited on the sheet."""

    model = HandoffNote
    fields = ("title", "text", "edited_by", "edited_at")
    extra = 0


@admin.register(Handoff)
class HandoffAdmin(admin.ModelAdmin[Handoff]):
    """Hand-offs. They are created from on-call shifts; only the meeting time can be changed here."""

    list_display = (
        "at",
        "rotation",
        "outgoing",
        "incoming",
        "meeting_starts_at",
        "moved",
        "signed_outgoing_at",
        "signed_incoming_at",
        "closed_at",
        "cancelled_at",
    )
    list_filter = ("rotation", "moved")
    list_select_related = ("rotation", "outgoing", "incoming")
    date_hierarchy = "at"
    fields = (
        "rotation",
        "week",
        "at",
        "outgoing",
        "incoming",
        "meeting_starts_at",
        "meeting_ends_at",
        "moved",
        "signed_outgoing_at",
        "signed_incoming_at",
        "closed_at",
        "closed_by",
        "cancelled_at",
    )
    readonly_fields = tuple(name for name in fields if not name.startswith("meeting_"))
    inlines = (HandoffNoteInline,)
    actions = ("close",)

    @admin.action(description="Close selected hand-offs, if an engineer who has to sign left")
    def close(self, request: HttpRequest, queryset: QuerySet[Handoff]) -> None:
        """Close the hand-offs that cannot be signed any more, and say why the others stay open."""
        closed = 0
        for row in Handoff.objects.with_people().filter(pk__in=queryset).order_by("at", "pk"):
            try:
                close_handoff(row, by=request_admin(request), at=timezone.now())
            except DomainError as refusal:
                messages.error(request, f"{row}: {refusal}")
            else:
                closed += 1
        if closed:
            messages.success(request, f"Hand-offs closed: {closed}.")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False: hand-offs are created from on-call shifts."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Handoff | None = None) -> bool:
        """Return False: hand-offs are cancelled when shifts change, never deleted."""
        return False

    def get_form(self, request: HttpRequest, obj: Handoff | None = None, change: Any = False, **options: Any) -> Any:  # noqa: FBT002  # Django's own signature
        """Return the form with the current admin, as whom it validates the move."""
        shown = super().get_form(request, obj, change=change, **options)
        if obj is None:
            return shown
        return dry_run_form(shown, lambda form: _move(obj, form.cleaned_data, by=request_admin(request)))

    def save_model(self, request: HttpRequest, obj: Handoff, form: Any, change: Any) -> None:
        """Move the meeting through the service, which notifies both engineers."""
        _move(obj, form.cleaned_data, by=request_admin(request))


@admin.register(ActionItem)
class ActionItemAdmin(admin.ModelAdmin[ActionItem]):
    """Action items, open and done."""

    list_display = ("text", "rotation", "pipeline", "created_by", "created_at", "done_by", "done_at")
    list_filter = ("rotation", ("done_at", admin.EmptyFieldListFilter))
    list_select_related = ("rotation", "pipeline", "created_by", "done_by")
    search_fields = ("text",)
    fields = ("rotation", "text", "pipeline")
    actions = ("mark_done",)

    def get_readonly_fields(self, request: HttpRequest, obj: ActionItem | None = None) -> tuple[str, ...]:
        """Return the read-only fields: an item cannot change its rotation."""
        return ("rotation",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: ActionItem | None = None) -> bool:
        """Return False: items are marked as done, never deleted."""
        return False

    def save_model(self, request: HttpRequest, obj: ActionItem, form: Any, change: Any) -> None:
        """Create or update the item through the services."""
        by, at = request_admin(request), timezone.now()
        if change:
            what = ItemChange(text=obj.text, about=True, pipeline=obj.pipeline)
            change_item(obj, change=what, by=by, at=at)
        else:
            obj.pk = add_item(obj.rotation, text=obj.text, by=by, at=at, pipeline=obj.pipeline).pk

    @admin.action(description="Mark selected items as done")
    def mark_done(self, request: HttpRequest, queryset: QuerySet[ActionItem]) -> None:
        """Mark the selected items as done by the current admin."""
        for item in queryset:
            change_item(item, change=ItemChange(done=True), by=request_admin(request), at=timezone.now())
