"""Escalation: notify the responder, then the rest of the chain one by one, then the admins.

`next_escalation_at` says when the next step is due, and workers sweep it. A step locks the incident, so that two workers never
notify the same person twice and a killed worker skips nobody. Low-severity incidents wait for each person's working hours.
"""

import datetime as dt
from collections.abc import Sequence

from django.db import transaction

from common.datetimes import isoformat_z
from incidents.domain.working_hours import next_working_instant
from incidents.models import EscalationStep, Incident, MaintenanceWindow, TimelineEntry
from incidents.notifications import notify_escalation
from people.models import User
from scheduling.queries.on_call import responder_chains

MAX_ESCALATIONS_PER_SWEEP = 500


def escalation_wait(incident: Incident) -> dt.timedelta:
    """Return how long an incident waits for an acknowledgement before it escalates, by its pipeline and severity."""
    return dt.timedelta(minutes=incident.pipeline.escalation_minutes(incident.severity))


def earliest_notification(incident: Incident, person: User, *, at: dt.datetime) -> dt.datetime:
    """Return when a person may be notified: at once, or in their working hours if the severity is low."""
    return next_working_instant(at, zone=person.zone) if incident.severity == Incident.Severity.LOW else at


def escalate_to_next(incident: Incident, *, at: dt.datetime) -> list[User]:
    """Notify the next person: the assignee, the chain as it is at `at` link by link, then all admins; return who was notified.

    The caller holds the incident's lock. Sets when the next step is due: never after the admins. During a maintenance window it
    notifies nobody; the step is due when that ends.
    """
    if (window := MaintenanceWindow.objects.active(at=at).filter(pipeline=incident.pipeline_id).first()) is not None:
        _hold(incident, window=window, at=at)
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


def _hold(incident: Incident, *, window: MaintenanceWindow, at: dt.datetime) -> None:
    """Pause an incident's escalation until a maintenance window ends; add one timeline entry per window."""
    is_new = not incident.is_held
    incident.is_held, incident.next_escalation_at = True, window.ends_at
    incident.save(update_fields=["is_held", "next_escalation_at"])
    if is_new:
        until = isoformat_z(window.ends_at)
        incident.add_entry(TimelineEntry.Kind.HELD, at=at, text=window.reason, until=until)


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

    A step notifies the next person, ends a snooze or maintenance, or takes the incident from a deactivated assignee. Skips an
    incident that another worker holds.
    """
    rows = Incident.objects.select_for_update(skip_locked=True, of=("self",), no_key=True)
    incident = rows.select_related("pipeline", "assignee").filter(pk=pk).due(at=at).first()
    if incident is None:
        return False
    if incident.assignee is not None and not incident.assignee.is_active:
        text = f"{incident.assignee} was deactivated."
        incident.assignee = None
        restart_escalation(incident, kind=TimelineEntry.Kind.UNASSIGNED, text=text, at=at)
    elif incident.snoozed_until is not None:
        restart_escalation(incident, kind=TimelineEntry.Kind.SNOOZE_ENDED, at=at)
    elif (
        incident.is_held and not MaintenanceWindow.objects.active(at=at).filter(pipeline=incident.pipeline_id).exists()
    ):
        restart_escalation(incident, kind=TimelineEntry.Kind.MAINTENANCE_ENDED, at=at)
    else:
        escalate_to_next(incident, at=at)
    return True


def restart_escalation(incident: Incident, *, kind: str, at: dt.datetime, text: str = "") -> None:
    """Start a new escalation round of an unresolved incident that nobody has acknowledged any more.

    Nobody is notified while it is snoozed, or if its check has recovered: then it is resolved after its cooldown. The caller
    holds the incident's lock.
    """
    incident.state, incident.round = Incident.State.OPEN, incident.round + 1
    incident.acknowledged_at = incident.acknowledged_by = incident.next_escalation_at = None
    incident.is_held = False
    if incident.snoozed_until is not None and incident.snoozed_until <= at:
        incident.snoozed_until = None
    incident.save()
    incident.add_entry(kind, at=at, text=text)
    if incident.recovered_at is None and incident.snoozed_until is None:
        escalate_to_next(incident, at=at)


def escalate_due(*, at: dt.datetime) -> int:
    """Do the steps of the incidents that are due, each in its own transaction; return how many were."""
    due = list(Incident.objects.due(at=at).values_list("pk", flat=True)[:MAX_ESCALATIONS_PER_SWEEP])
    return sum(escalate(pk, at=at) for pk in due)
