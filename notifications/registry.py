"""Notification types: their base class, and the registry of the types of all apps."""

import datetime as dt
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeVar

from common.formatting import format_instant, format_period
from common.json_values import from_json, to_json
from notifications.domain.slack import Card
from people.models import User

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Notification:
    """A notification: a subclass is a type, its fields are the context of one occurrence.

    The outbox stores the type's name and the context as JSON. Text is written when the message is enqueued, so that lists and the
    API can show it, and again when it is sent, in the recipient's time zone at that moment.
    """

    # Stored in the outbox and in preferences: never change the name of a type that is in use.
    name: ClassVar[str]
    # Row of the Notifications page.
    label: ClassVar[str]
    # Fields that identify an occurrence: nobody gets the same one twice.
    identity: ClassVar[tuple[str, ...]]
    # Ignores quiet hours and always goes by e-mail.
    urgent: ClassVar[bool] = False
    admins_only: ClassVar[bool] = False
    # Sent only to people who chose a channel for it.
    opt_in: ClassVar[bool] = False
    # Goes by e-mail only, has no row on the Notifications page, and its `delivery_link` is in no row.
    private: ClassVar[bool] = False
    # Label of the button in its e-mail.
    action: ClassVar[str] = "Open"
    # Beyond a number in ten minutes, messages are summarized.
    rate_limited: ClassVar[bool] = False
    # Django's templates would otherwise call the class.
    do_not_call_in_templates: ClassVar[bool] = True

    def subject(self, reader: User) -> str:
        """Return the subject line."""
        raise NotImplementedError

    def body(self, reader: User) -> str:
        """Return the plain text: what happened and what to do. The link follows it."""
        raise NotImplementedError

    def delivery_body(self, reader: User) -> str:
        """Return the text to send: `body`, with what is not stored, such as a secret or the facts at that moment."""
        return self.body(reader)

    def phone_actions(self) -> int | None:
        """Return the number of the incident that a reply by SMS or a key on the phone acknowledges, or None."""
        return None

    def slack_card(self, reader: User) -> Card | None:
        """Return the message for the Slack app, or None if it has no buttons."""
        return None

    def record_slack_post(self, *, channel: str, ts: str, version: int) -> None:
        """Store where Slack has a `slack_card`, and its version, so that it is updated."""

    def link(self) -> str:
        """Return the path of the page it is about, by `reverse`."""
        raise NotImplementedError

    def delivery_link(self) -> str:
        """Return the path that the sent message shows. It differs from `link` only if it holds a secret."""
        return self.link()

    def topic(self) -> str:
        """Return a key for what it is about. On a device, a newer message with the same key replaces an older one."""
        return f"{self.name}:{self.dedup_key}"

    def device_id(self) -> int | None:
        """Return the primary key of the only push device that it is for, or None for all of the recipient."""
        return None

    def address(self, recipient: User) -> str:
        """Return the e-mail address it is sent to."""
        return recipient.email

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        """Return True if it is worth sending at `at`; asked just before it is sent."""
        return True

    @property
    def dedup_key(self) -> str:
        """The identity fields as text. It is compared, never parsed."""
        return dedup_key(*(getattr(self, field) for field in self.identity))

    @property
    def context(self) -> dict[str, Any]:
        """The fields as JSON data."""
        data: dict[str, Any] = to_json(self)
        return data

    @classmethod
    def may_receive(cls, person: User) -> bool:
        """Return True if the person is active, and an admin if the type is for admins only."""
        return person.is_active and (person.is_staff or not cls.admins_only)


def dedup_key(*values: object) -> str:
    """Return the values that identify an occurrence as text."""
    return ":".join(value.isoformat() if isinstance(value, dt.date) else str(value) for value in values)


def local_time(instant: dt.datetime, reader: User) -> str:
    """Return an instant with weekday, date, time and zone in the reader's time zone."""
    return format_instant(instant, reader.zone)


class Period(Protocol):
    """Time between two instants."""

    @property
    def starts_at(self) -> dt.datetime:
        """The first instant."""

    @property
    def ends_at(self) -> dt.datetime:
        """The instant after the last."""


def local_period(period: Period, reader: User) -> str:
    """Return a period in the reader's time zone, such as "Mon 30 Nov 2026, 10:00 UTC to 17:00 UTC"."""
    return format_period(period.starts_at, period.ends_at, reader.zone)


def paragraphs(*parts: str) -> str:
    """Join the non-empty parts with blank lines."""
    return "\n\n".join(part for part in parts if part)


class LiveCards(Protocol):
    """Messages in Slack channels that follow the state of their subject."""

    def card(self, subject: int, *, at: dt.datetime) -> Card | None:
        """Return the message, or None if its subject no longer exists."""

    def thread(self, subject: int, *, channel: str) -> str:
        """Return the timestamp of the subject's message in a channel, to which others reply, or ""."""

    def record(self, subject: int, *, channel: str, ts: str, version: int) -> None:
        """Store where the message is, and its version."""


_live_cards: dict[str, LiveCards] = {}


def register_live_cards(name: str, cards: LiveCards) -> None:
    """Add the messages of an app; `name` is the first part of its events."""
    _live_cards[name] = cards


def live_cards(name: str) -> LiveCards | None:
    """Return the `LiveCards` for events whose first part is `name`, or None."""
    return _live_cards.get(name)


_types: dict[str, type[Notification]] = {}
T = TypeVar("T", bound=type[Notification])


def register(cls: T) -> T:
    """Class decorator: add a type to the registry. Django imports each app's `notifications` module at the start."""
    _types[cls.name] = cls
    return cls


def notification_type(name: str) -> type[Notification] | None:
    """Return the type with this name, or None if it no longer exists."""
    return _types.get(name)


def rate_limited_types() -> list[str]:
    """Return the names of the types whose messages are limited."""
    return [name for name, cls in _types.items() if cls.rate_limited]


def configurable_types(person: User) -> list[type[Notification]]:
    """Return the types with a row on a user's Notifications page, in registration order."""
    return [cls for cls in _types.values() if not cls.private and (person.is_staff or not cls.admins_only)]


def load(name: str, context: Mapping[str, Any]) -> Notification | None:
    """Return a stored notification, or None if its type is gone or has changed: it is then sent as it was written."""
    cls = _types.get(name)
    if cls is None:
        return None
    try:
        return from_json(cls, context)
    except (TypeError, KeyError, ValueError):
        logger.exception("The context of a message of type %s does not fit its class", name)
        return None
