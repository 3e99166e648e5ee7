"""Registry of message types, filled by the apps that send them."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from notifications.models import Message


def always_relevant(message: Message, at: dt.datetime) -> bool:
    """Return True: the message stays relevant until it expires."""
    return True


def stored_path(message: Message) -> str:
    """Return the path stored in the message."""
    return message.path


@dataclass(frozen=True, slots=True)
class NotificationType:
    """A message type: its name, title, urgency, privacy and relevance check.

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
    """Register message types. Call from `AppConfig.ready`."""
    for kind in kinds:
        _kinds[kind.name] = kind


def notification_type(name: str) -> NotificationType:
    """Return the type with this name; an unregistered one counts as non-urgent and always relevant."""
    return _kinds.get(name) or NotificationType(name, name)


def notification_types() -> list[NotificationType]:
    """Return the types that users can configure, in registration order, without private ones."""
    return [kind for kind in _kinds.values() if not kind.private]
