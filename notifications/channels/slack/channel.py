"""Slack channel: posts to an incoming webhook (https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks)."""

from typing import Any
from urllib.parse import urlsplit

from notifications.channels.base import HttpChannel
from notifications.channels.exceptions import AddressError
from notifications.domain.slack import escape, link
from notifications.models import Message
from notifications.queries.outbox import message_link


class SlackChannel(HttpChannel):
    """An incoming webhook of Slack, or of a chat that accepts the same JSON, such as Mattermost."""

    name = Message.Channel.SLACK
    address_help = "The URL of an incoming webhook, such as https://hooks.slack.com/services/T…/B…/…."

    def check_address(self, address: str) -> str:
        host = super().check_address(address)
        if len(urlsplit(address).path) < 2:
            raise AddressError("Enter the whole URL of the incoming webhook.")
        return host

    def request(self, message: Message, address: str) -> tuple[str, dict[str, Any]]:
        url = message_link(message)
        parts = [f"*{escape(message.subject)}*", escape(message.text), link(url, "Open") if url else ""]
        return address, {"text": "\n\n".join(part for part in parts if part)}
