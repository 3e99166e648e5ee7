"""Reads about messages, a file for each noun."""

from notifications.queries.choices import (
    KindChosen,
    channels_for,
    chat_address_of,
    choices_of,
    quiet_hours_of,
    quiet_until,
)
from notifications.queries.outbox import (
    all_messages,
    being_sent,
    database_clock,
    due_count,
    messages_of,
    occurrences_told,
    organizer,
)

__all__ = [
    "KindChosen",
    "all_messages",
    "being_sent",
    "channels_for",
    "chat_address_of",
    "choices_of",
    "database_clock",
    "due_count",
    "messages_of",
    "occurrences_told",
    "organizer",
    "quiet_hours_of",
    "quiet_until",
]
