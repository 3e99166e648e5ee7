"""Request types, and what a request must prove."""

from allauth.account.internal.flows.reauthentication import did_recently_reauthenticate
from allauth.core.exceptions import ReauthenticationRequired
from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from people.models import User


class SignedInRequest(HttpRequest):
    """A request of a signed-in user."""

    user: User
    htmx: HtmxDetails
    # The path of the parent page, if the request's own path does not show its place in the navigation.
    navigation_path: str


def require_recent_password(request: HttpRequest) -> None:
    """Let allauth ask for the user's password, unless they confirmed it in the last minutes, and repeat the request."""
    if not did_recently_reauthenticate(request):
        raise ReauthenticationRequired
