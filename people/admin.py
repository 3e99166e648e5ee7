"""Admin pages for users and API tokens."""

from collections.abc import Callable
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from common.exceptions import DomainError, InvalidInputError
from people.models import ApiToken, HandbookAlias, User
from people.services.accounts import revoke_token

# Groups are not used: docs/adr/0003-two-roles-and-no-groups.md.
admin.site.unregister(Group)
# django-allauth's tables have no admin pages: docs/adr/0009.
admin.site.unregister((EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken))
admin.site.site_header = admin.site.site_title = "On-call administration"
admin.site.index_title = "Administration"


def request_admin(request: HttpRequest) -> User:
    """Return the admin who made the request."""
    assert isinstance(request.user, User)  # noqa: S101  # nosec B101  # the admin is behind sign-in
    return request.user


def dry_run_form(form_class: Any, attempt: Callable[[Any], object]) -> Any:
    """Return a form class whose validation runs `attempt(form)`, rolls it back and reports errors by field."""

    class DryRunForm(form_class):  # type: ignore[misc]  # the class is Django's, made for one request
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

    return DryRunForm


@admin.register(HandbookAlias)
class HandbookAliasAdmin(admin.ModelAdmin[HandbookAlias]):
    """Other spellings of people's names in the handbook: chosen in imports, removed here."""

    list_display = ("name", "user")
    search_fields = ("name", "user__display_name", "user__username")
    list_select_related = ("user",)
    autocomplete_fields = ("user",)


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin[ApiToken]):
    """API tokens: created by their owners on the account page, revoked here."""

    list_display = ("name", "user", "scope", "prefix", "created_at", "expires_at", "last_used_at", "revoked_at")
    list_filter = ("scope",)
    search_fields = ("name", "user__display_name", "prefix")
    list_select_related = ("user",)
    actions = ("revoke",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False: only the owner creates a token."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        """Return False: tokens can only be revoked."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        """Return False: revoked and expired tokens remain listed."""
        return False

    @admin.action(description="Revoke selected tokens", permissions=["view"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        """Revoke the selected tokens now."""
        assert isinstance(request.user, User)  # noqa: S101  # nosec B101  # the admin is behind sign-in
        for token in queryset:
            revoke_token(token, by=request.user, at=timezone.now())
        messages.success(request, f"Tokens revoked: {len(queryset)}.")
