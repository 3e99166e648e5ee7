"""What surrounds every request: its id, one line of the log, and its count for `/metrics`."""

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
# Health is asked every few seconds by machines, and says itself when something is wrong.
UNLOGGED = ("/healthz", "/readyz", "/metrics", "/static/")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

REQUESTS = Counter("oncall_http_requests", "Requests answered.", ["method", "view", "status"])
SECONDS = Histogram(
    "oncall_http_request_seconds",
    "How long requests took.",
    ["view"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)


class RequestMiddleware:
    """Gives each request an id, logs it in one line, and counts it.

    A well-formed `X-Request-ID` of the caller is kept, so that a request can be followed through a proxy; the answer carries it.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request, with its id in the answer."""
        asked = request.headers.get("X-Request-ID", "")
        # It stays until the thread's next request: Django logs what a request answered after all middleware is left.
        request_id.set(asked if WELL_FORMED.match(asked) else uuid.uuid4().hex)
        began = time.perf_counter()
        response = self.get_response(request)
        response["X-Request-ID"] = request_id.get()
        _record(request, response, seconds=time.perf_counter() - began)
        return response


def _record(request: HttpRequest, response: HttpResponse, *, seconds: float) -> None:
    match = getattr(request, "resolver_match", None)
    view = (match.view_name or match.route) if match else "none"
    method = request.method if request.method in METHODS else "other"
    REQUESTS.labels(method, view, str(response.status_code)).inc()
    SECONDS.labels(view).observe(seconds)
    if request.path.startswith(UNLOGGED) and response.status_code < 500:  # 5xx
        return
    user = getattr(request, "user", None)
    # Whoever no view asked about is not looked up for the log's sake.
    known = not isinstance(user, SimpleLazyObject) or user._wrapped is not empty  # noqa: SLF001  # Django gives no other way
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
            "user": user.username if known and isinstance(user, User) else "",
        },
    )


class HistoryMiddleware(pghistory.middleware.HistoryMiddleware):
    """Notes beside every change of a row who asked for it, and the id of the request that the log knows it by."""

    def get_context(self, request: HttpRequest) -> dict[str, Any]:
        """Return what is kept with a change."""
        return {**super().get_context(request), "url": mask(request.path), "request": request_id.get()}
