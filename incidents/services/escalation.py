"""Telling people of an incident: the responder at once, then the rest of the chain, each once, admins last (product.md §8).

When the next is due is a column of the incident, which workers sweep; the row is locked while the next is told, so that two
beats or a killed worker tell nobody twice and leave nobody out.
"""

import datetime as dt

from django.db import transaction

from incidents.models import EscalationStep, Incident, TimelineEntry
from incidents.notifications import notify_escalation
from incidents.services.timeline import append_entry
from people.models import User
from pipelines.models import Pipeline
from scheduling.queries.on_call import responder_chains


def wait_of(pipeline: Pipeline) -> dt.timedelta:
    """Return how long an incident of a pipeline waits for an acknowledgement before the next is told."""
    return dt.timedelta(minutes=pipeline.escalate_after_minutes)


def escalate_to_next(incident: Incident, *, at: dt.datetime) -> list[User]:
    """Tell the next available link of the chain as it is at that instant, then the admins; return whom.

    The caller holds the incident's row. Sets when the next is due, never where nobody is left.
    """
    told = set(incident.tellings.filter(round=incident.round).values_list("engineer", flat=True))
    chain = responder_chains([incident.pipeline], at=at)[incident.pipeline_id]
    link = next((one for one in chain.links if one.available and one.engineer not in told), None)
    if link is not None:
        people, role = [User.objects.get(pk=link.engineer)], link.role
        incident.next_escalation_at = at + wait_of(incident.pipeline)
    else:
        people, role = list(User.objects.get_queryset().admins().exclude(pk__in=told)), EscalationStep.Role.ADMIN
        incident.next_escalation_at = None
    incident.save(update_fields=["next_escalation_at"])
    _record(incident, people=people, role=role, at=at)
    return people


def _record(incident: Incident, *, people: list[User], role: str, at: dt.datetime) -> None:
    EscalationStep.objects.bulk_create(
        EscalationStep(incident=incident, round=incident.round, engineer=person, role=role, at=at) for person in people
    )
    for person in people:
        append_entry(incident, kind=TimelineEntry.Kind.TOLD, at=at, text=_as_what(role), engineer=person.username)
    if not people:
        append_entry(incident, kind=TimelineEntry.Kind.EXHAUSTED, at=at)
    notify_escalation(incident, people, at=at)


def _as_what(role: str) -> str:
    return str(EscalationStep.Role(role).label)


@transaction.atomic
def escalate(pk: int, *, at: dt.datetime) -> bool:
    """Tell the next of an incident's chain if that is due; return whether it was.

    A row that another worker holds is left to it.
    """
    rows = Incident.objects.select_for_update(skip_locked=True, of=("self",), no_key=True).select_related("pipeline")
    incident = rows.filter(pk=pk).due(at=at).first()
    if incident is None:
        return False
    escalate_to_next(incident, at=at)
    return True


def escalate_due(*, at: dt.datetime, most: int = 500) -> int:
    """Escalate what is due, each incident in a transaction of its own; return how many were."""
    keys = Incident.objects.due(at=at).values_list("pk", flat=True)[:most]
    return sum(escalate(pk, at=at) for pk in list(keys))
