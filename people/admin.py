"""Django's admin for people and their tokens."""

from collections.abc import Callable, Sequence
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from common.exceptions import DomainError, InvalidInputError
from people.forms import NewPersonForm
from people.models import ApiToken, User
from people.services import accounts
from people.services.accounts import revoke_token

# Nobody is in a group: docs/adr/0003-two-roles-and-no-groups.md.
admin.site.unregister(Group)
# Of these tables the site uses two, and nobody need see what is in them: docs/adr/0009.
admin.site.unregister((EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken))
admin.site.site_header = admin.site.site_title = "On-call administration"
admin.site.index_title = "Everything the site keeps"


def request_admin(request: HttpRequest) -> User:
    """Return the admin who asks."""
    assert isinstance(request.user, User)  # noqa: S101  # nosec B101  # the admin is behind sign-in
    return request.user


def dry_run_form(shown: Any, attempt: Callable[[Any], object]) -> Any:
    """Return a form class that, when its fields are right, tries `attempt(form)` and takes it back; a refusal stands by its field."""

    class Tried(shown):  # type: ignore[misc]  # the class is Django's, made for one request
        def clean(self) -> None:
            super().clean()
            if self.errors:
                return
            try:
                with transaction.atomic():
                    attempt(self)
                    transaction.set_rollback(True)
            except InvalidInputError as invalid:
                raise ValidationError(invalid.problems) from invalid
            except DomainError as refusal:
                raise ValidationError(str(refusal)) from refusal

    return Tried


@admin.register(User)
class UserAdmin(DjangoUserAdmin[User]):
    """People: added without a password, deactivated rather than deleted."""

    list_display = ("display_name", "username", "email", "time_zone", "country", "is_active", "is_staff")
    list_filter = ("is_active", "is_staff")
    search_fields = ("display_name", "username", "email")
    ordering = ("display_name",)
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    add_form = NewPersonForm
    add_fieldsets = (
        (
            None,
            {"fields": NewPersonForm.Meta.fields},
        ),
    )
    fieldsets = (
        (None, {"fields": ("username", "password", "display_name", "email", "phone", "colour", "shortcuts")}),
        ("Place", {"fields": ("time_zone", "country", "subdivision")}),
        ("Role", {"fields": ("is_active", "is_staff")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )

    actions: Sequence[str] = ("remove_second_factor",)

    @admin.action(description="Remove the second factor of the selected people", permissions=["change"])
    def remove_second_factor(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Let somebody whose phone is lost sign in with the password alone."""
        removed = sum(accounts.remove_second_factor(user) for user in queryset)
        messages.success(request, f"{removed} people no longer have a second factor.")

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Tell that nobody is deleted: weeks and histories name them; a leaver is made inactive."""
        return False


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin[ApiToken]):
    """API tokens: made on Mine by their holder, revoked here."""

    list_display = ("name", "user", "scope", "prefix", "created_at", "expires_at", "last_used_at", "revoked_at")
    list_filter = ("scope",)
    search_fields = ("name", "user__display_name", "prefix")
    list_select_related = ("user",)
    actions = ("revoke",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Tell that a token is made by its holder."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        """Tell that a token is not changed, only revoked."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        """Tell that a token stays in the list when it no longer works."""
        return False

    @admin.action(description="Revoke the selected tokens", permissions=["view"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        """Revoke the tokens, each from now on."""
        assert isinstance(request.user, User)  # noqa: S101  # nosec B101  # the admin is behind sign-in
        for token in queryset:
            revoke_token(token, by=request.user, at=timezone.now())
        messages.success(request, f"{len(queryset)} tokens no longer work.")
