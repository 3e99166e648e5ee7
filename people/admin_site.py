"""Django's admin site, for admins who gave their second factor."""

from allauth.account.authentication import get_authentication_records
from django.contrib.admin import AdminSite
from django.http import HttpRequest

from people import queries
from people.models import User


def lacks_second_factor(request: HttpRequest) -> bool:
    """Tell whether somebody has a second factor and did not give it in this session, opened before they had one, say."""
    user = request.user
    if not isinstance(user, User) or not queries.has_second_factor(user):
        return False
    return not any(record["method"] == "mfa" for record in get_authentication_records(request, user))


class OncallAdminSite(AdminSite):
    """The admin: staff, with the second factor where one is enrolled (reliability.md, security choices)."""

    def has_permission(self, request: HttpRequest) -> bool:
        """Tell whether the request may see the admin."""
        return super().has_permission(request) and not lacks_second_factor(request)
