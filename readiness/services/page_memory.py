"""Rendered reader pages in the memory of a web process. PostgreSQL notifies all processes of revoked links."""

import select
import threading
import time
from collections import OrderedDict
from typing import Any

import psycopg2
from django.db import connection

# How long a web process caches a page, which a worker renders every minute.
MEMORY_SECONDS = 30.0
MAX_PAGES_IN_MEMORY = 200
CHANNEL = "readers_link_revoked"


def announce_revoked(digest: str) -> None:
    """Notify every web process of a revoked link when the transaction commits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, digest])


def _listen() -> Any:
    """Return a new connection to the database that receives the digests of revoked links."""
    listener = connection.get_new_connection(connection.get_connection_params())
    listener.autocommit = True
    with listener.cursor() as cursor:
        cursor.execute(f"LISTEN {CHANNEL}")
    return listener


def _is_readable(listener: Any) -> bool:
    """Return True if a connection has received notifications or was closed; `poll` then raises an error."""
    poller = select.poll()
    poller.register(listener.fileno(), select.POLLIN)
    return bool(poller.poll(0))


class PageMemory:
    """The rendered pages by digest of the link's secret. An unknown link is not remembered.

    The process has one connection that receives the digests of revoked links. Checking it runs no statement, so a page
    costs none. Behind a pooler that does not pass notifications on, a revoked page stays for `MEMORY_SECONDS`.
    """

    def __init__(self) -> None:
        self._pages: OrderedDict[str, tuple[float, str]] = OrderedDict()
        self._revoked: set[str] = set()
        self._listener: Any = None
        self._lock = threading.Lock()

    def get(self, digest: str) -> str | None:
        """Return a page that is recent enough and whose link is not revoked, or None."""
        with self._lock:
            self._receive()
            until, html = self._pages.get(digest, (0.0, ""))
        return html if time.monotonic() < until else None

    def put(self, digest: str, html: str) -> None:
        """Remember a page, unless its link has been revoked since `get`."""
        with self._lock:
            self._receive()
            if digest in self._revoked:
                return
            self._pages[digest] = (time.monotonic() + MEMORY_SECONDS, html)
            self._pages.move_to_end(digest)
            while len(self._pages) > MAX_PAGES_IN_MEMORY:
                self._pages.popitem(last=False)

    def forget(self, digest: str) -> None:
        """Drop the page of a revoked link."""
        with self._lock:
            self._revoked.add(digest)
            self._pages.pop(digest, None)

    def _receive(self) -> None:
        """Drop the pages of links that were revoked; all pages if the connection was lost. The caller holds the lock."""
        try:
            if self._listener is None:
                self._pages.clear()
                self._listener = _listen()
            while _is_readable(self._listener):
                self._listener.poll()
        except psycopg2.Error:
            # The database is down. The next query raises its own error.
            self._pages.clear()
            self._listener = None
            return
        for notification in self._listener.notifies:
            self._revoked.add(notification.payload)
            self._pages.pop(notification.payload, None)
        self._listener.notifies.clear()


pages = PageMemory()
