"""API responses that a web process reuses until a fact behind them changes (docs/adr/0029).

A view marks its response with the period for which it is valid. The middleware stores it with the version of the facts. For a later
request at an instant in that period, it sends the response again with only `at` changed.
"""

import datetime as dt
import hashlib
from dataclasses import dataclass
from typing import TypeVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch

from common.datetimes import isoformat_z
from common.version_cache import ValidityPeriod, VersionCache

MAX_CACHE_BYTES = 8 * 1024 * 1024
# Approximate memory of a response besides its body.
OVERHEAD_BYTES = 2_000
# Set by the middleware outside, or different each time.
UNCACHED_HEADERS = frozenset({"etag", "content-length", "x-request-id"})
PERIOD_ATTRIBUTE = "period"

R = TypeVar("R", bound=HttpResponseBase)


def mark_period(response: R, period: ValidityPeriod) -> R:
    """Mark a response with the period in which it is valid, and return it. Its `at` is the start of the period.

    The reader's own client may store it and ask whether it is still current.
    """
    setattr(response, PERIOD_ATTRIBUTE, period)
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@dataclass(frozen=True, slots=True)
class CachedResponse:
    """A response without its instant: the parts of its body between the values of `at`.

    `query` is the query string that its links repeat, None if it has no links.
    """

    period: ValidityPeriod
    query: str | None
    parts: tuple[bytes, ...]
    headers: dict[str, str]
    match: ResolverMatch | None

    @property
    def size(self) -> int:
        """The memory that the response takes, in bytes."""
        return sum(len(part) for part in self.parts) + OVERHEAD_BYTES

    def body(self, at: dt.datetime) -> bytes:
        """Return the body at an instant."""
        return _instant(at).join(self.parts)


def read_response(request: HttpRequest, response: HttpResponse) -> CachedResponse | None:
    """Return the part of a response to cache, or None if the response is not marked with a period."""
    period: ValidityPeriod | None = getattr(response, PERIOD_ATTRIBUTE, None)
    if period is None or response.status_code != 200 or response.cookies:
        return None
    parts = tuple(response.content.split(_instant(period.starts_at)))
    # A link to another page repeats the whole query, with the instant as it was asked for.
    has_links = b'"next":"' in parts[0] or b'"previous":"' in parts[0]
    headers = {name: value for name, value in response.items() if name.lower() not in UNCACHED_HEADERS}
    headers["ETag"] = f'W/"{hashlib.sha256(b"@".join(parts)).hexdigest()[:32]}"'
    return CachedResponse(
        period=period,
        query=request.META.get("QUERY_STRING", "") if has_links else None,
        parts=parts,
        headers=headers,
        match=request.resolver_match,
    )


def _instant(at: dt.datetime) -> bytes:
    """Return the field `at` in JSON. No text in JSON can look like it: its quotes would be escaped."""
    return f'"at":"{isoformat_z(at)}"'.encode()


def send_response(request: HttpRequest, cached: CachedResponse, *, at: dt.datetime) -> HttpResponse:
    """Return the response at an instant, or a 304 if the client named its entity tag, which does not depend on the instant."""
    if is_current(request.headers.get("If-None-Match", ""), etag=cached.headers["ETag"]):
        response = HttpResponse(status=304, headers=cached.headers)
        del response.headers["Content-Type"]
        return response
    body = cached.body(at)
    return HttpResponse(body, headers={**cached.headers, "Content-Length": str(len(body))})


def is_current(condition: str, *, etag: str) -> bool:
    """Return True if an If-None-Match header names the entity tag, compared weakly (RFC 9110, section 13.1.2)."""
    tags = [tag.strip().removeprefix("W/") for tag in condition.split(",")]
    return "*" in tags or etag.removeprefix("W/") in tags


def empty_cache() -> VersionCache[CachedResponse]:
    """Return a cache of responses for one process."""
    return VersionCache(max_bytes=MAX_CACHE_BYTES, size=lambda cached: cached.size)


RESPONSE_CACHE = empty_cache()
