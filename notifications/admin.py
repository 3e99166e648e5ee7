"""Admin pages for messages, preferences and chat addresses."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from common.admin import ReadOnlyModelAdmin
from common.exceptions import DomainError
from notifications.forms import ChatAddressForm
from notifications.models import ChannelPreference, ChatAddress, Message, QuietHours
from notifications.services import delivery
from notifications.services.preferences import remove_chat_address, set_chat_address
from people.admin import request_admin


@admin.register(Message)
class MessageAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[Message]):
    """Messages and their delivery state; failed messages can be retried."""

    list_display = ("subject", "recipient", "type", "channel", "state", "problem", "attempts", "due_at", "sent_at")
    list_filter = ("state", "channel", "urgent", "type")
    list_select_related = ("recipient",)
    search_fields = ("subject", "recipient__display_name", "dedup_key")
    date_hierarchy = "due_at"
    exclude = ("token",)
    actions = ("retry",)
    show_full_result_count = False

    @admin.action(description="Retry selected messages", permissions=["view"])
    def retry(self, request: HttpRequest, queryset: QuerySet[Message]) -> None:
        """Retry the selected failed messages."""
        count = 0
        for message in queryset.select_related("recipient"):
            try:
                delivery.retry_message(message, by=request_admin(request))
            except DomainError as error:
                messages.error(request, f"{message}: {error}")
            else:
                count += 1
        if count:
            messages.success(request, f"Retrying {count} message{'s' if count > 1 else ''}.")


@admin.register(ChatAddress)
class ChatAddressAdmin(admin.ModelAdmin[ChatAddress]):
    """Chat addresses, encrypted and never shown after they are saved."""

    form = ChatAddressForm
    list_display = ("person", "service", "created_at")
    list_select_related = ("person",)
    autocomplete_fields = ("person",)

    def has_change_permission(self, request: HttpRequest, obj: ChatAddress | None = None) -> bool:
        """Return False: delete the address and add a new one."""
        return False

    def save_model(self, request: HttpRequest, obj: ChatAddress, form: Any, change: Any) -> None:
        """Save the encrypted address."""
        row = set_chat_address(obj.person, address=form.cleaned_data["typed"], by=request_admin(request))
        obj.pk = row.pk

    def delete_model(self, request: HttpRequest, obj: ChatAddress) -> None:
        """Delete the address."""
        remove_chat_address(obj, by=request_admin(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ChatAddress]) -> None:
        """Delete the selected addresses."""
        for row in queryset:
            remove_chat_address(row, by=request_admin(request))


@admin.register(ChannelPreference)
class ChannelPreferenceAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[ChannelPreference]):
    """Channel preferences by notification type. Users edit their own."""

    list_display = ("person", "type", "email", "chat")
    list_filter = ("type",)
    list_select_related = ("person",)


@admin.register(QuietHours)
class QuietHoursAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[QuietHours]):
    """Quiet hours in each user's time zone."""

    list_display = ("person", "starts_at", "ends_at")
    list_select_related = ("person",)
