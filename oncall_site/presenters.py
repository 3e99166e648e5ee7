"""Who is on call, who responds and what is open, with users and labels for templates."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile

from incidents.domain.status import STATUSES
from incidents.models import Incident
from incidents.queries.statuses import PipelineStatus, statuses
from people.domain.person import Person
from people.models import User
from pipelines.models import Pipeline
from readiness.domain.verdict import Readiness
from readiness.queries.readiness import readiness_by_pipeline
from scheduling.domain.responder_chain import ON_CALL, ROLE_LABELS, Chain, Link
from scheduling.models import Cover
from scheduling.queries.on_call import OnCallShift, OnCallSnapshot

MAX_SKIPPED_LINKS = 2
RotationName = tuple[int, str]  # a rotation's primary key and name
# Fields of users that no page shows beside a chain.
UNSHOWN_FIELDS = (
    "password",
    "last_login",
    "display_key",
    "handbook_name",
    "handbook_key",
    "date_joined",
    "reactivated_at",
)


@dataclass(frozen=True, slots=True)
class ChainLink:
    """A user in an escalation chain; `reason` says why they are unavailable."""

    user: User | Person
    role: str
    available: bool
    reason: str


@dataclass(frozen=True, slots=True)
class PipelineRow:
    """A pipeline with its status, its readiness, its escalation chain and its responder; `until` is when the chain next changes."""

    pipeline: Pipeline
    status: PipelineStatus
    readiness: Readiness
    links: tuple[ChainLink, ...]
    responder: User | Person | None
    acting_owner: User | Person | None
    until: dt.datetime | None
    owners: tuple[Person, ...] = ()  # only in Now's lists

    @property
    def skipped(self) -> list[ChainLink]:
        """The first unavailable links before the responder."""
        return list(takewhile(lambda link: link.user != self.responder, self.links))[:MAX_SKIPPED_LINKS]

    @property
    def role(self) -> str:
        """The responder's role, or "" if the pipeline is uncovered."""
        return next((link.role for link in self.links if link.user == self.responder), "")

    @property
    def urgency(self) -> tuple[bool, int]:
        """A sort key: uncovered pipelines first, then the worst status."""
        return self.responder is not None, STATUSES.index(self.status.name)


@dataclass(frozen=True, slots=True)
class LineageRow:
    """A pipeline with its neighbors in a lineage picture, each with True if the edge is faded."""

    row: PipelineRow
    upstream: list[tuple[Pipeline, bool]]
    downstream: list[tuple[Pipeline, bool]]


@dataclass(frozen=True, slots=True)
class OnCallRow:
    """A rotation's current shift. If its engineer is away, `stand_ins` are the responders of its pipelines."""

    shift: OnCallShift
    engineer: User | None
    next_engineer: User | None
    cover: Cover | None
    absence: str
    stand_ins: tuple[User, ...]


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """An open incident; `escalates_in` and `escalates_to` are None if nobody else will be notified.

    `is_exhausted` is True if everyone was notified and nobody acknowledged it.
    """

    incident: Incident
    age: dt.timedelta
    escalates_in: dt.timedelta | None
    escalates_to: User | Person | None
    is_exhausted: bool


@dataclass(frozen=True, slots=True)
class PipelineGroup:
    """Pipelines of one rotation ("": of none) with the same responder, for the same reason."""

    rotation: str
    rows: list[PipelineRow]

    @property
    def first(self) -> PipelineRow:
        """A row with the responder and the reason of them all."""
        return self.rows[0]


def group_pipelines(rows: Iterable[tuple[PipelineRow, RotationName | None]]) -> list[PipelineGroup]:
    """Return groups of rows, each given with its rotation, in the order of their first rows."""
    groups: dict[tuple[object, ...], PipelineGroup] = {}
    for row, rotation in rows:
        key, name = rotation or (None, "")
        reasons = tuple((link.user.id, link.reason) for link in row.skipped)
        groups.setdefault((key, row.responder, row.role, reasons), PipelineGroup(name, [])).rows.append(row)
    return list(groups.values())


def links_to_responder(chain: Chain) -> tuple[Link, ...]:
    """Return the links of a chain up to its responder; all of them if nobody is available."""
    place = next((number for number, link in enumerate(chain.links, 1) if link.available), None)
    return chain.links[:place]


class SnapshotPresenter:
    """Presents an on-call snapshot; reads the users, statuses and readiness of all its rows at once.

    By default all chains are shown to their end, with users. With `whole_chains`, only the chains of these pipelines are shown to
    their end, the others to their responder; and only the on-call engineers and their stand-ins are users, with their
    contact details. For the others there is only a name.
    """

    def __init__(
        self,
        snapshot: OnCallSnapshot,
        pipelines: Iterable[Pipeline],
        *,
        at: dt.datetime,
        covers: Iterable[Cover] = (),
        whole_chains: Collection[int] | None = None,
    ) -> None:
        self.snapshot = snapshot
        self.pipelines = {row.pk: row for row in pipelines}
        self.covers = {cover.rotation_id: cover for cover in covers}
        self.links = {
            key: chain.links if whole_chains is None or key in whole_chains else links_to_responder(chain)
            for key, chain in snapshot.chains.items()
        }
        people = {person for shift in snapshot.shifts for person in (shift.engineer, shift.next_engineer) if person}
        people |= {person for shift in snapshot.shifts if not shift.available for person in self._responders(shift)}
        if whole_chains is None:
            people |= {link.engineer for links in self.links.values() for link in links}
            people |= {chain.acting_owner for chain in snapshot.chains.values() if chain.acting_owner}
        users = User.objects.get_queryset().filter(pk__in=[person.id for person in people]).defer(*UNSHOWN_FIELDS)
        self.users: Mapping[Person | None, User] = {user.person: user for user in users}
        self.statuses = statuses(self.pipelines.values())
        self.readiness = readiness_by_pipeline(self.pipelines.values(), at=at)

    def pipeline_row(self, pipeline: Pipeline) -> PipelineRow:
        """Return the row of one of the pipelines."""
        chain = self.snapshot.chains[pipeline.pk]
        return PipelineRow(
            pipeline=pipeline,
            status=self.statuses[pipeline.pk],
            readiness=self.readiness[pipeline.pk],
            links=tuple(
                ChainLink(
                    self.users.get(link.engineer, link.engineer), ROLE_LABELS[link.role], link.available, link.reason
                )
                for link in self.links[pipeline.pk]
            ),
            responder=self.users.get(chain.responder, chain.responder),
            acting_owner=self.users.get(chain.acting_owner, chain.acting_owner),
            until=chain.until,
        )

    def on_call_rows(self) -> list[OnCallRow]:
        """Return a row for each rotation of the snapshot."""
        return [
            OnCallRow(
                shift=shift,
                engineer=self.users.get(shift.engineer),
                next_engineer=self.users.get(shift.next_engineer),
                cover=self.covers.get(shift.rotation.pk) if shift.covering else None,
                absence=self._absence(shift),
                stand_ins=() if shift.available else self._stand_ins(shift),
            )
            for shift in self.snapshot.shifts
        ]

    def _chains_on_call(self, shift: OnCallShift) -> list[int]:
        """Return the pipelines whose chain starts with the shift's engineer."""
        return [
            key
            for key, chain in self.snapshot.chains.items()
            if any(link.role == ON_CALL and link.engineer == shift.engineer for link in chain.links)
        ]

    def _absence(self, shift: OnCallShift) -> str:
        if shift.engineer is None or shift.available:
            return ""
        links = (link for key in self._chains_on_call(shift) for link in self.snapshot.chains[key].links)
        return next((link.reason for link in links if link.engineer == shift.engineer), "") or "away"

    def _stand_ins(self, shift: OnCallShift) -> tuple[User, ...]:
        return tuple(self.users[person] for person in self._responders(shift))

    def _responders(self, shift: OnCallShift) -> list[Person]:
        """Return the responders of the pipelines whose chain starts with the shift's engineer."""
        responders = (self.snapshot.chains[key].responder for key in self._chains_on_call(shift))
        return list(dict.fromkeys(person for person in responders if person))

    def incident_row(self, incident: Incident, *, at: dt.datetime) -> IncidentRow:
        """Return the row of an open incident, whose escalation steps are prefetched."""
        notified = {step.engineer_id for step in incident.escalation_steps.all() if step.round == incident.round}
        chain = self.snapshot.chains.get(incident.pipeline_id)
        links = chain.links if chain else ()
        following = next((link.engineer for link in links if link.available and link.engineer.id not in notified), None)
        due_at = incident.next_escalation_at
        waits = incident.snoozed_until is not None or not notified
        return IncidentRow(
            incident=incident,
            age=at - incident.opened_at,
            escalates_in=max(due_at - at, dt.timedelta()) if due_at else None,
            escalates_to=self.users.get(following, following) if due_at else None,
            is_exhausted=incident.state == Incident.State.OPEN and due_at is None and not waits,
        )
