"""Admin site that requires two-factor authentication if enrolled."""

from typing import Any

from allauth.account.authentication import get_authentication_records
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from people import queries
from people.models import User


def lacks_second_factor(request: HttpRequest) -> bool:
    """Return True if the user enrolled two-factor authentication but has not used it in this session."""
    user = request.user
    if not isinstance(user, User) or not queries.has_second_factor(user):
        return False
    return not any(record["method"] == "mfa" for record in get_authentication_records(request, user))


class OncallAdminSite(AdminSite):
    """Admin site for staff. Users with two-factor authentication must have used it in this session."""

    def has_permission(self, request: HttpRequest) -> bool:
        """Return True if the user may open the admin."""
        return super().has_permission(request) and not lacks_second_factor(request)

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:  # type: ignore[override]  # a redirect
        """Redirect to the site's own form, which also asks for the current password."""
        return redirect("security")

    def password_change_done(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:  # type: ignore[override]  # a redirect
        """Redirect to the page that the site shows after a change of password."""
        return redirect("security")
