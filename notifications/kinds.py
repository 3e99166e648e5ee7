"""The kinds of messages: rooms above register theirs, since this room knows nothing of what they are about."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from notifications.models import Message


def always_true(message: Message, at: dt.datetime) -> bool:
    """Tell that what a message says stays true until it expires."""
    return True


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of message: its name in rows, its title on Mine, whether it may wait, and whether it is still true when it is sent.

    An urgent kind is sent in quiet hours too and cannot be switched off. `still_true` is asked just before sending, with the
    message and the instant; what is no longer true is dropped.
    """

    name: str
    title: str
    urgent: bool = False
    still_true: Callable[[Message, dt.datetime], bool] = always_true


_kinds: dict[str, Kind] = {}


def register(*kinds: Kind) -> None:
    """Make kinds known; called by a room's AppConfig when it is ready."""
    for kind in kinds:
        _kinds[kind.name] = kind


def kind_named(name: str) -> Kind:
    """Return the kind of this name; one that is no longer registered is taken as not urgent and true."""
    return _kinds.get(name) or Kind(name, name)


def all_kinds() -> list[Kind]:
    """Return every kind, in the order in which they were registered."""
    return list(_kinds.values())
