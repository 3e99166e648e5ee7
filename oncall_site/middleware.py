"""Request ids, the request log, request metrics, and the context of change histories."""

import logging
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

import pghistory.middleware
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject, empty
from prometheus_client import Counter, Histogram

from oncall_site.logs import mask, request_id
from people.models import User

logger = logging.getLogger("oncall_site.requests")

WELL_FORMED = re.compile(r"[A-Za-z0-9._-]{8,64}\Z")
# Probes and scrapers call these every few seconds; only their failures are worth a line.
UNLOGGED = ("/healthz", "/readyz", "/metrics", "/static/")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

REQUESTS = Counter("oncall_http_requests", "HTTP requests.", ["method", "view", "status"])
SECONDS = Histogram(
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
    SECONDS.labels(view).observe(seconds)
    if request.path.startswith(UNLOGGED) and response.status_code < 500:
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


class HistoryMiddleware(pghistory.middleware.HistoryMiddleware):
    """Stores the user, URL and request id with every change of a tracked row."""

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return the context to store with a change."""
        return {**super().get_context(request), "url": mask(request.path), "request": request_id.get()}
