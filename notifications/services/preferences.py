"""Update notification settings: channels per type, quiet hours, rules and contact methods."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from common.exceptions import InvalidInputError
from notifications.domain.rules import Step
from notifications.models import (
    MAX_DELAY_MINUTES,
    ChannelPreference,
    Message,
    NotificationRule,
    QuietHours,
)
from notifications.queries.preferences import channel_list, needed_channels, reachable_channels
from notifications.registry import configurable_types
from people.models import User

MAX_RULES = 5


@dataclass(frozen=True, slots=True)
class Quiet:
    """Daily hours in a user's time zone during which non-urgent messages wait."""

    starts_at: dt.time
    ends_at: dt.time
    weekends: bool = False


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
            person=person, defaults={"starts_at": quiet.starts_at, "ends_at": quiet.ends_at, "weekends": quiet.weekends}
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
    if steps and urgency == NotificationRule.Urgency.HIGH:
        needed = needed_channels()
        if needed and not needed & {step.channel for step in steps}:
            problems.append(f"Your team requires one of these channels in high-urgency rules: {channel_list(needed)}.")
    return problems
