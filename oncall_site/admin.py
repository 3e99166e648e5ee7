"""Django admin for users: invitations, two-factor reset, deactivation."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from common.exceptions import DomainError
from oncall_site import services
from people.admin import request_admin
from people.forms import NewPersonForm
from people.models import User
from people.services import accounts
from scheduling.services.offboarding import deactivate, reactivate


@admin.register(User)
class UserAdmin(DjangoUserAdmin[User]):
    """Users: created without a password, and deactivated instead of deleted."""

    list_display = ("display_name", "username", "email", "time_zone", "country", "is_active", "is_staff")
    list_filter = ("is_active", "is_staff")
    search_fields = ("display_name", "username", "email")
    ordering = ("display_name",)
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    add_form = NewPersonForm
    add_fieldsets = ((None, {"fields": NewPersonForm.Meta.fields}),)
    fieldsets = (
        (None, {"fields": ("username", "password", "display_name", "email", "phone", "colour", "shortcuts")}),
        ("Location", {"fields": ("time_zone", "country", "subdivision")}),
        ("Role", {"fields": ("is_active", "is_staff")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    actions = ("invite", "send_password_reset", "reset_two_factor")

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Return False: shifts and histories refer to users. Deactivate them instead."""
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: Any) -> None:
        """Save the user; deactivate and reactivate through the service, which also updates the schedule."""
        is_active = obj.is_active
        if change:
            obj.is_active = User.objects.get(pk=obj.pk).is_active
        super().save_model(request, obj, form, change)
        by = request_admin(request)
        try:
            if obj.is_active and not is_active:
                deactivate(obj, by=by, at=timezone.now())
                messages.info(request, f"{obj} was removed from every roster. Their shifts and covers were reassigned.")
            elif is_active and not obj.is_active:
                reactivate(obj, by=by)
        except DomainError as error:
            messages.error(request, str(error))

    @admin.action(description="Send invitation", permissions=["change"])
    def invite(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Mail each user a link to set their first password."""
        _send_password_links(request, queryset, reset=False)

    @admin.action(description="Send password reset", permissions=["change"])
    def send_password_reset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Mail each user a link to set a new password."""
        _send_password_links(request, queryset, reset=True)

    @admin.action(description="Reset two-factor authentication", permissions=["change"])
    def reset_two_factor(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Remove two-factor authentication, so that users who lost their device can sign in."""
        count = sum(accounts.reset_two_factor(user) for user in queryset)
        messages.success(request, f"Two-factor authentication reset for {count} user{'' if count == 1 else 's'}.")


def _send_password_links(request: HttpRequest, users: QuerySet[User], *, reset: bool) -> None:
    sent = 0
    for user in users:
        try:
            services.invite(user, by=request_admin(request), at=timezone.now(), reset=reset)
        except DomainError as error:
            messages.error(request, str(error))
        else:
            sent += 1
    if sent:
        messages.success(request, f"{sent} mail{'' if sent == 1 else 's'} queued.")
