"""Update notification settings: channels per type, quiet hours, rules and contact methods."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from common.exceptions import DomainError, InvalidInputError, NotAllowedError
from notifications.channels.catalog import CHANNELS
from notifications.channels.exceptions import AddressError
from notifications.domain.rules import Step
from notifications.models import (
    MAX_DELAY_MINUTES,
    ChannelPreference,
    ContactMethod,
    Message,
    NotificationRule,
    QuietHours,
)
from notifications.queries.preferences import reachable_channels
from notifications.registry import configurable_types
from people.models import User

MAX_RULES = 5


@dataclass(frozen=True, slots=True)
class Quiet:
    """Daily hours in a user's time zone during which non-urgent messages wait."""

    starts_at: dt.time
    ends_at: dt.time


@transaction.atomic
def update_preferences(person: User, *, channels: Mapping[str, Collection[str]], quiet: Quiet | None) -> None:
    """Save the channels of the named types and the quiet hours (None removes them); other types keep their channels.

    The channels of urgent types come from the notification rules and cannot be set here. Raises InvalidInputError by field.
    """
    types = {cls.name: cls for cls in configurable_types(person)}
    reachable = reachable_channels([person])[person.pk]
    problems = []
    for name, enabled in channels.items():
        unreachable = sorted(set(enabled) - reachable)
        if name not in types:
            problems.append(f"Unknown notification type “{name}”.")
        elif types[name].urgent:
            problems.append(f"“{types[name].label}” is urgent: set its channels in your notification rules.")
        elif unreachable:
            problems.append(f"Add a contact method for {_label(unreachable[0])} first.")
    if problems:
        raise InvalidInputError({"types": problems})
    if quiet is not None and quiet.starts_at == quiet.ends_at:
        raise InvalidInputError({"quiet_until": ["Quiet hours must end at a different time than they start."]})
    for name, enabled in channels.items():
        ChannelPreference.objects.update_or_create(person=person, type=name, defaults={"channels": sorted(enabled)})
    if quiet is None:
        QuietHours.objects.filter(person=person).delete()
    else:
        QuietHours.objects.update_or_create(
            person=person, defaults={"starts_at": quiet.starts_at, "ends_at": quiet.ends_at}
        )


@transaction.atomic
def update_rules(person: User, *, rules: Mapping[str, Sequence[Step]]) -> None:
    """Replace a user's notification rules of the urgencies named; no steps restore the default.

    Raises InvalidInputError by urgency, and then changes nothing.
    """
    reachable = reachable_channels([person])[person.pk]
    problems = {urgency: _rule_problems(urgency, steps, reachable=reachable) for urgency, steps in rules.items()}
    if any(problems.values()):
        raise InvalidInputError({urgency: texts for urgency, texts in problems.items() if texts})
    for urgency, steps in rules.items():
        person.notification_rules.filter(urgency=urgency).delete()
        NotificationRule.objects.bulk_create(
            NotificationRule(person=person, urgency=urgency, channel=step.channel, delay_minutes=step.delay_minutes)
            for step in steps
        )


def _label(channel: str) -> str:
    return str(Message.Channel(channel).label) if channel in Message.Channel.values else channel


def _rule_problems(urgency: str, steps: Sequence[Step], *, reachable: Collection[str]) -> list[str]:
    problems = []
    if len(steps) > MAX_RULES:
        problems.append(f"Set at most {MAX_RULES} steps.")
    if len(set(steps)) < len(steps):
        problems.append("Two steps are the same.")
    for step in steps:
        if step.channel not in reachable:
            problems.append(f"Add a contact method for {_label(step.channel)} first.")
        if not 0 <= step.delay_minutes <= MAX_DELAY_MINUTES:
            problems.append(f"A step must be 0 to {MAX_DELAY_MINUTES} minutes after the event.")
    if (
        steps
        and urgency == NotificationRule.Urgency.HIGH
        and Message.Channel.EMAIL not in {step.channel for step in steps}
    ):
        problems.append("High-urgency rules need a step by e-mail.")
    return problems


@transaction.atomic
def set_contact_method(person: User, *, channel: str, address: str, by: User) -> ContactMethod:
    """Set or replace a user's address for a channel; raise NotAllowedError, or InvalidInputError by field.

    Users set their own. Admins set everyone's, and are the only ones who set chat addresses.
    """
    if channel not in CHANNELS:
        raise InvalidInputError({"channel": [f"Choose one of {', '.join(CHANNELS)}."]})
    if not by.is_staff and (by.pk != person.pk or CHANNELS[channel].admins_only):
        raise NotAllowedError("Only an admin can set this address.")
    address = address.strip()
    shown_as = check_address(channel, address)
    row, _ = ContactMethod.objects.update_or_create(
        person=person, channel=channel, defaults={"address": address, "shown_as": shown_as[:255]}
    )
    return row


def check_address(channel: str, address: str) -> str:
    """Return what an address is shown as; raise InvalidInputError if it is invalid for the channel."""
    try:
        return CHANNELS[channel].check_address(address)
    except AddressError as error:
        raise InvalidInputError({"address": [str(error)]}) from error


@transaction.atomic
def remove_contact_method(person: User, *, channel: str, by: User) -> None:
    """Delete a user's address for a channel and the rules that use it.

    Raises NotAllowedError unless it is the user's own or `by` is an admin, DomainError if there is none.
    """
    if by.pk != person.pk and not by.is_staff:
        raise NotAllowedError("Only an admin can remove someone else’s contact method.")
    count, _ = ContactMethod.objects.filter(person=person, channel=channel).delete()
    if not count:
        raise DomainError("This contact method does not exist.")
    person.notification_rules.filter(channel=channel).delete()
