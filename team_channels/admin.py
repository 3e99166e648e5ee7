"""Admin pages of channels. Admins see all channels and can turn them off."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from common.admin import NoEditModelAdmin, ReadOnlyModelAdmin
from common.exceptions import DomainError
from people.admin import request_admin
from team_channels.models import ChannelDelivery, SlackUserGroup, TeamChannel
from team_channels.services.channels import update_channel


@admin.register(TeamChannel)
class TeamChannelAdmin(NoEditModelAdmin, admin.ModelAdmin[TeamChannel]):
    """Channels of pipelines and rotations. Edit them on the pages of their owner."""

    list_display = ("name", "kind", "owner", "shown_as", "last_delivered_at", "problem", "switched_off_at")
    list_filter = ("kind", ("switched_off_at", admin.EmptyFieldListFilter))
    list_select_related = ("pipeline", "rotation")
    search_fields = ("name", "shown_as", "pipeline__name", "rotation__name")
    actions = ("turn_off",)

    @admin.action(description="Turn off selected channels", permissions=["view"])
    def turn_off(self, request: HttpRequest, queryset: QuerySet[TeamChannel]) -> None:
        """Turn the channels off."""
        for channel in queryset:
            try:
                update_channel(channel, by=request_admin(request), is_active=False)
            except DomainError as error:
                messages.error(request, f"{channel}: {error}")
        messages.success(request, "Channels turned off.")


@admin.register(ChannelDelivery)
class ChannelDeliveryAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[ChannelDelivery]):
    """Messages to channels."""

    list_display = ("title", "channel", "event", "state", "response_status", "problem", "attempts", "due_at", "sent_at")
    list_filter = ("state", "event")
    list_select_related = ("channel",)
    search_fields = ("title", "channel__name", "event_id")
    exclude = ("token",)
    show_full_result_count = False


@admin.register(SlackUserGroup)
class SlackUserGroupAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[SlackUserGroup]):
    """User groups in Slack that follow who is on call."""

    list_display = ("group_id", "members", "synced_at", "problem", "retry_at")
    exclude = ("token",)
