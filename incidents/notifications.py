"""Notification types of incidents, and whether each is still relevant when it is sent."""

import datetime as dt
from collections.abc import Iterable

from django.conf import settings
from django.urls import reverse

from incidents.models import Incident, TimelineEntry
from notifications.models import Message
from notifications.registry import NotificationType, register
from notifications.services.outbox import Notification, enqueue
from people.models import User

ESCALATION = "incident"
ASSIGNMENT = "incident-handover"
# A message about an incident that could not be sent for a day is no longer worth sending.
MESSAGE_LIFETIME = dt.timedelta(days=1)


def notify_escalation(incident: Incident, people: Iterable[User], *, at: dt.datetime) -> None:
    """Notify people that an incident waits for an acknowledgement."""
    pipeline = incident.pipeline
    minutes = pipeline.escalate_after_minutes
    lines = [
        f"{incident.get_kind_display()}: {incident.title}",
        incident.text,
        f"Runbook: {settings.SITE_URL}{reverse('runbook', args=[pipeline.slug])}",
        f"Acknowledge within {minutes} min, or it escalates to the next responder.",
    ]
    notice = Notification(
        kind=ESCALATION,
        event=ESCALATION,
        occurrence=str(incident.pk),
        offset=f"r{incident.round}",
        subject=f"[{incident.get_kind_display()}] {pipeline}: {incident.title}",
        text="\n\n".join(line for line in lines if line),
        path=reverse("incident", args=[incident.pk]),
        due_at=at,
        expires_at=at + MESSAGE_LIFETIME,
    )
    enqueue(people, notice=notice)


def notify_assignment(incident: Incident, *, to: User, by: User, at: dt.datetime, note: str) -> None:
    """Notify the new assignee of an incident; the reassignment is on its timeline already."""
    number = incident.timeline.filter(kind=TimelineEntry.Kind.REASSIGNED).count()
    notice = Notification(
        kind=ASSIGNMENT,
        event=ASSIGNMENT,
        occurrence=str(incident.pk),
        offset=f"h{number}",
        subject=f"Assigned to you: [{incident.get_kind_display()}] {incident.pipeline}: {incident.title}",
        text="\n\n".join(line for line in (f"{by} assigned this incident to you.", note) if line),
        path=reverse("incident", args=[incident.pk]),
        due_at=at,
        expires_at=at + MESSAGE_LIFETIME,
    )
    enqueue([to], notice=notice)


def is_open(message: Message, at: dt.datetime) -> bool:
    """Return True if nobody has acknowledged or resolved the incident."""
    return Incident.objects.filter(pk=int(message.occurrence), state=Incident.State.OPEN).exists()


def is_assigned_to_recipient(message: Message, at: dt.datetime) -> bool:
    """Return True if the incident is unresolved and still assigned to the recipient."""
    rows = Incident.objects.unresolved().filter(pk=int(message.occurrence), assignee=message.recipient_id)
    return rows.exists()


def register_notifications() -> None:
    """Register both types; both are urgent."""
    register(
        NotificationType(ESCALATION, "Incident to acknowledge", urgent=True, is_still_relevant=is_open),
        NotificationType(
            ASSIGNMENT, "Incident assigned to me", urgent=True, is_still_relevant=is_assigned_to_recipient
        ),
    )
