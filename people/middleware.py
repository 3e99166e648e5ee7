"""Middleware for the viewer's time zone."""

import datetime as dt
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from people.models import User


class ViewerTimeZoneMiddleware:
    """Activate the signed-in user's time zone during a request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response in the viewer's time zone. The API uses UTC for everyone."""
        if request.path.startswith("/api/"):
            zone: dt.tzinfo = dt.UTC
        elif isinstance(request.user, User):
            zone = request.user.zone
        else:
            return self.get_response(request)
        with timezone.override(zone):
            return self.get_response(request)
