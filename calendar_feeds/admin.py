"""Django admin for calendar feeds."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from calendar_feeds.models import FeedToken
from calendar_feeds.services import revoke_feed
from common.admin import ReadOnlyModelAdmin
from people.admin import request_admin


@admin.register(FeedToken)
class FeedTokenAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[FeedToken]):
    """Calendar feeds. Owners create them on their profile; admins can revoke them here."""

    list_display = ("owner", "rotation", "prefix", "created_at", "last_used_at", "revoked_at")
    list_select_related = ("owner", "rotation")
    search_fields = ("owner__display_name", "prefix")
    actions = ("revoke",)

    @admin.action(description="Revoke selected feeds", permissions=["view"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[FeedToken]) -> None:
        """Revoke the selected feeds."""
        for token in queryset:
            revoke_feed(token, by=request_admin(request), at=timezone.now())
        messages.success(request, f"{len(queryset)} feed{'s' if len(queryset) != 1 else ''} revoked.")
