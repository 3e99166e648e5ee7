"""ntfy channel: publishes to a topic (https://docs.ntfy.sh/publish/)."""

import re
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from notifications.channels.base import HttpChannel
from notifications.channels.exceptions import AddressError
from notifications.models import Message
from notifications.queries.outbox import message_link

TOPIC = re.compile(r"\A/[A-Za-z0-9_-]{1,64}\Z")
HIGH_PRIORITY, DEFAULT_PRIORITY = 5, 3


class NtfyChannel(HttpChannel):
    """A topic of ntfy.sh or of another public ntfy server. Anyone who knows the topic can read it."""

    name = Message.Channel.NTFY
    address_help = "The URL of your topic, such as https://ntfy.sh/my-secret-topic."

    def check_address(self, address: str) -> str:
        host = super().check_address(address)
        parts = urlsplit(address)
        if not TOPIC.match(parts.path) or parts.query or parts.fragment:
            raise AddressError("Enter the URL of one topic, such as https://ntfy.sh/my-secret-topic.")
        return host

    def request(self, message: Message, address: str) -> tuple[str, dict[str, Any]]:
        parts = urlsplit(address)
        link = message_link(message)
        payload = {
            "topic": parts.path.removeprefix("/"),
            "title": message.subject,
            "message": message.text,
            "priority": HIGH_PRIORITY if message.urgent else DEFAULT_PRIORITY,
            **({"click": link} if link else {}),
        }
        return urlunsplit((parts.scheme, parts.netloc, "/", "", "")), payload
