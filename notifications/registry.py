"""The kinds of messages: rooms above register theirs, since this room knows nothing of what they are about."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from notifications.models import Message


def always_relevant(message: Message, at: dt.datetime) -> bool:
    """Tell that what a message says stays true until it expires."""
    return True


def stored_path(message: Message) -> str:
    """Return the path that the message's row holds."""
    return message.path


@dataclass(frozen=True, slots=True)
class NotificationType:
    """A kind of message: its name in rows, its title on Mine, whether it may wait, and whether it is still true when it is sent.

    An urgent kind is sent in quiet hours too and cannot be switched off. `is_still_relevant` is asked just before sending, with the
    message and the instant; what is no longer true is dropped. A private kind goes by e-mail only and is nobody's to choose.
    `path_of` says the page's path just before sending: what may be known to its reader only is in no row (promise 19).
    """

    name: str
    title: str
    urgent: bool = False
    is_still_relevant: Callable[[Message, dt.datetime], bool] = always_relevant
    private: bool = False
    path_of: Callable[[Message], str] = stored_path


_kinds: dict[str, NotificationType] = {}


def register(*kinds: NotificationType) -> None:
    """Make kinds known; called by a room's AppConfig when it is ready."""
    for kind in kinds:
        _kinds[kind.name] = kind


def notification_type(name: str) -> NotificationType:
    """Return the kind of this name; one that is no longer registered is taken as not urgent and true."""
    return _kinds.get(name) or NotificationType(name, name)


def notification_types() -> list[NotificationType]:
    """Return every kind that people choose about, in the order in which they were registered: all but the private ones."""
    return [kind for kind in _kinds.values() if not kind.private]
