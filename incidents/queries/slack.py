"""Messages about incidents for Slack, as Block Kit."""

import datetime as dt

from django.urls import reverse

from incidents.domain.slack import ACKNOWLEDGE, REASSIGN, RESOLVE, SNOOZE, SNOOZE_CHOICES, ShownState
from incidents.models import Incident, TimelineEntry
from incidents.queries.incidents import escalation_chain, next_notified
from notifications.domain.slack import (
    MAX_OPTIONS,
    Block,
    Card,
    button,
    escape,
    grouped_select,
    link,
    option,
    section,
    select,
    shorten,
)
from notifications.queries.outbox import absolute_url
from people.models import User

MAX_TEXT_SHOWN = 600
MAX_NAMES = 10


def incident_card(pk: int, *, at: dt.datetime) -> Card | None:
    """Return the message about an incident in its current state, or None if there is no such incident."""
    # The newest entry is read first: a later change leads to another update.
    rows = Incident.objects.select_related("pipeline", "assignee", "acknowledged_by", "resolved_by")
    version = shown_version(pk)
    incident = rows.filter(pk=pk).first()
    if incident is None:
        return None
    chain = escalation_chain(incident, at=at)
    title = f"{incident.get_kind_display()} · {incident.pipeline}: {incident.marked_title}"
    blocks = [
        section(f"*{link(absolute_url(reverse('incident', args=[pk])), title)}*"),
        {"type": "section", "fields": [{"type": "mrkdwn", "text": text} for text in _facts(incident)]},
    ]
    if incident.text.strip() and not incident.is_resolved:
        blocks.append(section(escape(shorten(incident.text.strip(), MAX_TEXT_SHOWN))))
    notified = [row.engineer for row in chain if row.step is not None]
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": _history(incident, notified=notified)}]})
    if not incident.is_resolved:
        upcoming = next_notified(incident, chain=chain)
        if upcoming is not None and incident.next_escalation_at is not None:
            text = f"Escalates to {escape(str(upcoming))} {_when(incident.next_escalation_at)}"
            blocks[-1]["elements"].append({"type": "mrkdwn", "text": text})
        blocks.append(_buttons(incident, version=version, chain=[row.engineer for row in chain]))
    return Card(f"{incident.get_state_display()}: {escape(title)}", blocks, version)


def shown_version(pk: int) -> int:
    """Return the newest entry of an incident's timeline, 0 without one."""
    return TimelineEntry.objects.filter(incident=pk).order_by("-pk").values_list("pk", flat=True).first() or 0


def shown_state(incident: Incident) -> ShownState:
    """Return the state that a message about an incident shows."""
    return ShownState(incident.pk, incident.round, incident.state, incident.assignee_id or 0)


def _facts(incident: Incident) -> list[str]:
    runbook = absolute_url(reverse("runbook", args=[incident.pipeline.slug]))
    state = str(incident.get_state_display())
    if incident.snoozed_until is not None:
        state = f"{state}, snoozed until {_when(incident.snoozed_until)}"
    elif incident.is_held:
        state = f"{state}, paused: {incident.get_hold_display()}"
    if incident.is_drill:
        state = f"Drill: {state}"
    return [
        f"*State*\n{state}",
        f"*Severity*\n{incident.get_severity_display()}",
        f"*Assignee*\n{escape(str(incident.assignee or 'Unassigned'))}",
        f"*Runbook*\n{link(runbook, str(incident.pipeline))}",
    ]


def _history(incident: Incident, *, notified: list[User]) -> str:
    parts = [f"Opened {_when(incident.opened_at)}"]
    if incident.acknowledged_at is not None and incident.acknowledged_by is not None:
        parts.append(f"Acknowledged by {escape(str(incident.acknowledged_by))} {_when(incident.acknowledged_at)}")
    if incident.resolved_at is not None:
        by = escape(str(incident.resolved_by or "its check or alert"))
        parts.append(f"Resolved by {by} {_when(incident.resolved_at)}")
    elif notified:
        names = ", ".join(escape(str(person)) for person in notified[:MAX_NAMES])
        parts.append(f"Notified: {names}{', …' if len(notified) > MAX_NAMES else ''}")
    return " · ".join(parts)


def _when(instant: dt.datetime) -> str:
    """Return an instant that Slack shows in the reader's own time zone."""
    fallback = f"{instant.astimezone(dt.UTC):%a %d %b, %H:%M} UTC"
    return f"<!date^{int(instant.timestamp())}^{{date_short_pretty}}, {{time}}|{fallback}>"


def _buttons(incident: Incident, *, version: int, chain: list[User]) -> Block:
    value = str(incident.pk)
    elements = []
    if incident.state == Incident.State.OPEN:
        elements.append(button("Acknowledge", action=ACKNOWLEDGE, value=value, style="primary"))
    elements.append(button("Resolve", action=RESOLVE, value=value))
    in_chain = [person for person in chain if person.is_active and person.pk != incident.assignee_id][:MAX_OPTIONS]
    known = {person.pk for person in in_chain} | {incident.assignee_id}
    others = User.objects.get_queryset().active().exclude(pk__in=[pk for pk in known if pk]).order_by("display_name")
    groups = [
        ("Escalation chain", [option(str(person), person.username) for person in in_chain]),
        ("Others", [option(str(person), person.username) for person in others[: MAX_OPTIONS - len(in_chain)]]),
    ]
    if any(options for _, options in groups):
        elements.append(grouped_select("Reassign", action=REASSIGN, groups=groups))
    choices = [option(label, str(minutes)) for minutes, label in SNOOZE_CHOICES]
    elements.append(select("Snooze", action=SNOOZE, options=choices))
    block_id = shown_state(incident).block_id(version=version)
    return {"type": "actions", "block_id": block_id, "elements": elements}
