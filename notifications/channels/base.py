"""Base classes of channels that need their own address, and of those that post to a URL."""

import json
from collections.abc import Callable
from typing import Any, ClassVar

from common.safe_http import WEB_PORTS, UnreachableError, check_url
from notifications.channels.deadline import Deadline
from notifications.channels.exceptions import AddressError
from notifications.channels.http import Request, check_answer, http_rules, is_private_host_allowed, post_request
from notifications.models import Message


class Sender:
    """Sends one message; `record` then stores the service's response. Sending must not read the database."""

    def __init__(self, send: Callable[[Deadline], None]) -> None:
        self._send = send

    def __call__(self, deadline: Deadline) -> None:
        """Send the message."""
        self._send(deadline)

    def record(self) -> None:
        """Store the service's response. Does nothing by default."""


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

    def prepare(self, message: Message, address: str) -> Sender:
        """Return what sends a message, after reading what it needs from the database; raise UndeliverableError if it must not be sent."""
        return Sender(lambda deadline: self.send(message, address, deadline=deadline))

    def send(self, message: Message, address: str, *, deadline: Deadline) -> None:
        """Send a message; raise UndeliverableError if it can never be sent, another exception if it is to be retried."""
        raise NotImplementedError


class HttpChannel(Channel):
    """A channel that posts JSON to a URL through `common.safe_http`."""

    # Statuses besides 404 and 410 which mean that the address was removed.
    gone_statuses: ClassVar[frozenset[int]] = frozenset()

    def check_address(self, address: str) -> str:
        return check_https_url(address)

    def prepare(self, message: Message, address: str) -> Sender:
        url, payload = self.request(message, address)
        request = Request(url, json.dumps(payload).encode(), self.headers(address), http_rules(url))

        def post(deadline: Deadline) -> None:
            answer = post_request(request, deadline=deadline)
            check_answer(answer, url=url, is_gone=answer.status in self.gone_statuses)

        return Sender(post)

    def headers(self, address: str) -> dict[str, str]:
        """Return headers of the request besides Content-Type."""
        return {}

    def request(self, message: Message, address: str) -> tuple[str, dict[str, Any]]:
        """Return the URL and the JSON to post."""
        raise NotImplementedError


def check_https_url(address: str) -> str:
    """Return the host of a URL; raise AddressError if messages cannot be posted to it."""
    try:
        parts = check_url(address, ports=None)
        ports = None if is_private_host_allowed(address) else WEB_PORTS
        check_url(address, ports=ports)
    except UnreachableError as error:
        raise AddressError(str(error)) from error
    if parts.scheme != "https":
        raise AddressError("The URL must start with https://.")
    return str(parts.hostname)
