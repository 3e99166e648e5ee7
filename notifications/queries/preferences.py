"""Queries for notification preferences."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from notifications.domain.quiet_hours import end_of_quiet
from notifications.models import ChannelPreference, ChatAddress, Message, QuietHours
from notifications.registry import NotificationType, notification_type, notification_types
from people.models import User


@dataclass(frozen=True, slots=True)
class TypePreference:
    """A message type and the channels enabled for a user."""

    kind: NotificationType
    email: bool
    chat: bool


def preferences_for(person: User) -> list[TypePreference]:
    """Return a user's preferences for every type. Default: e-mail for all, chat for urgent types."""
    chosen = {row.kind: row for row in ChannelPreference.objects.filter(person=person)}
    return [_chosen(kind, chosen.get(kind.name)) for kind in notification_types() if not kind.private]


def _chosen(kind: NotificationType, row: ChannelPreference | None) -> TypePreference:
    email = kind.urgent or row is None or row.email
    chat = (kind.urgent if row is None else row.chat) and not kind.private
    return TypePreference(kind, email=email, chat=chat)


def channels_for(people: Iterable[User], *, kind: str, invites: bool) -> dict[int, list[str]]:
    """Return the channels of a message type for each user's primary key, in two queries.

    An invitation is a mail in any case: chat has no calendar. What is private is a mail and nothing else.
    """
    keys = [person.pk for person in people]
    if notification_type(kind).private:
        return {key: [Message.Channel.EMAIL.value] for key in keys}
    rows = {row.person_id: row for row in ChannelPreference.objects.filter(person__in=keys, kind=kind)}
    can_chat = set(ChatAddress.objects.filter(person__in=keys).values_list("person", flat=True))
    found = {}
    for key in keys:
        chosen = _chosen(notification_type(kind), rows.get(key))
        email = [Message.Channel.EMAIL.value] if chosen.email or invites else []
        chat = [Message.Channel.CHAT.value] if chosen.chat and key in can_chat else []
        found[key] = [*email, *chat]
    return found


def chat_address_of(person: User) -> ChatAddress | None:
    """Return a user's chat address, or None."""
    return ChatAddress.objects.filter(person=person).first()


def quiet_hours_of(person: User) -> QuietHours | None:
    """Return a user's quiet hours, or None."""
    return QuietHours.objects.filter(person=person).first()


def quiet_until(person: User, *, at: dt.datetime, hours: QuietHours | None = None) -> dt.datetime | None:
    """Return when the user's quiet hours around `at` end, or None outside quiet hours."""
    row = hours or quiet_hours_of(person)
    if row is None:
        return None
    return end_of_quiet(at, zone=person.time_zone, start=row.starts_at, end=row.ends_at)
