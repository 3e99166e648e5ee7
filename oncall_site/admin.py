"""Django admin for users: invitations, two-factor reset, deactivation."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from common.exceptions import DomainError
from oncall_site import services
from people.admin import request_admin
from people.forms import NewPersonForm, PersonForm
from people.models import User
from people.requests import require_recent_password
from people.services import accounts
from scheduling.services.offboarding import deactivate, reactivate

# An admin confirms their password before they change these.
IDENTITY_FIELDS = {"email", "is_staff"}


@admin.register(User)
class UserAdmin(DjangoUserAdmin[User]):
    """Users: created without a password, and deactivated instead of deleted."""

    list_display = ("display_name", "username", "email", "time_zone", "country", "is_active", "is_staff")
    list_filter = ("is_active", "is_staff")
    search_fields = ("display_name", "handbook_name", "username", "email")
    ordering = ("display_name",)
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    form = PersonForm
    add_form = NewPersonForm
    add_fieldsets = ((None, {"fields": NewPersonForm.Meta.fields}),)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "username",
                    "password",
                    "display_name",
                    "handbook_name",
                    "email",
                    "phone",
                    "colour",
                    "shortcuts",
                )
            },
        ),
        ("Location", {"fields": ("time_zone", "country", "subdivision")}),
        ("Role", {"fields": ("is_active", "is_staff")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    actions = ("invite", "send_password_reset", "reset_two_factor")

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002  # Django's own signature
        """Set a user's password, after the admin confirmed their own."""
        require_recent_password(request)
        return super().user_change_password(request, id, form_url)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Return False: shifts and histories refer to users. Deactivate them instead."""
        return False

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: Any) -> None:
        """Save the user; deactivate and reactivate through the service, which also updates the schedule."""
        if IDENTITY_FIELDS & set(form.changed_data) and (change or obj.is_staff):
            require_recent_password(request)
        is_active, by = obj.is_active, request_admin(request)
        stored = User.objects.get(pk=obj.pk) if change else None
        if stored is not None:
            obj.is_active = stored.is_active
        if stored is not None and stored.is_staff and not obj.is_staff:
            try:
                accounts.check_admin_remains(stored)
            except DomainError as error:
                obj.is_staff = True
                messages.error(request, str(error))
        super().save_model(request, obj, form, change)
        if stored is not None:
            services.email_changed(obj, old_address=stored.email, at=timezone.now())
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
        require_recent_password(request)
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
