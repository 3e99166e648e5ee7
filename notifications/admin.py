"""Admin pages for messages, preferences and chat addresses."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from common.admin import ReadOnlyModelAdmin
from common.exceptions import DomainError
from notifications.forms import ContactMethodForm, PhoneAccountForm, SlackAppForm
from notifications.models import (
    ChannelPreference,
    ContactMethod,
    EmailRejection,
    Message,
    NotificationPolicy,
    NotificationRule,
    PhoneAccount,
    PrivateHost,
    PushDevice,
    QuietHours,
    SlackApp,
    SlackMember,
)
from notifications.services import delivery
from notifications.services.contact_methods import remove_contact_method, set_contact_method
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


@admin.register(ContactMethod)
class ContactMethodAdmin(admin.ModelAdmin[ContactMethod]):
    """Contact methods, encrypted and never shown after they are saved."""

    form = ContactMethodForm
    list_display = (
        "person",
        "channel",
        "shown_as",
        "verified_at",
        "last_delivered_at",
        "problem",
        "switched_off_at",
    )
    list_filter = (
        "channel",
        ("verified_at", admin.EmptyFieldListFilter),
        ("switched_off_at", admin.EmptyFieldListFilter),
    )
    list_select_related = ("person",)
    autocomplete_fields = ("person",)

    def has_change_permission(self, request: HttpRequest, obj: ContactMethod | None = None) -> bool:
        """Return False: delete the address and add a new one."""
        return False

    def save_model(self, request: HttpRequest, obj: ContactMethod, form: Any, change: Any) -> None:
        """Save the encrypted address."""
        data = form.cleaned_data
        row = set_contact_method(obj.person, channel=data["channel"], address=data["typed"], by=request_admin(request))
        obj.pk = row.pk

    def delete_model(self, request: HttpRequest, obj: ContactMethod) -> None:
        """Delete the address."""
        remove_contact_method(obj, by=request_admin(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ContactMethod]) -> None:
        """Delete the selected addresses."""
        for row in queryset:
            remove_contact_method(row, by=request_admin(request))


@admin.register(EmailRejection)
class EmailRejectionAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[EmailRejection]):
    """E-mail addresses that the mail server rejects."""

    list_display = ("person", "address", "problem", "rejected_at", "reported_at")
    list_select_related = ("person",)
    search_fields = ("person__display_name", "address")


@admin.register(PushDevice)
class PushDeviceAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[PushDevice]):
    """Devices with push and their health. Users manage their own."""

    list_display = ("person", "name", "service", "confirmed_at", "last_delivered_at", "problem", "switched_off_at")
    list_filter = ("service",)
    list_select_related = ("person",)
    search_fields = ("person__display_name", "name")
    exclude = ("endpoint", "endpoint_digest", "p256dh", "auth")


@admin.register(NotificationRule)
class NotificationRuleAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[NotificationRule]):
    """Notification rules. Users edit their own."""

    list_display = ("person", "urgency", "channel", "delay_minutes")
    list_filter = ("urgency", "channel")
    list_select_related = ("person",)


@admin.register(ChannelPreference)
class ChannelPreferenceAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[ChannelPreference]):
    """Channel preferences by notification type. Users edit their own."""

    list_display = ("person", "type", "channels")
    list_filter = ("type",)
    list_select_related = ("person",)


@admin.register(QuietHours)
class QuietHoursAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[QuietHours]):
    """Quiet hours in each user's time zone."""

    list_display = ("person", "starts_at", "ends_at", "weekends")
    list_select_related = ("person",)


class SingleRowAdmin(admin.ModelAdmin[Any]):
    """A table with one row at most."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return True while there is no row."""
        return super().has_add_permission(request) and not self.model._default_manager.exists()  # noqa: SLF001  # Django's API for admins

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """Save the only row."""
        obj.pk = 1
        super().save_model(request, obj, form, change)


@admin.register(NotificationPolicy)
class NotificationPolicyAdmin(SingleRowAdmin):
    """What admins require of everyone's notification rules."""

    list_display = ("__str__", "high_needs_one_of")


@admin.register(PrivateHost)
class PrivateHostAdmin(admin.ModelAdmin[PrivateHost]):
    """Hosts on private networks, and hosts of Gotify servers, that messages may be sent to."""

    list_display = ("host", "port", "note", "created_at")
    search_fields = ("host", "note")


@admin.register(PhoneAccount)
class PhoneAccountAdmin(SingleRowAdmin):
    """The account for SMS and calls. The settings of the environment come first."""

    form = PhoneAccountForm
    list_display = ("account_sid", "from_number")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """Save the account; an empty token keeps the saved one."""
        if form.cleaned_data["typed_token"]:
            obj.auth_token = form.cleaned_data["typed_token"]
        super().save_model(request, obj, form, change)


@admin.register(SlackApp)
class SlackAppAdmin(SingleRowAdmin):
    """The Slack app. Settings in the environment take precedence."""

    form = SlackAppForm

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """Save the app; empty secrets keep the saved ones."""
        if form.cleaned_data["typed_token"]:
            obj.bot_token = form.cleaned_data["typed_token"]
        if form.cleaned_data["typed_secret"]:
            obj.signing_secret = form.cleaned_data["typed_secret"]
        super().save_model(request, obj, form, change)


@admin.register(SlackMember)
class SlackMemberAdmin(ReadOnlyModelAdmin, admin.ModelAdmin[SlackMember]):
    """The Slack account of each person, found by e-mail address."""

    list_display = ("person", "email", "slack_id", "problem", "looked_up_at")
    list_filter = (("slack_id", admin.EmptyFieldListFilter),)
    list_select_related = ("person",)
    search_fields = ("person__display_name", "email", "slack_id")
