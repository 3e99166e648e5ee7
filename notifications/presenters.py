"""Rows of the Notifications page."""

from collections.abc import Iterable
from dataclasses import dataclass

from notifications.models import Message
from notifications.queries.outbox import message_link


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message with the URL of its page."""

    message: Message
    link: str


def message_rows(messages: Iterable[Message]) -> list[MessageRow]:
    """Return the rows of a list of messages."""
    return [MessageRow(message, message_link(message)) for message in messages]
