"""Base class of the channels that need an address of their own, and HTTP for those that post to a URL."""

import json
from collections.abc import Callable
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.conf import settings

from common.safe_http import Rules, UnreachableError, check_url, post
from notifications.channels.deadline import Deadline
from notifications.channels.exceptions import AddressError, GoneError, UndeliverableError
from notifications.models import Message

# Request Timeout and Too Many Requests: the request may succeed later.
GONE_STATUSES = frozenset({404, 410})
RETRYABLE_STATUSES = frozenset({408, 425, 429})


class Sending:
    """Sends one message; then `record` stores what the service answered. Sending must not read the database."""

    def __init__(self, send: Callable[[Deadline], None]) -> None:
        self._send = send

    def __call__(self, deadline: Deadline) -> None:
        """Send the message."""
        self._send(deadline)

    def record(self) -> None:
        """Store what the service answered; by default nothing."""


class Channel:
    """A channel. Its folder has one module with a subclass; `channels/catalog.py` lists it."""

    name: ClassVar[Message.Channel]
    # Shown beside the address field.
    address_help: ClassVar[str]
    admins_only: ClassVar[bool] = False

    def clean_address(self, address: str) -> str:
        """Return an address as it is stored; two that mean the same are equal."""
        return address.strip()

    def check_address(self, address: str) -> str:
        """Return what an address is shown as, which reveals no secret; raise AddressError if it is invalid."""
        raise NotImplementedError

    def prepare(self, message: Message, address: str) -> Sending:
        """Return what sends a message, after reading what it needs from the database; raise UndeliverableError if it must not be sent."""
        return Sending(lambda deadline: self.send(message, address, deadline=deadline))

    def send(self, message: Message, address: str, *, deadline: Deadline) -> None:
        """Send a message; raise UndeliverableError if it can never be sent, another exception if it is to be retried."""
        raise NotImplementedError


class HttpChannel(Channel):
    """A channel that posts JSON to a public URL, by `common.safe_http`."""

    def check_address(self, address: str) -> str:
        try:
            parts = check_url(address)
        except UnreachableError as error:
            raise AddressError(str(error)) from error
        if parts.scheme != "https":
            raise AddressError("The URL must start with https://.")
        return str(parts.hostname)

    def send(self, message: Message, address: str, *, deadline: Deadline) -> None:
        url, payload = self.request(message, address)
        deadline.check()
        try:
            status = post(url, body=json.dumps(payload).encode(), rules=http_rules())
        except UnreachableError as error:
            raise ConnectionError(str(error)) from error
        if 200 <= status < 300:
            return
        text = f"{urlsplit(url).hostname} answered with status {status}."
        if status in GONE_STATUSES:
            raise GoneError(text)
        if status >= 500 or status in RETRYABLE_STATUSES:
            raise ConnectionError(text)
        raise UndeliverableError(text)

    def request(self, message: Message, address: str) -> tuple[str, dict[str, Any]]:
        """Return the URL and the JSON to post."""
        raise NotImplementedError


def http_rules() -> Rules:
    """Return the limits of a request; tests permit a server on this machine."""
    return Rules(seconds=settings.MESSAGE_SEND_SECONDS)
