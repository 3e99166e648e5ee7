"""Middleware for sign-in, the viewer's time zone and caching."""

import datetime as dt
from collections.abc import Callable
from posixpath import dirname
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from people.models import User
from people.unsent_forms import delete_form, save_form

SAFE_METHODS = ("GET", "HEAD", "OPTIONS", "TRACE")


class SignInRequiredMiddleware(LoginRequiredMiddleware):
    """Send everyone who is not signed in to the sign-in page.

    A form that is posted after the session expired is saved, and sign-in leads back to the page it was on, where it can be
    sent again.
    """

    def process_view(self, request: HttpRequest, view_func: Any, view_args: Any, view_kwargs: Any) -> Any:
        """Return a redirect to the sign-in page, or None for the view to go on."""
        if request.method == "POST" and request.user.is_authenticated:
            delete_form(request)
        return super().process_view(request, view_func, view_args, view_kwargs)

    def handle_no_permission(self, request: HttpRequest, view_func: Any) -> Any:
        """Return the redirect; for a form, `next` is the page that it is on."""
        if request.method in SAFE_METHODS:
            return super().handle_no_permission(request, view_func)
        save_form(request)
        login_url = self.get_login_url(view_func)
        return redirect_to_login(referring_page(request) or object_page(request.path), login_url)


class ObjectPageMiddleware:
    """Redirect GET on the URL of an action, such as /incidents/5/acknowledge/, to the page of its object."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Return the response, or the redirect instead of a 405."""
        response = self.get_response(request)
        is_page = not request.path.startswith("/api/") and request.method in ("GET", "HEAD")
        if response.status_code == 405 and is_page:
            return redirect(object_page(request.path))
        return response


class PrivateCacheMiddleware:
    """Forbid caches to store what only the user may see, unless the view decides otherwise."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response with `Cache-Control`."""
        response = self.get_response(request)
        if request.path.startswith("/api/") or request.user.is_authenticated:
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response


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


def object_page(path: str) -> str:
    """Return the nearest path above `path` that is a page. If that is an action too, it redirects further."""
    parent = path
    while parent != "/":
        parent = f"{dirname(parent.rstrip('/')).rstrip('/')}/"
        try:
            resolve(parent)
        except Resolver404:
            continue
        return parent
    return "/"


def referring_page(request: HttpRequest) -> str:
    """Return the path of the page that the request comes from, or "" if the browser does not send it."""
    referrer = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(referrer, {request.get_host()}, require_https=request.is_secure()):
        return ""
    parts = urlsplit(referrer)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
