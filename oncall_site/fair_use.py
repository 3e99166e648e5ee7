"""A fair share of the site for everyone: how much of a web process's time one person may use, and at once.

What counts is processor time, not requests: an expensive page uses more of a share than a cheap one, and nobody's share is used up
because others make the site slow. Each process has its own shares, in memory. docs/operations.md has the numbers, docs/api.md what
a script should do.
"""

import contextlib
import hashlib
import json
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from django.conf import settings
from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from common.http import client_address, discard_body
from people.authentication import request_user_id
from people.models import User

# Work that a person has in advance, so that a burst is served at once.
MAX_SAVED_SECONDS = 5.0
# One long request, such as a large import, does not keep a person out for longer.
MAX_OWED_SECONDS = 5.0
# Fewer than the threads of a process, so that others are always served.
MAX_REQUESTS_AT_ONCE = 3
# People, sessions and addresses that a process remembers.
MAX_REMEMBERED = 10_000
RETRY_AT_ONCE_SECONDS = 1
EXEMPT_PATHS = ("/healthz", "/readyz", "/metrics", "/static/")
# Alertmanager repeats a webhook after a 5xx only, never after a 429.
REPEATED_AFTER_5XX = "/api/v1/integrations/alertmanager/"


@dataclass(slots=True)
class Share:
    """What one caller has left, as of an instant of the process's clock."""

    saved: float
    at: float
    running: int = 0


class Shares:
    """The shares of the callers of one process."""

    def __init__(self, *, per_second: float) -> None:
        self.per_second = per_second
        self.shares: OrderedDict[str, Share] = OrderedDict()
        self.callers: OrderedDict[str, str] = OrderedDict()
        self.lock = threading.Lock()

    def person(self, credential: str) -> str:
        """Return the person of a session or token that this process knows, or ""."""
        with self.lock:
            return self.callers.get(credential, "")

    def remember(self, credential: str, *, user_id: int | None) -> str:
        """Remember whose session or token this is, or forget it if `user_id` is None; return the person, or ""."""
        person = "" if user_id is None else f"user {user_id}"
        with self.lock:
            self.callers.pop(credential, None)
            if person:
                self.callers[credential] = person
            while len(self.callers) > MAX_REMEMBERED:
                self.callers.popitem(last=False)
        return person

    def wait(self, caller: str, *, now: float) -> int:
        """Return 0 if the caller has time left, or the seconds after which they may try again."""
        with self.lock:
            return self._wait(self._refill(caller, now=now))

    def charge(self, caller: str, *, seconds: float, now: float) -> None:
        """Take time from the caller's share."""
        with self.lock:
            self._charge(self._refill(caller, now=now), seconds=seconds)

    def enter(self, caller: str, *, now: float) -> int:
        """Start a request; return 0, or the seconds after which the caller may try again."""
        with self.lock:
            share = self._refill(caller, now=now)
            if share.running >= MAX_REQUESTS_AT_ONCE:
                return RETRY_AT_ONCE_SECONDS
            if wait := self._wait(share):
                return wait
            share.running += 1
            return 0

    def leave(self, caller: str, *, seconds: float, now: float) -> None:
        """End a request, and take its time from the caller's share."""
        with self.lock:
            share = self._refill(caller, now=now)
            share.running = max(0, share.running - 1)
            self._charge(share, seconds=seconds)

    def _wait(self, share: Share) -> int:
        return 0 if share.saved > 0 else max(1, math.ceil(-share.saved / self.per_second))

    def _charge(self, share: Share, *, seconds: float) -> None:
        share.saved = max(share.saved - seconds, -MAX_OWED_SECONDS)

    def _refill(self, caller: str, *, now: float) -> Share:
        share = self.shares.pop(caller, None) or Share(saved=MAX_SAVED_SECONDS, at=now)
        share.saved = min(MAX_SAVED_SECONDS, share.saved + (now - share.at) * self.per_second)
        share.at = now
        self.shares[caller] = share
        while len(self.shares) > MAX_REMEMBERED:
            self.shares.popitem(last=False)
        return share


class FairUseMiddleware:
    """Answers 429 with Retry-After if the person or address has used up its share, before anything else is done for them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.shares = Shares(per_second=settings.FAIR_USE_PERCENT / 100)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Return the response, or a 429."""
        if not self.shares.per_second or request.path.startswith(EXEMPT_PATHS):
            return self.get_response(request)
        credential, address = _credential(request), f"address {client_address(request)}"
        person, seconds = self.shares.person(credential), 0.0
        if credential and not person:
            if wait := self.shares.wait(address, now=time.monotonic()):
                return _too_many(request, seconds=wait)
            person, seconds = self._identify(request, credential)
        caller = person or address
        wait = self.shares.enter(caller, now=time.monotonic())
        if seconds:
            self.shares.charge(address, seconds=seconds, now=time.monotonic())
        if wait:
            return _too_many(request, seconds=wait)
        started = time.thread_time()
        try:
            response = self.get_response(request)
            if credential:
                user = getattr(request, "user", None)
                self.shares.remember(credential, user_id=user.pk if isinstance(user, User) else None)
        finally:
            self.shares.leave(caller, seconds=time.thread_time() - started, now=time.monotonic())
        return response

    def _identify(self, request: HttpRequest, credential: str) -> tuple[str, float]:
        """Return the person of a session or token that this process does not know, or "", and the seconds that this took.

        Only this look-up is charged to the address. The request itself has its person's share, so it neither takes a place from
        colleagues at the same address nor waits for one.
        """
        started, person = time.thread_time(), ""
        # If the database is down, the view answers with its own error.
        with contextlib.suppress(Error):
            person = self.shares.remember(credential, user_id=request_user_id(request))
        return person, time.thread_time() - started


def _credential(request: HttpRequest) -> str:
    """Return a digest of the request's token and session, or "".

    It includes both, because a proxy may send the same `Authorization` header for everyone.
    """
    secrets = request.headers.get("Authorization", ""), request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    return hashlib.sha256("\0".join(secrets).encode("utf-8", "replace")).hexdigest() if any(secrets) else ""


def _too_many(request: HttpRequest, *, seconds: int) -> HttpResponse:
    discard_body(request)
    status = 503 if request.path == REPEATED_AFTER_5XX else 429
    headers = {"Retry-After": str(seconds), "Cache-Control": "no-store"}
    problem = f"Too many requests. Try again in {seconds} s."
    if request.path.startswith("/api/"):
        body = json.dumps({"detail": problem})
        return HttpResponse(body, status=status, headers=headers, content_type="application/json")
    if request.method == "GET":
        # The browser loads the page by itself when it may.
        headers["Refresh"] = str(seconds)
    return HttpResponse(render_to_string("429.html", {"seconds": seconds}), status=status, headers=headers)
