"""How notices are worded, and whom they concern, whatever they are about."""

import datetime as dt
from collections.abc import Sequence

from notifications.models import Message
from people.instants import instant_in_words
from people.models import User

# A change of what somebody holds is worth knowing for so long.
NEWS = dt.timedelta(days=7)
LISTED = 20


def in_words(instant: dt.datetime, *, reader: User) -> str:
    """Return an instant with weekday, date, time and zone, in its reader's zone."""
    return instant_in_words(instant, reader.zone)


def sentences(*parts: str) -> str:
    """Return the parts that say anything, one after another."""
    return " ".join(part for part in parts if part)


def at_most(lines: Sequence[str]) -> list[str]:
    """Return the lines, the last of a long list as how many more there are."""
    return list(lines) if len(lines) <= LISTED else [*lines[:LISTED], f"and {len(lines) - LISTED} more"]


def admins() -> list[User]:
    """Return the active admins."""
    return list(User.objects.get_queryset().admins())


def key_of(message: Message) -> int:
    """Return the key of the row that a message is about."""
    return int(message.occurrence.partition("@")[0])
