"""Notification rules: by which channels, and when, a notification goes to a person."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

EMAIL = "email"
# Minutes after the event at which a channel comes by default; the others come at once. So people who look at their phone are not called.
DEFAULT_DELAY_MINUTES = {"sms": 2, "voice": 5}


@dataclass(frozen=True, slots=True, order=True)
class Step:
    """A message by one channel, some minutes after the event."""

    delay_minutes: int
    channel: str


def high_urgency_steps(rules: Iterable[Step], *, reachable: Collection[str]) -> list[Step]:
    """Return the steps of an urgent notification: the rules, by default every channel at once, SMS after 2 min and a call after 5.

    E-mail is always among them.

    `reachable` has the channels for which the person has an address; e-mail always counts as one.
    """
    steps = {step for step in rules if step.channel in reachable or step.channel == EMAIL}
    steps = steps or {Step(DEFAULT_DELAY_MINUTES.get(channel, 0), channel) for channel in reachable}
    if not any(step.channel == EMAIL for step in steps):
        steps.add(Step(0, EMAIL))
    return sorted(steps)


def low_urgency_steps(
    rules: Iterable[Step], *, channels: Collection[str] | None, reachable: Collection[str]
) -> list[Step]:
    """Return the steps of a notification that is not urgent.

    `channels` are those enabled for its type, None without a preference: then the rules decide, by default e-mail at once. A
    channel without a rule sends at once.
    """
    known = {step for step in rules if step.channel in reachable or step.channel == EMAIL}
    if channels is None:
        return sorted(known) or [Step(0, EMAIL)]
    with_rule = {step.channel for step in known}
    enabled = {step for step in known if step.channel in channels}
    enabled |= {
        Step(0, channel)
        for channel in channels
        if channel not in with_rule and (channel in reachable or channel == EMAIL)
    }
    if channels and not enabled:
        # The contact method was removed: a message by e-mail is better than none.
        return [Step(0, EMAIL)]
    return sorted(enabled)
