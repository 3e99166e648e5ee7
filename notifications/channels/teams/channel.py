"""Teams channel: posts to a workflow of Microsoft Teams."""

from typing import Any

from notifications.channels.base import HttpChannel
from notifications.channels.teams.card import Button, teams_message
from notifications.models import Message
from notifications.queries.outbox import message_link


class TeamsChannel(HttpChannel):
    """A workflow that posts to a chat or channel when a webhook request is received."""

    name = Message.Channel.TEAMS
    address_help = "The URL of a workflow that posts to a chat when a webhook request is received."

    def request(self, message: Message, address: str) -> tuple[str, dict[str, Any]]:
        link = message_link(message)
        button = Button("Open on-call site", link) if link else None
        style = "attention" if message.urgent else "emphasis"
        return address, teams_message(message.subject, message.text, style=style, button=button)
