"""API responses that a web process reuses until a fact behind them changes (docs/adr/0029).

A view marks its response with the time for which it holds. The middleware stores it with the version of the facts, and for a
later request at an instant in that time sends it again with only `at` changed.
"""

import datetime as dt
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import ResolverMatch

from common.datetimes import isoformat_z

MAX_CACHE_BYTES = 8 * 1024 * 1024
# A larger response would push out too many others.
MAX_RESPONSE_BYTES = MAX_CACHE_BYTES // 8
# Responses to the same request at different instants.
MAX_PERIODS_PER_KEY = 8
# Approximate memory of a response besides its body.
OVERHEAD_BYTES = 2_000
# Set by the middleware outside, or different each time.
UNCACHED_HEADERS = frozenset({"etag", "content-length", "x-request-id"})
PERIOD_ATTRIBUTE = "period"

R = TypeVar("R", bound=HttpResponseBase)


@dataclass(frozen=True, slots=True)
class Period:
    """The period for which a response is valid, except for its `at`, if no fact changes.

    `is_past` is True if it was taken from the history: a response for the same instant from the current facts is a different one.
    """

    starts_at: dt.datetime
    ends_at: dt.datetime
    is_past: bool

    def includes(self, at: dt.datetime, *, is_past: bool) -> bool:
        """Return True if the response at `at` is this one."""
        return self.is_past == is_past and self.starts_at <= at < self.ends_at


def mark_period(response: R, period: Period) -> R:
    """Mark a response with the period in which it holds, and return it; its `at` is the start of the period.

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

    version: str
    period: Period
    query: str | None
    parts: tuple[bytes, ...]
    headers: tuple[tuple[str, str], ...]
    etag: str
    match: ResolverMatch | None

    @property
    def size(self) -> int:
        """The memory that the response takes, in bytes."""
        return sum(len(part) for part in self.parts) + OVERHEAD_BYTES

    def body(self, at: dt.datetime) -> bytes:
        """Return the body at an instant."""
        return _instant(at).join(self.parts)


def read_response(request: HttpRequest, response: HttpResponse, *, version: str) -> CachedResponse | None:
    """Return the part of a response to cache, or None if the response is not marked with a period."""
    period: Period | None = getattr(response, PERIOD_ATTRIBUTE, None)
    if period is None or response.status_code != 200 or response.cookies:
        return None
    parts = tuple(response.content.split(_instant(period.starts_at)))
    # A link to another page repeats the whole query, with the instant as it was asked for.
    has_links = b'"next":"' in parts[0] or b'"previous":"' in parts[0]
    return CachedResponse(
        version=version,
        period=period,
        query=request.META.get("QUERY_STRING", "") if has_links else None,
        parts=parts,
        headers=tuple((name, value) for name, value in response.items() if name.lower() not in UNCACHED_HEADERS),
        etag=f'W/"{hashlib.sha256(b"@".join(parts)).hexdigest()[:32]}"',
        match=request.resolver_match,
    )


def _instant(at: dt.datetime) -> bytes:
    """Return the field `at` in JSON. No text in JSON can look like it: its quotes would be escaped."""
    return f'"at":"{isoformat_z(at)}"'.encode()


def send_response(request: HttpRequest, cached: CachedResponse, *, at: dt.datetime) -> HttpResponse:
    """Return the response at an instant, or a 304 if the client named its entity tag, which does not depend on the instant."""
    if is_current(request.headers.get("If-None-Match", ""), etag=cached.etag):
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(cached.body(at))
        response.headers["Content-Length"] = str(len(response.content))
    for name, value in cached.headers:
        response.headers[name] = value
    response.headers["ETag"] = cached.etag
    if response.status_code == 304:
        del response.headers["Content-Type"]
    return response


def is_current(condition: str, *, etag: str) -> bool:
    """Return True if an If-None-Match header names the entity tag, compared weakly (RFC 9110, section 13.1.2)."""
    tags = [tag.strip().removeprefix("W/") for tag in condition.split(",")]
    return "*" in tags or etag.removeprefix("W/") in tags


class ResponseCache:
    """The responses of one process, at most `MAX_CACHE_BYTES`; the least recently used are dropped first."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.entries: OrderedDict[Hashable, tuple[CachedResponse, ...]] = OrderedDict()
        self.size = 0

    def find(self, key: Hashable, *, version: str, at: dt.datetime, is_past: bool, query: str) -> CachedResponse | None:
        """Return the response to a request at an instant, or None."""
        with self.lock:
            entries = self.entries.get(key, ())
            for cached in entries:
                if (
                    cached.version == version
                    and cached.query in (None, query)
                    and cached.period.includes(at, is_past=is_past)
                ):
                    self.entries.move_to_end(key)
                    return cached
        return None

    def store(self, key: Hashable, cached: CachedResponse) -> None:
        """Store a response, and drop those of another version."""
        if cached.size > MAX_RESPONSE_BYTES:
            return
        with self.lock:
            others = self.entries.pop(key, ())
            current = [other for other in others if other.version == cached.version]
            entries = (cached, *current)[:MAX_PERIODS_PER_KEY]
            self.entries[key] = entries
            self.size += _size(entries) - _size(others)
            while self.size > MAX_CACHE_BYTES:
                _, oldest = self.entries.popitem(last=False)
                self.size -= _size(oldest)

    def clear(self) -> None:
        """Remove all responses."""
        with self.lock:
            self.entries.clear()
            self.size = 0


def _size(entries: Iterable[CachedResponse]) -> int:
    return sum(cached.size for cached in entries)


RESPONSE_CACHE = ResponseCache()
