"""Webhook channel: posts a message as JSON to a URL."""

from typing import Any

from notifications.channels.base import HttpChannel
from notifications.models import Message
from notifications.queries.outbox import message_link


class WebhookChannel(HttpChannel):
    """A URL that takes JSON. A retry has the same `id`, so that the receiver can ignore duplicates."""

    name = Message.Channel.WEBHOOK
    address_help = "An https:// URL. Each message is sent as JSON: id, type, urgent, subject, text, link, recipient."

    def request(self, message: Message, address: str) -> tuple[str, dict[str, Any]]:
        return address, {
            "id": message.pk,
            "type": message.type,
            "urgent": message.urgent,
            "subject": message.subject,
            "text": message.text,
            "link": message_link(message),
            "recipient": message.recipient.username,
        }
