"""Request ids, the request log, request metrics, and the context of change histories."""

import datetime as dt
import logging
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

import pghistory.middleware
from django.db import InterfaceError, NotSupportedError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject, empty
from prometheus_client import Counter, Histogram

from common.datetimes import parse_instant_param
from common.exceptions import InvalidInputError
from common.identifiers import SLUG_PATTERN
from common.response_cache import RESPONSE_CACHE, read_response, send_response
from oncall_site.logs import mask, request_id
from people.models import User
from people.queries import Caller, bearer_secret, find_caller
from people.services.accounts import record_use
from scheduling.queries.on_call import is_past

logger = logging.getLogger("oncall_site.requests")

WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}\Z")
# Probes and scrapers call these every few seconds; only their failures are worth a line.
UNLOGGED_PATHS = ("/healthz", "/readyz", "/metrics", "/static/")
# What is answered from memory: who is on call, who responds for every pipeline or for one, and a rotation's timeline.
CACHED_PATHS = re.compile(
    rf"/api/v1/(?:oncall|responders|pipelines/{SLUG_PATTERN}/responder|rotations/{SLUG_PATTERN}/timeline)/"
)
JSON_KINDS = ("*/*", "application/*", "application/json")
QUALITY_VALUE = re.compile(r";\s*q=[0-9.]+")
# Django builds the links in a response from these.
HOST_VARIABLES = ("HTTP_HOST", "SERVER_NAME", "SERVER_PORT")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

REQUESTS = Counter("oncall_http_requests", "HTTP requests.", ["method", "view", "status"])
REQUEST_SECONDS = Histogram(
    "oncall_http_request_seconds",
    "Duration of HTTP requests.",
    ["view"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)


class RequestMiddleware:
    """Assigns each request an id, logs it as one line and counts it.

    Uses the caller's X-Request-ID if it is well-formed, so that a request can be traced through a proxy, and returns it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response with an X-Request-ID header."""
        caller_id = request.headers.get("X-Request-ID", "")
        # Not reset afterwards: Django logs failed requests after the middleware has returned.
        request_id.set(caller_id if WELL_FORMED.match(caller_id) else uuid.uuid4().hex)
        started = time.perf_counter()
        response = self.get_response(request)
        response["X-Request-ID"] = request_id.get()
        _record(request, response, seconds=time.perf_counter() - started)
        return response


def _record(request: HttpRequest, response: HttpResponse, *, seconds: float) -> None:
    match = getattr(request, "resolver_match", None)
    view = (match.view_name or match.route) if match else "none"
    method = request.method if request.method in METHODS else "other"
    REQUESTS.labels(method, view, str(response.status_code)).inc()
    REQUEST_SECONDS.labels(view).observe(seconds)
    if not logger.isEnabledFor(logging.INFO) or (
        request.path.startswith(UNLOGGED_PATHS) and response.status_code < 500
    ):
        return
    user = getattr(request, "user", None)
    # Logging must not load a user that the view did not load.
    is_loaded = not isinstance(user, SimpleLazyObject) or user._wrapped is not empty  # noqa: SLF001  # Django has no public way
    logger.info(
        "%s %s %s",
        method,
        request.path,
        response.status_code,
        extra={
            "method": method,
            "path": mask(request.path),
            "view": view,
            "status": response.status_code,
            "milliseconds": round(seconds * 1000, 1),
            "user": user.username if is_loaded and isinstance(user, User) else "",
        },
    )


class ResponseCacheMiddleware:
    """Answers from memory who is on call and who responds, if no fact has changed; else the view does (docs/adr/0029).

    Only a caller with a valid token is answered from memory, after one statement that reads the token and the version of the
    facts. Every refusal and error comes from the views.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response, with an entity tag, or a 304."""
        if request.method != "GET" or not CACHED_PATHS.fullmatch(request.path_info) or not _is_plain(request):
            return self.get_response(request)
        now, query = timezone.now(), request.META.get("QUERY_STRING", "")
        try:
            at = parse_instant_param(request.GET) if query else now
        except InvalidInputError:
            return self.get_response(request)
        caller = _find_caller(request, at=now)
        parameters = tuple((name, *values) for name, values in request.GET.lists() if name != "at") if query else ()
        # The host as the client named it: views refuse a host that is not the site's, so memory never holds their response.
        key = (request.scheme, *map(request.META.get, HOST_VARIABLES), request.path, parameters)
        if caller is not None:
            past = is_past(at, now=now)
            cached = RESPONSE_CACHE.find(
                key, version=caller.version, at=at, is_past=past, accept=lambda one: one.query in (None, query)
            )
            if cached is not None:
                request.user, request.resolver_match = caller.user, cached.match
                record_use(caller.token, last_used_at=caller.last_used_at, at=now)
                return send_response(request, cached, at=at)
        response = self.get_response(request)
        cached = read_response(request, response)
        if cached is None:
            return response
        if caller is not None:
            RESPONSE_CACHE.store(key, cached, version=caller.version, period=cached.period)
        return send_response(request, cached, at=cached.period.starts_at)


def _is_plain(request: HttpRequest) -> bool:
    """Return True if the client takes JSON as the site writes it: a client can ask for indentation."""
    accepted = QUALITY_VALUE.sub("", request.headers.get("Accept", "*/*"))
    return any(kind.strip() in JSON_KINDS for kind in accepted.split(",")) and ";" not in accepted


def _find_caller(request: HttpRequest, *, at: dt.datetime) -> Caller | None:
    secret = bearer_secret(request.headers.get("Authorization", ""))
    if secret is None:
        return None
    # Instead of Django's statement that asks whether the connection still works, before every request: this one does.
    connection.health_check_done = True  # type: ignore[attr-defined]  # missing in the stubs
    try:
        return find_caller(secret, at=at)
    except (OperationalError, InterfaceError, NotSupportedError):
        # The view connects again, or answers that the database is not there. A new connection prepares the statement again.
        connection.close()
        return None


class HistoryMiddleware(pghistory.middleware.HistoryMiddleware):
    """Stores the user, URL and request id with every change of a tracked row."""

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return the context to store with a change."""
        return {**super().get_context(request), "url": mask(request.path), "request": request_id.get()}
