"""Escalation: notify the responder, then the rest of the chain one by one, then the admins.

`next_escalation_at` says when the next step is due, and workers sweep it. A step locks the incident, so that two workers never
notify the same person twice and a killed worker skips nobody.
"""

import datetime as dt

from django.db import transaction

from incidents.models import EscalationStep, Incident, TimelineEntry
from incidents.notifications import notify_escalation
from people.models import User
from pipelines.models import Pipeline
from scheduling.queries.on_call import responder_chains

MAX_ESCALATIONS_PER_SWEEP = 500


def escalation_wait(pipeline: Pipeline) -> dt.timedelta:
    """Return how long an incident of a pipeline waits for an acknowledgement before it escalates."""
    return dt.timedelta(minutes=pipeline.escalate_after_minutes)


def escalate_to_next(incident: Incident, *, at: dt.datetime) -> list[User]:
    """Notify the next available link of the chain at `at`, or else the admins; return who was notified.

    The caller holds the incident's lock. Sets when the next step is due: never after the admins.
    """
    notified = set(incident.escalation_steps.filter(round=incident.round).values_list("engineer", flat=True))
    chain = responder_chains([incident.pipeline], at=at)[incident.pipeline_id]
    link = next((link for link in chain.links if link.available and link.engineer not in notified), None)
    if link is not None:
        people, role = [User.objects.get(pk=link.engineer)], link.role
        incident.next_escalation_at = at + escalation_wait(incident.pipeline)
    else:
        people, role = list(User.objects.get_queryset().admins().exclude(pk__in=notified)), EscalationStep.Role.ADMIN
        incident.next_escalation_at = None
    incident.save(update_fields=["next_escalation_at"])
    EscalationStep.objects.bulk_create(
        EscalationStep(incident=incident, round=incident.round, engineer=person, role=role, at=at) for person in people
    )
    for person in people:
        label = str(EscalationStep.Role(role).label)
        incident.add_entry(TimelineEntry.Kind.NOTIFIED, at=at, text=label, engineer=person.username)
    if not people:
        incident.add_entry(TimelineEntry.Kind.EXHAUSTED, at=at)
    notify_escalation(incident, people, at=at)
    return people


@transaction.atomic
def escalate(pk: int, *, at: dt.datetime) -> bool:
    """Notify the next responder of an incident if that is due; return True if it was.

    Skips an incident that another worker holds.
    """
    rows = Incident.objects.select_for_update(skip_locked=True, of=("self",), no_key=True).select_related("pipeline")
    incident = rows.filter(pk=pk).due(at=at).first()
    if incident is None:
        return False
    escalate_to_next(incident, at=at)
    return True


def escalate_due(*, at: dt.datetime) -> int:
    """Escalate the incidents that are due, each in its own transaction; return how many were."""
    due = list(Incident.objects.due(at=at).values_list("pk", flat=True)[:MAX_ESCALATIONS_PER_SWEEP])
    return sum(escalate(pk, at=at) for pk in due)
