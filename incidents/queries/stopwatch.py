"""How long each step took from an incident's opening to its acknowledgement."""

import datetime as dt
from dataclasses import dataclass

from incidents.models import EscalationStep, Incident
from notifications.models import Message

MESSAGE_TYPES = ("incident-escalated", "incident-assigned")
MAX_STEPS = 200


@dataclass(frozen=True, slots=True)
class StopwatchStep:
    """A step, and the time since the incident opened; None for a message that was not sent."""

    what: str
    after: dt.timedelta | None
    detail: str = ""


def stopwatch(incident: Incident) -> list[StopwatchStep]:
    """Return the steps of an incident in order: who was notified, each message and what became of it, and how it ended."""
    steps: list[tuple[dt.datetime, StopwatchStep]] = []

    def add(at: dt.datetime, what: str, *, is_done: bool = True, detail: str = "") -> None:
        after = max(at - incident.opened_at, dt.timedelta()) if is_done else None
        steps.append((at, StopwatchStep(what, after, detail)))

    escalation = EscalationStep.objects.filter(incident=incident).select_related("engineer").order_by("pk")
    engineers = []
    for step in escalation[:MAX_STEPS]:
        engineers.append(step.engineer_id)
        add(step.at, f"{step.engineer} notified", detail=step.get_role_display())
    # The recipients and the time are in an index, the incident is not.
    messages = Message.objects.filter(recipient__in=engineers, due_at__gte=incident.opened_at)
    messages = messages.filter(type__in=MESSAGE_TYPES, context__incident_id=incident.pk)
    for message in messages.select_related("recipient").order_by("due_at", "pk")[:MAX_STEPS]:
        what = f"{message.get_channel_display()} to {message.recipient}"
        is_sent = message.sent_at is not None
        state = f"{message.get_state_display()}. {message.problem}".removesuffix(" ").removesuffix(".")
        add(message.sent_at or message.due_at, what, is_done=is_sent, detail=state)
    if incident.acknowledged_at is not None:
        add(incident.acknowledged_at, f"Acknowledged by {incident.acknowledged_by}")
    if incident.resolved_at is not None:
        add(incident.resolved_at, f"Resolved by {incident.resolved_by or 'the site'}")
    return [step for _, step in sorted(steps, key=lambda item: item[0])]
