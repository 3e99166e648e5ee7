"""Django admin for readiness. Services write every row."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from common.admin import ReadOnlyModelAdmin
from people.admin import request_admin
from readiness.models import (
    Publication,
    ReaderMessage,
    ReaderNote,
    ReaderNotification,
    ReadersLink,
    Restatement,
    Subscription,
)
from readiness.services.readers import revoke_link


@admin.register(Publication)
class PublicationAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[Publication]):
    """Published days."""

    list_display = ("pipeline", "day", "published_at")
    list_filter = ("pipeline",)
    list_select_related = ("pipeline",)
    date_hierarchy = "day"


@admin.register(Restatement)
class RestatementAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[Restatement]):
    """Restatements. Engineers comment on them on the pipeline's page."""

    list_display = ("metric", "segment", "bucket", "from_value", "to_value", "cause", "changed_at", "settled_at")
    list_filter = ("cause", "publication__pipeline")
    list_select_related = ("metric__pipeline",)
    search_fields = ("metric__name", "segment", "comment")


@admin.register(ReadersLink)
class ReadersLinkAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[ReadersLink]):
    """Reader links. Engineers create them on their page; admins can revoke them here too."""

    list_display = ("name", "prefix", "created_by", "created_at", "revoked_at")
    list_select_related = ("created_by",)
    search_fields = ("name", "prefix")
    exclude = ("html", "digest")
    actions = ("revoke",)

    @admin.action(description="Revoke selected links", permissions=["view"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ReadersLink]) -> None:
        """Revoke the selected links."""
        for link in queryset:
            revoke_link(link, by=request_admin(request), at=timezone.now())
        messages.success(request, f"{len(queryset)} link{'s' if len(queryset) != 1 else ''} revoked.")


@admin.register(ReaderNote)
class ReaderNoteAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[ReaderNote]):
    """Notes for readers. Engineers write them on the pipeline's page."""

    list_display = ("pipeline", "text", "written_by", "written_at")
    list_select_related = ("pipeline", "written_by")


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[Subscription]):
    """Subscriptions of readers; admins can delete them."""

    list_display = ("email", "pipeline", "link", "confirmed_at", "notified_at")
    list_select_related = ("pipeline", "link")
    list_filter = ("pipeline",)
    search_fields = ("email",)

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Return True: an address is deleted when its owner asks for it."""
        return True


@admin.register(ReaderNotification)
class ReaderNotificationAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[ReaderNotification]):
    """When subscribers were notified that published numbers were doubtful or wrong, without their addresses."""

    list_display = ("pipeline", "subscriber", "at")
    list_select_related = ("pipeline",)
    list_filter = ("pipeline",)
    date_hierarchy = "at"


@admin.register(ReaderMessage)
class ReaderMessageAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[ReaderMessage]):
    """Messages to readers and their delivery."""

    list_display = ("subject", "subscription", "state", "due_at", "sent_at", "attempts", "problem")
    list_select_related = ("subscription__pipeline",)
    list_filter = ("state", "kind")
