"""Gotify channel: sends to an application of a Gotify server (https://gotify.net/docs/pushmsg)."""

import re
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

from notifications.channels.base import HttpChannel
from notifications.channels.exceptions import AddressError
from notifications.channels.http import is_private_host_allowed
from notifications.models import Message
from notifications.queries.outbox import message_link

TOKEN = re.compile(r"\A[A-Za-z0-9._-]{1,64}\Z")
EXAMPLE = "https://gotify.example.org/message?token=abc"
# At 8 and above, Gotify's app for Android makes a sound and shows the message on top.
URGENT_PRIORITY, DEFAULT_PRIORITY = 8, 5


class GotifyChannel(HttpChannel):
    """An application on a Gotify server, identified by its token.

    There is no public server, so admins allow each host.
    """

    name = Message.Channel.GOTIFY
    address_help = f"The URL of your application with its token, such as {EXAMPLE}. An admin must allow the host."

    # The application, and with it the token, was deleted.
    gone_statuses = frozenset({401})

    def check_address(self, address: str) -> str:
        host = super().check_address(address)
        _, token = _server_and_token(address)
        if not TOKEN.match(token):
            raise AddressError(f"Enter the URL of your application with its token, such as {EXAMPLE}.")
        if not is_private_host_allowed(address):
            raise AddressError(f"Ask an admin to allow the host {host}.")
        return host

    def headers(self, address: str) -> dict[str, str]:
        return {"X-Gotify-Key": _server_and_token(address)[1]}

    def request(self, message: Message, address: str) -> tuple[str, dict[str, Any]]:
        link = message_link(message)
        payload = {
            "title": message.subject,
            "message": message.text or message.subject,
            "priority": URGENT_PRIORITY if message.urgent else DEFAULT_PRIORITY,
            **({"extras": {"client::notification": {"click": {"url": link}}}} if link else {}),
        }
        return _server_and_token(address)[0], payload


def _server_and_token(address: str) -> tuple[str, str]:
    """Return the URL to post to, without the token, and the token."""
    parts = urlsplit(address)
    path = parts.path.rstrip("/")
    path = path if path.endswith("/message") else f"{path}/message"
    token = parse_qs(parts.query).get("token", [""])[0]
    return urlunsplit((parts.scheme, parts.netloc, path, "", "")), token
