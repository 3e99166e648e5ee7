"""Update notification preferences, quiet hours and chat addresses."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from common.exceptions import InvalidInputError, NotAllowedError
from notifications.channels.chat import ChatAddressError, service_of
from notifications.models import ChannelPreference, ChatAddress, QuietHours
from notifications.registry import configurable_types
from people.models import User


@dataclass(frozen=True, slots=True)
class Channels:
    """The channels enabled for a notification type."""

    email: bool
    chat: bool


@dataclass(frozen=True, slots=True)
class Quiet:
    """Daily hours in a user's time zone during which non-urgent messages wait."""

    starts_at: dt.time
    ends_at: dt.time


@transaction.atomic
def update_preferences(person: User, *, channels: Mapping[str, Channels], quiet: Quiet | None) -> None:
    """Save the channels of the named types and the quiet hours (None removes them); other types keep their channels.

    Raises InvalidInputError by field, also if an urgent type would not go by e-mail.
    """
    types = {cls.name: cls for cls in configurable_types(person)}
    problems = []
    for name, enabled in channels.items():
        if name not in types:
            problems.append(f"Unknown notification type “{name}”.")
        elif types[name].urgent and not enabled.email:
            problems.append(f"“{types[name].label}” is urgent and always goes by e-mail.")
    if problems:
        raise InvalidInputError({"types": problems})
    if quiet is not None and quiet.starts_at == quiet.ends_at:
        raise InvalidInputError({"quiet_until": ["Quiet hours must end at a different time than they start."]})
    for name, enabled in channels.items():
        ChannelPreference.objects.update_or_create(
            person=person, type=name, defaults={"email": enabled.email, "chat": enabled.chat}
        )
    if quiet is None:
        QuietHours.objects.filter(person=person).delete()
    else:
        QuietHours.objects.update_or_create(
            person=person, defaults={"starts_at": quiet.starts_at, "ends_at": quiet.ends_at}
        )


@transaction.atomic
def set_chat_address(person: User, *, address: str, by: User) -> ChatAddress:
    """Set or replace a user's chat address; raise NotAllowedError for non-admins, InvalidInputError by field."""
    if not by.is_staff:
        raise NotAllowedError("Only an admin can set a chat address.")
    address = address.strip()
    try:
        service = service_of(address)
    except ChatAddressError as error:
        raise InvalidInputError({"address": [str(error)]}) from error
    row, _ = ChatAddress.objects.update_or_create(person=person, defaults={"address": address, "service": service})
    return row


def remove_chat_address(row: ChatAddress, *, by: User) -> None:
    """Delete a chat address; raise NotAllowedError unless it is the user's own or `by` is an admin."""
    if by.pk != row.person_id and not by.is_staff:
        raise NotAllowedError("Only an admin can remove someone else’s chat address.")
    ChatAddress.objects.filter(pk=row.pk).delete()
