"""Notifications about incidents."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, replace

from django.urls import reverse

from incidents.models import Incident, MaintenanceWindow, SlackPost, TimelineEntry
from incidents.queries.slack import incident_card
from notifications.domain.slack import Card, escape
from notifications.queries.outbox import absolute_url, database_clock
from notifications.registry import Notification, paragraphs, register, register_live_cards
from notifications.services.outbox import enqueue
from people.models import User

MAX_FAILURES_LISTED = 20
# A message about an incident that could not be sent for a day is no longer worth sending.
INCIDENT_MESSAGE_LIFETIME = dt.timedelta(days=1)


class IncidentCards:
    """Messages about incidents in Slack."""

    def card(self, subject: int, *, at: dt.datetime) -> Card | None:
        return incident_card(subject, at=at)

    def thread(self, subject: int, *, channel: str) -> str:
        rows = SlackPost.objects.filter(incident=subject, channel=channel, stopped_at=None)
        return rows.order_by("-pk").values_list("ts", flat=True).first() or ""

    def record(self, subject: int, *, channel: str, ts: str, version: int) -> None:
        if channel and ts and Incident.objects.filter(pk=subject).exists():
            fields = {"incident_id": subject, "shown_entry": version}
            SlackPost.objects.get_or_create(channel=channel, ts=ts, defaults=fields)


register_live_cards("incident", IncidentCards())


@dataclass(frozen=True, slots=True)
class _IncidentNotification(Notification):
    """What all notifications about an incident have in common."""

    urgent = True
    rate_limited = True
    action = "Open incident"

    incident_id: int
    kind: str
    title: str
    pipeline: str

    def subject(self, reader: User) -> str:
        return f"[{self.kind}] {self.pipeline}: {self.title}"

    def link(self) -> str:
        return reverse("incident", args=[self.incident_id])

    def phone_actions(self) -> int | None:
        return self.incident_id

    def topic(self) -> str:
        return f"incident:{self.incident_id}"

    def slack_card(self, reader: User) -> Card | None:
        if self.phone_actions() is None:
            return None
        card = incident_card(self.incident_id, at=database_clock())
        return None if card is None else replace(card, text=escape(self.subject(reader)))

    def record_slack_post(self, *, channel: str, ts: str, version: int) -> None:
        IncidentCards().record(self.incident_id, channel=channel, ts=ts, version=version)


@register
@dataclass(frozen=True, slots=True)
class IncidentEscalation(_IncidentNotification):
    """An open incident waits for an acknowledgement: its responder is notified, then the rest of the escalation chain."""

    name = "incident-escalated"
    label = "Incident to acknowledge"
    identity = ("incident_id", "round")

    # Rises when the incident is reopened.
    round: int
    text: str
    runbook: str
    escalates_after_minutes: int

    def body(self, reader: User) -> str:
        return paragraphs(
            f"{self.kind}: {self.title}",
            self.text,
            f"Runbook: {absolute_url(reverse('runbook', args=[self.runbook]))}",
            f"Acknowledge within {self.escalates_after_minutes} min, or it escalates to the next responder.",
        )

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        rows = Incident.objects.filter(pk=self.incident_id, round=self.round, state=Incident.State.OPEN)
        maintenance = MaintenanceWindow.objects.active(at=at).filter(pipeline__incidents=self.incident_id)
        return rows.exists() and not maintenance.exists()


@register
@dataclass(frozen=True, slots=True)
class IncidentAssignment(_IncidentNotification):
    """An incident was assigned to somebody by somebody else."""

    name = "incident-assigned"
    label = "Incident assigned to me"
    identity = ("incident_id", "number")

    # Counts the reassignments of the incident.
    number: int
    assigned_by: str
    note: str
    text: str
    runbook: str
    escalates_after_minutes: int

    def subject(self, reader: User) -> str:
        return f"Assigned to you: [{self.kind}] {self.pipeline}: {self.title}"

    def body(self, reader: User) -> str:
        return paragraphs(
            f"{self.assigned_by} assigned this incident to you.",
            self.note,
            f"{self.kind}: {self.title}",
            self.text,
            f"Runbook: {absolute_url(reverse('runbook', args=[self.runbook]))}",
            f"Acknowledge within {self.escalates_after_minutes} min, or it escalates to the next responder.",
        )

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        rows = Incident.objects.filter(pk=self.incident_id, assignee=recipient, state=Incident.State.OPEN)
        return rows.exists()


@register
@dataclass(frozen=True, slots=True)
class IncidentHold(_IncidentNotification):
    """An incident that another one upstream explains: its responder gets one message per upstream incident and is not paged."""

    urgent = False
    rate_limited = False
    name = "incident-held"
    label = "Incident caused upstream"
    identity = ("parent_id", "parent_round")

    parent_id: int
    # Rises when the incident upstream is reopened.
    parent_round: int
    parent_pipeline: str
    parent_title: str

    def subject(self, reader: User) -> str:
        return f"Upstream: {self.parent_pipeline}: {self.parent_title}"

    def body(self, reader: User) -> str:
        return paragraphs(
            f"{self.pipeline} is failing too: {self.title}",
            f"Its escalation is paused because {self.parent_pipeline} is failing upstream. You have nothing to do now.",
            "It resumes when the upstream incident ends, or if nobody acknowledges that incident in time.",
        )

    def phone_actions(self) -> int | None:
        return None

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        return Incident.objects.filter(pk=self.incident_id, hold=Incident.Hold.UPSTREAM).exists()


def incident_text(incident: Incident) -> str:
    """Return the text of an incident; with several failures, a list of those that have not recovered."""
    failures = list(incident.failures.filter(recovered_at=None).order_by("pk")[: MAX_FAILURES_LISTED + 1])
    if len(failures) < 2:  # the incident's own text says it
        return incident.text
    lines = [f"- {failure.title}: {failure.text}".rstrip(": ") for failure in failures[:MAX_FAILURES_LISTED]]
    return "\n".join(lines + ["- and more"] * (len(failures) > MAX_FAILURES_LISTED))


def notify_escalation(incident: Incident, people: Iterable[User], *, at: dt.datetime) -> None:
    """Notify people that an incident waits for an acknowledgement."""
    notification = IncidentEscalation(
        incident_id=incident.pk,
        kind=incident.get_kind_display(),
        title=incident.marked_title,
        pipeline=str(incident.pipeline),
        round=incident.round,
        text=incident_text(incident),
        runbook=incident.pipeline.slug,
        escalates_after_minutes=incident.pipeline.escalation_minutes(incident.severity),
    )
    enqueue(people, notification, due_at=at, expires_at=at + INCIDENT_MESSAGE_LIFETIME)


def notify_held(incident: Incident, people: Iterable[User], *, at: dt.datetime) -> None:
    """Inform people that an incident is held below another one upstream."""
    if (parent := incident.parent) is None:
        return
    notification = IncidentHold(
        incident_id=incident.pk,
        kind=incident.get_kind_display(),
        title=incident.marked_title,
        pipeline=str(incident.pipeline),
        parent_id=parent.pk,
        parent_round=parent.round,
        parent_pipeline=str(parent.pipeline),
        parent_title=parent.title,
    )
    enqueue(people, notification, due_at=at, expires_at=at + INCIDENT_MESSAGE_LIFETIME)


def notify_assignment(incident: Incident, *, to: User, by: User, at: dt.datetime, note: str) -> None:
    """Notify the new assignee of an incident; the reassignment is on its timeline already."""
    notification = IncidentAssignment(
        incident_id=incident.pk,
        kind=incident.get_kind_display(),
        title=incident.marked_title,
        pipeline=str(incident.pipeline),
        number=incident.timeline.filter(kind=TimelineEntry.Kind.REASSIGNED).count(),
        assigned_by=str(by),
        note=note,
        text=incident_text(incident),
        runbook=incident.pipeline.slug,
        escalates_after_minutes=incident.pipeline.escalation_minutes(incident.severity),
    )
    enqueue([to], notification, due_at=at, expires_at=at + INCIDENT_MESSAGE_LIFETIME)
