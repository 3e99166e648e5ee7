"""Shows times in the viewer's own zone."""

import datetime as dt
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from people.models import User


class ViewerTimeZoneMiddleware:
    """Activates the signed-in person's time zone for the length of a request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request with the viewer's zone in force; the API's instants are in UTC for everybody (product.md §10)."""
        if request.path.startswith("/api/"):
            zone: dt.tzinfo = dt.UTC
        elif isinstance(request.user, User):
            zone = request.user.zone
        else:
            return self.get_response(request)
        with timezone.override(zone):
            return self.get_response(request)
