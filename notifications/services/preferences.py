"""How people are told: their own choices, and the chat addresses that admins give."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from common.crypto import encrypt
from common.exceptions import InvalidInputError, NotAllowedError
from notifications.channels.chat import NotAChatAddress, service_of
from notifications.models import ChannelPreference, ChatAddress, QuietHours
from notifications.registry import NotificationType, notification_types
from people.models import User


@dataclass(frozen=True, slots=True)
class Channels:
    """By which channels somebody wants to be told of a kind of message."""

    email: bool
    chat: bool


@dataclass(frozen=True, slots=True)
class Quiet:
    """Daily hours in a user's time zone during which non-urgent messages wait."""

    starts_at: dt.time
    ends_at: dt.time


@transaction.atomic
def update_preferences(person: User, *, channels: Mapping[str, Channels], quiet: Quiet | None) -> None:
    """Keep by which channels somebody is told of the kinds named, and their quiet hours; raise Invalid by field.

    Other kinds stay as they were. What is urgent comes by e-mail in any case.
    """
    known = {kind.name: kind for kind in notification_types() if not kind.private}
    problems = [why for name, chosen in channels.items() if (why := _problem_with(name, chosen, known=known))]
    if problems:
        raise InvalidInputError({"kinds": problems})
    if quiet is not None and quiet.starts_at == quiet.ends_at:
        raise InvalidInputError({"quiet_until": ["Quiet hours end at another time than they start."]})
    for name, chosen in channels.items():
        ChannelPreference.objects.update_or_create(
            person=person, kind=name, defaults={"email": chosen.email, "chat": chosen.chat}
        )
    if quiet is None:
        QuietHours.objects.filter(person=person).delete()
    else:
        QuietHours.objects.update_or_create(
            person=person, defaults={"starts_at": quiet.starts_at, "ends_at": quiet.ends_at}
        )


def _problem_with(name: str, chosen: Channels, *, known: Mapping[str, NotificationType]) -> str:
    if name not in known:
        return f"There is no kind of message called {name}."
    if known[name].urgent and not chosen.email:
        return f"“{known[name].title}” is urgent and always comes by e-mail."
    return ""


@transaction.atomic
def set_chat_address(person: User, *, address: str, by: User) -> ChatAddress:
    """Give somebody a chat address, in the place of an earlier one; raise Forbidden for who is no admin, Invalid by field."""
    if not by.is_staff:
        raise NotAllowedError("Only an admin gives people chat addresses.")
    address = address.strip()
    try:
        service = service_of(address)
    except NotAChatAddress as error:
        raise InvalidInputError({"address": [str(error)]}) from error
    row, _ = ChatAddress.objects.update_or_create(
        person=person, defaults={"address": encrypt(address), "service": service}
    )
    return row


def remove_chat_address(row: ChatAddress, *, by: User) -> None:
    """Forget a chat address: its own person may, and an admin; raise Forbidden for others."""
    if by.pk != row.person_id and not by.is_staff:
        raise NotAllowedError("Only an admin forgets somebody else's chat address.")
    ChatAddress.objects.filter(pk=row.pk).delete()
