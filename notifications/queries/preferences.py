"""Queries for notification preferences."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from notifications.domain.quiet_hours import end_of_quiet
from notifications.models import ChannelPreference, ChatAddress, Message, QuietHours
from notifications.registry import Notification, configurable_types
from people.models import User


@dataclass(frozen=True, slots=True)
class TypePreference:
    """A notification type and the channels enabled for a user."""

    type: type[Notification]
    email: bool
    chat: bool


def preferences_for(person: User) -> list[TypePreference]:
    """Return a user's preferences for every type they may receive. Default: e-mail for all, chat for urgent types."""
    rows = {row.type: row for row in ChannelPreference.objects.filter(person=person)}
    return [_preference(cls, rows.get(cls.name)) for cls in configurable_types(person)]


def _preference(cls: type[Notification], row: ChannelPreference | None) -> TypePreference:
    email = cls.urgent or row is None or row.email
    chat = cls.urgent if row is None else row.chat
    return TypePreference(cls, email=email, chat=chat)


def channels_for(
    people: Iterable[User], *, cls: type[Notification], has_invitation: bool
) -> dict[int, list[Message.Channel]]:
    """Return the channels of a notification type by user, in two queries.

    An invitation always goes by e-mail, because chat has no calendar. A private type goes by e-mail only.
    """
    keys = [person.pk for person in people]
    if cls.private:
        return {key: [Message.Channel.EMAIL] for key in keys}
    rows = {row.person_id: row for row in ChannelPreference.objects.filter(person__in=keys, type=cls.name)}
    with_chat = set(ChatAddress.objects.filter(person__in=keys).values_list("person", flat=True))
    channels = {}
    for key in keys:
        preference = _preference(cls, rows.get(key))
        email = [Message.Channel.EMAIL] if preference.email or has_invitation else []
        chat = [Message.Channel.CHAT] if preference.chat and key in with_chat else []
        channels[key] = [*email, *chat]
    return channels


def chat_address_for(person: User) -> ChatAddress | None:
    """Return a user's chat address, or None."""
    return ChatAddress.objects.filter(person=person).first()


def quiet_hours_for(person: User) -> QuietHours | None:
    """Return a user's quiet hours, or None."""
    return QuietHours.objects.filter(person=person).first()


def quiet_until(person: User, *, at: dt.datetime, hours: QuietHours | None = None) -> dt.datetime | None:
    """Return when the user's quiet hours around `at` end, or None outside quiet hours."""
    row = hours or quiet_hours_for(person)
    if row is None:
        return None
    return end_of_quiet(at, zone=person.time_zone, start=row.starts_at, end=row.ends_at)
