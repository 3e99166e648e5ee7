"""Who is on call and who responds, with users and labels for templates."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile

from incidents.queries.statuses import PipelineStatus, statuses
from people.models import User
from pipelines.models import Pipeline
from scheduling.domain.responder_chain import ON_CALL, PRIMARY, ROTATION, SECONDARY
from scheduling.queries.on_call import OnCallShift, OnCallSnapshot

ROLE_LABELS = {
    ON_CALL: "on call",
    PRIMARY: "primary owner",
    SECONDARY: "secondary owner",
    ROTATION: "next in rotation",
}
MAX_SKIPPED_LINKS = 2


@dataclass(frozen=True, slots=True)
class ChainLink:
    """A user in an escalation chain; `reason` says why they are unavailable."""

    user: User
    role: str
    available: bool
    reason: str


@dataclass(frozen=True, slots=True)
class PipelineRow:
    """A pipeline with its status, its escalation chain and its responder; `until` is when these next change."""

    pipeline: Pipeline
    status: PipelineStatus
    links: tuple[ChainLink, ...]
    responder: User | None
    acting_owner: User | None
    until: dt.datetime | None

    @property
    def skipped(self) -> list[ChainLink]:
        """The first unavailable links before the responder."""
        return list(takewhile(lambda link: link.user != self.responder, self.links))[:MAX_SKIPPED_LINKS]

    @property
    def role(self) -> str:
        """The responder's role, or "" if the pipeline is uncovered."""
        return next((link.role for link in self.links if link.user == self.responder), "")


@dataclass(frozen=True, slots=True)
class OnCallRow:
    """A rotation's current shift, with its engineer and the next one."""

    shift: OnCallShift
    engineer: User | None
    next_engineer: User | None


def present_snapshot(
    snapshot: OnCallSnapshot, pipelines: Iterable[Pipeline]
) -> tuple[list[PipelineRow], list[OnCallRow]]:
    """Return a row for each of these pipelines and for each rotation of the snapshot."""
    rows = list(pipelines)
    user_ids = {link.engineer for row in rows for link in snapshot.chains[row.pk].links}
    user_ids |= {key for shift in snapshot.shifts for key in (shift.engineer, shift.next_engineer) if key is not None}
    users, status = User.objects.get_queryset().in_bulk(user_ids), statuses(rows)
    pipeline_rows = []
    for row in rows:
        chain = snapshot.chains[row.pk]
        pipeline_rows.append(
            PipelineRow(
                pipeline=row,
                status=status[row.pk],
                links=tuple(
                    ChainLink(users[link.engineer], ROLE_LABELS[link.role], link.available, link.reason)
                    for link in chain.links
                ),
                responder=users.get(chain.responder or 0),
                acting_owner=users.get(chain.acting_owner or 0),
                until=chain.until,
            )
        )
    return pipeline_rows, [
        OnCallRow(shift, users.get(shift.engineer or 0), users.get(shift.next_engineer or 0))
        for shift in snapshot.shifts
    ]
