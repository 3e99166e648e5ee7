"""Queries for notification settings: channels per type, rules, contact methods and quiet hours."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import QuerySet, Value

from common.db import CompiledQuery
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


# Placeholders in compiled statements, and the kinds of route rows that are not rules.
ANY_PERSON, ANY_TYPE = -1, "type"
METHOD, DEVICE = "method", "device"


@dataclass(frozen=True, slots=True)
class Routes:
    """How a user can be reached: their notification rules by urgency, and the keys of their live contact methods by channel, oldest first."""

    rules: dict[str, list[Step]] = field(default_factory=lambda: {urgency.value: [] for urgency in Urgency})
    methods: dict[str, list[int]] = field(default_factory=dict)
    reachable: set[str] = field(default_factory=lambda: {Message.Channel.EMAIL.value})


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
    routes = routes_by_user([person])[person.pk]
    return [
        TypePreference(cls, _channels(_steps(cls, routes=routes, channels=rows.get(cls.name))))
        for cls in configurable_types(person)
    ]


def steps_for(routes: dict[int, Routes], *, cls: type[Notification], has_invitation: bool) -> dict[int, list[Step]]:
    """Return the steps of a notification type for users with these routes, in at most one query.

    An invitation always goes by e-mail, because other channels have no calendar. A private type goes by e-mail only.
    """
    if cls.private:
        return {key: [Step(0, Message.Channel.EMAIL.value)] for key in routes}
    # Preferences do not apply to urgent notifications.
    channels = {} if cls.urgent else dict(CHANNELS_QUERY.fetch_all(list(routes), cls.name))
    steps = {}
    for key, own_routes in routes.items():
        own = _steps(cls, routes=own_routes, channels=channels.get(key))
        if has_invitation:
            own = [
                Step(0, Message.Channel.EMAIL.value),
                *(step for step in own if step.channel != Message.Channel.EMAIL),
            ]
        steps[key] = own
    return steps


def _steps(cls: type[Notification], *, routes: Routes, channels: list[str] | None) -> list[Step]:
    if cls.urgent:
        return high_urgency_steps(routes.rules[Urgency.HIGH], reachable=routes.reachable)
    if cls.opt_in and channels is None:
        return []
    return low_urgency_steps(routes.rules[Urgency.LOW], channels=channels, reachable=routes.reachable)


def _channels(steps: Iterable[Step]) -> list[str]:
    return list(dict.fromkeys(step.channel for step in steps))


def _route_rows() -> QuerySet[NotificationRule, tuple[int, str, int, str]]:
    """Return rows of user, kind, number and channel: rules with their delay, and live contact methods and devices with their key."""
    rules = NotificationRule.objects.filter(person__in=[ANY_PERSON]).order_by()
    methods = ContactMethod.objects.live().filter(person__in=[ANY_PERSON]).order_by()
    devices = PushDevice.objects.live().filter(person__in=[ANY_PERSON]).order_by()
    return rules.values_list("person", "urgency", "delay_minutes", "channel").union(
        methods.values_list("person", Value(METHOD), "pk", "channel"),
        devices.values_list("person", Value(DEVICE), "pk", Value(Message.Channel.PUSH.value)),
        all=True,
    )


ROUTES_QUERY = CompiledQuery(_route_rows, placeholders=(ANY_PERSON,))
CHANNELS_QUERY = CompiledQuery(
    lambda: ChannelPreference.objects.filter(person__in=[ANY_PERSON], type=ANY_TYPE).values_list("person", "channels"),
    placeholders=(ANY_PERSON, ANY_TYPE),
)


def routes_by_user(people: Iterable[User]) -> dict[int, Routes]:
    """Return how users can be reached, in one query."""
    routes = {person.pk: Routes() for person in people}
    rows = ROUTES_QUERY.fetch_all(list(routes)) if routes else []
    for person, kind, number, channel in sorted(rows):
        own = routes[person]
        if kind in own.rules:
            own.rules[kind].append(Step(number, channel))
            continue
        own.reachable.add(channel)
        if kind == METHOD:
            own.methods.setdefault(channel, []).append(number)
    return routes


def reachable_channels(people: Iterable[User]) -> dict[int, set[str]]:
    """Return the channels by which users can be reached, e-mail included, in one query."""
    return {person: routes.reachable for person, routes in routes_by_user(people).items()}


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
    routes = routes_by_user([person])[person.pk]
    steps = high_urgency_steps(routes.rules[Urgency.HIGH], reachable=routes.reachable)
    return not needed & {step.channel for step in steps}


def channel_list(channels: Iterable[str]) -> str:
    """Return channels for the middle of a sentence, in the order of their choices: "push, SMS, call"."""
    known = set(channels)
    return ", ".join(CHANNEL_WORDS[channel] for channel in Message.Channel if channel in known)


def rule_sets_for(person: User) -> list[RuleSet]:
    """Return a user's rules for both urgencies, the defaults where they have none, each in words."""
    routes = routes_by_user([person])[person.pk]
    rules = routes.rules
    high = high_urgency_steps(rules[Urgency.HIGH], reachable=routes.reachable)
    low = low_urgency_steps(rules[Urgency.LOW], channels=None, reachable=routes.reachable)
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


def quiet_hours_by_user(people: Iterable[User]) -> dict[int, QuietHours]:
    """Return the quiet hours of the users who have them, in one query."""
    return {row.person_id: row for row in QuietHours.objects.filter(person__in=list(people))}


def quiet_until(person: User, *, at: dt.datetime, hours: QuietHours | None = None) -> dt.datetime | None:
    """Return when the user's quiet hours around `at` end, or None outside quiet hours."""
    row = hours or quiet_hours_for(person)
    if row is None:
        return None
    return quiet_hours_end(at, zone=person.time_zone, start=row.starts_at, end=row.ends_at, weekends=row.weekends)
