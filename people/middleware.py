"""Middleware for sign-in, the viewer's time zone, caching and repeated requests."""

import datetime as dt
import hashlib
import json
import re
from collections.abc import Callable
from posixpath import dirname
from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import Resolver404, resolve
from django.utils import timezone

from common.http import local_path
from people.models import ApiToken, User
from people.queries import bearer_secret, find_token
from people.services.saved_responses import KeyedRequest, KeyReusedError, UnreadableResponseError, respond_once
from people.unsent_forms import delete_form, save_form

# Keys of clients: a UUID, or any other visible text.
IDEMPOTENCY_KEY = re.compile(r"[!-~]{1,255}")
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
    """Redirect GET on the URL of an action, such as /incidents/5/acknowledge/, to the page of its object.

    For any other method that a page does not have, show a page that says so.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Return the response, or the redirect or the page instead of an empty 405."""
        response = self.get_response(request)
        if response.status_code != 405 or request.path.startswith("/api/"):
            return response
        if request.method in ("GET", "HEAD"):
            return redirect(object_page(request.path))
        page = render(request, "405.html", status=405)
        page.headers["Allow"] = response.headers.get("Allow", "")
        return page


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


class SavedResponseMiddleware:
    """Process a POST once: the same one again gets the saved response and has no effect.

    API calls are recognised by the header `Idempotency-Key`, forms by the field `form_key` of `{% form_key %}`. Sent with another
    content, a key of the API is refused, while a form is processed: it may come from a page that the browser went back to.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Return the view's response, or the saved one."""
        if request.method != "POST":
            return self.get_response(request)
        if request.path.startswith("/api/"):
            return self._respond_to_call(request)
        return self._respond_to_form(request)

    def _respond_to_call(self, request: HttpRequest) -> HttpResponseBase:
        key, (user, token) = request.headers.get("Idempotency-Key"), _api_caller(request)
        if key is None or user is None:
            return self.get_response(request)
        if not IDEMPOTENCY_KEY.fullmatch(key):
            return JsonResponse({"Idempotency-Key": ["Use 1 to 255 visible ASCII characters."]}, status=400)
        try:
            fingerprint = _fingerprint(request, request.body)
        except RequestDataTooBig:
            return self.get_response(request)
        try:
            return respond_once(
                KeyedRequest(user=user, token=token, key=key, fingerprint=fingerprint),
                respond=lambda: self.get_response(request),
                is_worth_saving=lambda response: 200 <= response.status_code < 300,
                may_reuse_key=False,
                at=timezone.now(),
            )
        except KeyReusedError as error:
            return JsonResponse({"detail": str(error)}, status=422)
        except UnreadableResponseError as error:
            return JsonResponse({"detail": str(error)}, status=409)

    def _respond_to_form(self, request: HttpRequest) -> HttpResponseBase:
        key, user = request.POST.get("form_key", ""), request.user
        if not IDEMPOTENCY_KEY.fullmatch(key) or not isinstance(user, User):
            return self.get_response(request)
        try:
            return respond_once(
                KeyedRequest(user=user, token=None, key=f"form {key}"[:255], fingerprint=_form_fingerprint(request)),
                respond=lambda: self.get_response(request),
                is_worth_saving=lambda response: response.status_code in (302, 303),
                may_reuse_key=True,
                at=timezone.now(),
            )
        except UnreadableResponseError:
            return redirect(object_page(request.path))


def _api_caller(request: HttpRequest) -> tuple[User | None, ApiToken | None]:
    """Return the user and the token of an API call, as the API authenticates it."""
    secret = bearer_secret(request.headers.get("Authorization", ""))
    if secret is not None:
        token = find_token(secret, at=timezone.now())
        return (token.user, token) if token else (None, None)
    return (request.user, None) if isinstance(request.user, User) else (None, None)


def _form_fingerprint(request: HttpRequest) -> str:
    fields = [
        (name, values) for name, values in request.POST.lists() if name not in ("csrfmiddlewaretoken", "form_key")
    ]
    files = [(name, [(file.name, _digest(file)) for file in values]) for name, values in request.FILES.lists()]
    return _fingerprint(request, json.dumps([fields, files]).encode())


def _digest(file: UploadedFile[Any]) -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


def _fingerprint(request: HttpRequest, content: bytes) -> str:
    return hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode() + content).hexdigest()


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
    return local_path(request, request.headers.get("Referer", "")).partition("#")[0]
