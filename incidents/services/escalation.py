"""Escalation: notify the responder, then the rest of the chain one by one, then the admins.

`next_escalation_at` says when the next step is due, and workers sweep it. A step locks the incident, so that two workers never
notify the same person twice and a killed worker skips nobody. Low-severity incidents wait for each person's working hours.
Maintenance and an incident upstream hold an escalation; `current_hold` says which.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from common.datetimes import isoformat_z
from common.db import lock_rows
from common.loops import IsolatedSteps
from incidents.domain.working_hours import next_working_instant
from incidents.models import EscalationStep, Incident, MaintenanceWindow, TimelineEntry
from incidents.notifications import notify_escalation, notify_held
from incidents.queries.blame import holders, incidents_held_upstream, release_reasons, upstream_incident
from incidents.services.channel_posts import post_incident
from people.models import User
from scheduling.queries.on_call import responder_chains
from team_channels.domain.events import INCIDENT_ESCALATED

MAX_ESCALATIONS_PER_SWEEP = 500


def escalation_wait(incident: Incident) -> dt.timedelta:
    """Return how long an incident waits for an acknowledgement before it escalates, by its pipeline and severity."""
    return incident.acknowledgement_time


def earliest_notification(incident: Incident, person: User, *, at: dt.datetime) -> dt.datetime:
    """Return when a person may be notified: at once, or in their working hours if the severity is low."""
    return next_working_instant(at, zone=person.zone) if incident.severity == Incident.Severity.LOW else at


def escalate_to_next(incident: Incident, *, at: dt.datetime) -> list[User]:
    """Notify the next person: the assignee, the chain as it is at `at` link by link, then all admins; return who was notified.

    The caller holds the incident's lock. Sets when the next step is due: never after the admins. While something holds the
    incident, nobody is notified.
    """
    _find_parent(incident, at=at)
    if (hold := current_hold(incident, at=at)) is not None:
        _hold(incident, hold=hold, at=at)
        return []
    people, role = _next_people(incident, at=at)
    earliest = {person: earliest_notification(incident, person, at=at) for person in people}
    notified = [person for person in people if earliest[person] <= at]
    waiting = [instant for instant in earliest.values() if instant > at]
    if waiting:
        incident.next_escalation_at = min(waiting)
    elif role != EscalationStep.Role.ADMIN:
        incident.next_escalation_at = at + escalation_wait(incident)
    else:
        incident.next_escalation_at = None
    incident.save(update_fields=["next_escalation_at"])
    for person in notified:
        record_step(incident, person, role=role, at=at)
    if not people:
        incident.add_entry(TimelineEntry.Kind.EXHAUSTED, at=at)
    notify_escalation(incident, notified, at=at)
    return notified


@dataclass(frozen=True, slots=True)
class CurrentHold:
    """What holds an incident's escalation, why, and until when if that is known."""

    reason: Incident.Hold
    text: str
    until: dt.datetime | None


def current_hold(incident: Incident, *, at: dt.datetime) -> CurrentHold | None:
    """Return what holds an incident's escalation, or None: maintenance of its pipeline, or else the incident upstream of it.

    An incident upstream holds only a round in which nobody has been notified yet.
    """
    window = MaintenanceWindow.objects.active(at=at).filter(pipeline=incident.pipeline_id).first()
    if window is not None:
        return CurrentHold(Incident.Hold.MAINTENANCE, text=window.reason, until=window.ends_at)
    parent = incident.parent
    if parent is None or incident.escalation_steps.filter(round=incident.round).exists():
        return None
    if release_reasons([incident], at=at):
        return None
    upstream = holders([parent])[parent.pk]
    until = None if upstream.is_acknowledged else upstream.acknowledge_by
    return CurrentHold(Incident.Hold.UPSTREAM, text=f"{parent.pipeline}: {parent.title}", until=until)


def _find_parent(incident: Incident, *, at: dt.datetime) -> None:
    """Make an incident the child of the upstream one that explains it, if it waited and notified nobody.

    That is so in maintenance, and outside working hours for a low severity. The parent is not locked: if it is resolved at the same
    moment, the next sweep sees that.
    """
    is_opening = at <= incident.opened_at
    if incident.source != Incident.Source.CHECK or incident.parent_id or incident.assignee_id or is_opening:
        return
    reopened_by_hand = incident.timeline.filter(kind=TimelineEntry.Kind.REOPENED, by__isnull=False)
    if incident.escalation_steps.exists() or reopened_by_hand.exists():
        return
    upstream = upstream_incident(incident.pipeline, at=at)
    if upstream is not None:
        incident.parent = Incident.objects.select_related("pipeline").get(pk=upstream.key)
        incident.save(update_fields=["parent"])


def _hold(incident: Incident, *, hold: CurrentHold, at: dt.datetime) -> None:
    """Hold an incident; the timeline says so once, and its responder is informed once of an incident upstream."""
    is_new = incident.hold != hold.reason
    incident.hold, incident.next_escalation_at = hold.reason, hold.until
    incident.save(update_fields=["hold", "next_escalation_at"])
    if not is_new:
        return
    if hold.reason == Incident.Hold.MAINTENANCE and hold.until is not None:
        incident.add_entry(TimelineEntry.Kind.HELD, at=at, text=hold.text, until=isoformat_z(hold.until))
    elif incident.parent is not None:
        incident.add_entry(TimelineEntry.Kind.UPSTREAM, at=at, text=hold.text)
        people, _ = _next_people(incident, at=at)
        paged = incident.parent.escalation_steps.filter(round=incident.parent.round).values_list("engineer", flat=True)
        notify_held(incident, [person for person in people if person.pk not in set(paged)], at=at)


def _next_people(incident: Incident, *, at: dt.datetime) -> tuple[Sequence[User], str]:
    """Return who comes next in this round and in which role; nobody if all admins were notified."""
    notified = set(incident.escalation_steps.filter(round=incident.round).values_list("engineer", flat=True))
    if incident.assignee is not None and incident.assignee.is_active and incident.assignee.pk not in notified:
        return [incident.assignee], EscalationStep.Role.ASSIGNEE
    chain = responder_chains([incident.pipeline], at=at)[incident.pipeline_id]
    link = next((link for link in chain.links if link.available and link.engineer.id not in notified), None)
    if link is not None:
        return [User.objects.get(pk=link.engineer.id)], link.role
    return list(User.objects.get_queryset().admins().exclude(pk__in=notified)), EscalationStep.Role.ADMIN


def record_step(incident: Incident, person: User, *, role: str, at: dt.datetime) -> None:
    """Record that a person is notified in this round; the caller holds the incident's lock and sends the notification."""
    _, is_new = EscalationStep.objects.get_or_create(
        incident=incident, round=incident.round, engineer=person, defaults={"role": role, "at": at}
    )
    if is_new:
        label = str(EscalationStep.Role(role).label)
        incident.add_entry(TimelineEntry.Kind.NOTIFIED, at=at, text=label, engineer=person.username)


@transaction.atomic
def escalate(pk: int, *, at: dt.datetime) -> bool:
    """Do the step of an incident that is due, if any; return True if one was.

    A step notifies the next person, ends a snooze or a hold, or takes the incident from a deactivated assignee. Skips an
    incident that another worker holds.
    """
    rows = Incident.objects.select_related("pipeline", "assignee").filter(pk=pk).due(at=at)
    incident = lock_rows(rows, skip_locked=True, no_key=True).first()
    if incident is None:
        return False
    if incident.assignee is not None and not incident.assignee.is_active:
        text = f"{incident.assignee} was deactivated."
        incident.assignee = None
        restart_escalation(incident, kind=TimelineEntry.Kind.UNASSIGNED, text=text, at=at)
    elif incident.snoozed_until is not None:
        restart_escalation(incident, kind=TimelineEntry.Kind.SNOOZE_ENDED, at=at)
    elif incident.is_held and current_hold(incident, at=at) is None:
        if incident.hold == Incident.Hold.UPSTREAM:
            reason = release_reasons([incident], at=at).get(incident.pk, "")
            restart_escalation(incident, kind=TimelineEntry.Kind.UPSTREAM_ENDED, text=reason, at=at)
        else:
            restart_escalation(incident, kind=TimelineEntry.Kind.MAINTENANCE_ENDED, at=at)
    else:
        notified = escalate_to_next(incident, at=at)
        # Otherwise these are the first of the round: that the incident opened was posted already.
        if notified and incident.escalation_steps.filter(round=incident.round).count() > len(notified):
            post_incident(INCIDENT_ESCALATED, incident.timeline.latest("pk"), incident=incident, at=at)
    return True


def restart_escalation(incident: Incident, *, kind: str, at: dt.datetime, text: str = "") -> None:
    """Start a new escalation round of an unresolved incident that nobody has acknowledged any more.

    Nobody is notified while it is snoozed, or if its check has recovered: then it is resolved after its cooldown. The caller
    holds the incident's lock.
    """
    incident.state, incident.round = Incident.State.OPEN, incident.round + 1
    incident.acknowledged_at = incident.acknowledged_by = incident.next_escalation_at = None
    incident.hold = ""
    if incident.snoozed_until is not None and incident.snoozed_until <= at:
        incident.snoozed_until = None
    incident.save()
    incident.add_entry(kind, at=at, text=text)
    if incident.recovered_at is None and incident.snoozed_until is None:
        escalate_to_next(incident, at=at)


def escalate_due(*, at: dt.datetime) -> int:
    """Do the steps of the incidents that are due, each in its own transaction; return how many were.

    That includes those that nothing upstream holds any more.
    """
    held = incidents_held_upstream(at=at)
    released = list(release_reasons(held, at=at)) if held else []
    incidents_held_upstream(at=at).filter(pk__in=released).update(next_escalation_at=at)
    due = list(Incident.objects.due(at=at).values_list("pk", flat=True)[:MAX_ESCALATIONS_PER_SWEEP])
    with IsolatedSteps() as attempt:
        return sum(attempt(escalate, pk, at=at) or 0 for pk in due)
