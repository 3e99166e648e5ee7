"""Queries for notification settings: channels per type, rules, contact methods and quiet hours."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from notifications.domain.quiet_hours import quiet_hours_end
from notifications.domain.rules import Step, high_urgency_steps, low_urgency_steps
from notifications.models import (
    ChannelPreference,
    ContactMethod,
    Message,
    NotificationPolicy,
    NotificationRule,
    PushDevice,
    QuietHours,
)
from notifications.registry import Notification, configurable_types
from people.models import User

Urgency = NotificationRule.Urgency
# Channels in the middle of a sentence.
CHANNEL_WORDS = {
    Message.Channel.EMAIL: "e-mail",
    Message.Channel.CHAT: "chat",
    Message.Channel.NTFY: "ntfy",
    Message.Channel.SLACK_DM: "Slack",
    Message.Channel.SLACK: "Slack webhook",
    Message.Channel.WEBHOOK: "webhook",
    Message.Channel.PUSH: "push",
    Message.Channel.SMS: "SMS",
    Message.Channel.VOICE: "call",
}


@dataclass(frozen=True, slots=True)
class TypePreference:
    """A notification type and the channels by which a user gets it."""

    type: type[Notification]
    channels: list[str]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """A user's notification rules by urgency, and the same in words. `is_default` is True for what nobody has changed."""

    urgency: Urgency
    steps: list[Step]
    text: str
    is_default: bool


def preferences_for(person: User) -> list[TypePreference]:
    """Return the channels of every type that a user may receive."""
    rows = {row.type: row.channels for row in ChannelPreference.objects.filter(person=person)}
    rules, reachable = rules_by_user([person])[person.pk], reachable_channels([person])[person.pk]
    return [
        TypePreference(cls, _channels(_steps(cls, rules=rules, channels=rows.get(cls.name), reachable=reachable)))
        for cls in configurable_types(person)
    ]


def steps_for(people: Iterable[User], *, cls: type[Notification], has_invitation: bool) -> dict[int, list[Step]]:
    """Return the steps of a notification type by user, in four queries.

    An invitation always goes by e-mail, because other channels have no calendar. A private type goes by e-mail only.
    """
    users = list(people)
    if cls.private:
        return {user.pk: [Step(0, Message.Channel.EMAIL.value)] for user in users}
    rows = ChannelPreference.objects.filter(person__in=users, type=cls.name)
    channels = {row.person_id: row.channels for row in rows}
    rules, reachable = rules_by_user(users), reachable_channels(users)
    steps = {}
    for user in users:
        own = _steps(cls, rules=rules[user.pk], channels=channels.get(user.pk), reachable=reachable[user.pk])
        if has_invitation:
            own = [
                Step(0, Message.Channel.EMAIL.value),
                *(step for step in own if step.channel != Message.Channel.EMAIL),
            ]
        steps[user.pk] = own
    return steps


def _steps(
    cls: type[Notification], *, rules: dict[str, list[Step]], channels: list[str] | None, reachable: set[str]
) -> list[Step]:
    if cls.urgent:
        return high_urgency_steps(rules[Urgency.HIGH], reachable=reachable)
    if cls.opt_in and channels is None:
        return []
    return low_urgency_steps(rules[Urgency.LOW], channels=channels, reachable=reachable)


def _channels(steps: Iterable[Step]) -> list[str]:
    return list(dict.fromkeys(step.channel for step in steps))


def rules_by_user(people: Iterable[User]) -> dict[int, dict[str, list[Step]]]:
    """Return the notification rules of users by urgency, in one query."""
    rules: dict[int, dict[str, list[Step]]] = defaultdict(lambda: {Urgency.HIGH.value: [], Urgency.LOW.value: []})
    for row in NotificationRule.objects.filter(person__in=list(people)):
        rules[row.person_id][row.urgency].append(Step(row.delay_minutes, row.channel))
    return rules


def reachable_channels(people: Iterable[User]) -> dict[int, set[str]]:
    """Return the channels by which users can be reached, e-mail included, in two queries."""
    people = list(people)
    channels: dict[int, set[str]] = defaultdict(lambda: {Message.Channel.EMAIL.value})
    for row in ContactMethod.objects.live().filter(person__in=people):
        channels[row.person_id] = channels[row.person_id] | {row.channel}
    for key in PushDevice.objects.live().filter(person__in=people).order_by().values_list("person", flat=True):
        channels[key] = channels[key] | {Message.Channel.PUSH.value}
    return channels


def live_methods(people: Iterable[User]) -> dict[tuple[int, str], list[int]]:
    """Return the live contact methods by user and channel, oldest first, in one query."""
    methods: dict[tuple[int, str], list[int]] = defaultdict(list)
    rows = ContactMethod.objects.live().filter(person__in=list(people)).order_by("pk")
    for key, person, channel in rows.values_list("pk", "person", "channel"):
        methods[person, channel].append(key)
    return methods


def people_who_chose(cls: type[Notification]) -> list[User]:
    """Return the active people who chose a channel for a type that is sent only to those."""
    rows = ChannelPreference.objects.filter(type=cls.name, person__is_active=True).exclude(channels=[])
    return [row.person for row in rows.select_related("person").order_by("person")]


def needed_channels() -> set[str]:
    """Return the channels of which high-urgency rules must include one; empty if the admins require none."""
    policy = NotificationPolicy.objects.first()
    return set(policy.high_needs_one_of) if policy else set()


def lacks_needed_channel(person: User) -> bool:
    """Return True if the high-urgency rules of a person have none of the channels that the admins require."""
    needed = needed_channels()
    if not needed:
        return False
    rules, reachable = rules_by_user([person])[person.pk], reachable_channels([person])[person.pk]
    return not needed & {step.channel for step in high_urgency_steps(rules[Urgency.HIGH], reachable=reachable)}


def channel_list(channels: Iterable[str]) -> str:
    """Return channels for the middle of a sentence, in the order of their choices: "push, SMS, call"."""
    known = set(channels)
    return ", ".join(CHANNEL_WORDS[channel] for channel in Message.Channel if channel in known)


def rule_sets_for(person: User) -> list[RuleSet]:
    """Return a user's rules for both urgencies, the defaults where they have none, each in words."""
    rules, reachable = rules_by_user([person])[person.pk], reachable_channels([person])[person.pk]
    high = high_urgency_steps(rules[Urgency.HIGH], reachable=reachable)
    low = low_urgency_steps(rules[Urgency.LOW], channels=None, reachable=reachable)
    quiet = quiet_hours_for(person)
    weekends = " and weekends" if quiet and quiet.weekends else ""
    return [
        RuleSet(Urgency.HIGH, high, f"{_words(high)}, until it is acknowledged or resolved.", not rules[Urgency.HIGH]),
        RuleSet(Urgency.LOW, low, f"{_words(low)}, outside quiet hours{weekends}.", not rules[Urgency.LOW]),
    ]


def _words(steps: list[Step]) -> str:
    """Return the steps as a sentence without its end: "E-mail immediately, then ntfy after 2 min"."""
    parts = [
        f"{CHANNEL_WORDS[Message.Channel(step.channel)]} {f'after {step.delay_minutes} min' if step.delay_minutes else 'immediately'}"
        for step in steps
    ]
    text = ", then ".join(parts)
    # ntfy is written in lower case wherever it stands.
    return text if text.startswith(CHANNEL_WORDS[Message.Channel.NTFY]) else f"{text[:1].upper()}{text[1:]}"


def contact_methods_for(person: User) -> list[ContactMethod]:
    """Return a user's contact methods, besides e-mail."""
    return list(ContactMethod.objects.filter(person=person))


def quiet_hours_for(person: User) -> QuietHours | None:
    """Return a user's quiet hours, or None."""
    return QuietHours.objects.filter(person=person).first()


def quiet_until(person: User, *, at: dt.datetime, hours: QuietHours | None = None) -> dt.datetime | None:
    """Return when the user's quiet hours around `at` end, or None outside quiet hours."""
    row = hours or quiet_hours_for(person)
    if row is None:
        return None
    return quiet_hours_end(at, zone=person.time_zone, start=row.starts_at, end=row.ends_at, weekends=row.weekends)
