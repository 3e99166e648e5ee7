"""The chain of an incident's pipeline as it is now: who was told, who is next, who is passed over and why."""

import datetime as dt
from dataclasses import dataclass

from incidents.models import EscalationStep, Incident
from people.models import User
from scheduling.domain.responder_chain import Link
from scheduling.queries.on_call import responder_chains


@dataclass(frozen=True, slots=True)
class ChainLink:
    """A link of the chain, and whether its engineer was told in this round, or is the next to be told."""

    link: Link
    engineer: User
    told: EscalationStep | None
    next: bool


def chain_of(incident: Incident, *, at: dt.datetime) -> list[ChainLink]:
    """Return the links of an incident's chain at that instant, in order."""
    chain = responder_chains([incident.pipeline], at=at)[incident.pipeline_id]
    people = User.objects.get_queryset().in_bulk([link.engineer for link in chain.links])
    told = {one.engineer_id: one for one in incident.tellings.filter(round=incident.round)}
    waiting = incident.next_escalation_at is not None
    following = next((one.engineer for one in chain.links if one.available and one.engineer not in told), None)
    return [
        ChainLink(
            link=link,
            engineer=people[link.engineer],
            told=told.get(link.engineer),
            next=waiting and link.engineer == following,
        )
        for link in chain.links
    ]
