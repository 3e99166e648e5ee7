"""The parts of Now that are the same for all readers, cached until a fact or the time changes them (docs/adr/0046)."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from sys import getsizeof

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from common.version_cache import ValidityPeriod, VersionCache
from handoffs.models import Handoff
from handoffs.queries.handoffs import next_handoffs, next_overdue, overdue_handoffs
from incidents.models import Incident
from incidents.queries.drills import current_drills, next_drill_end
from incidents.queries.incidents import active_maintenance, next_maintenance_change, open_by_urgency
from incidents.queries.statuses import statuses
from oncall_site.presenters import ChainLink, IncidentRow, OnCallRow, PipelineRow, SnapshotPresenter, links_to_responder
from people.domain.person import Person
from people.models import User
from pipelines.models import Pipeline
from pipelines.queries import OwnershipOrder, ownership_order
from readiness.queries.readiness import readiness_by_pipeline
from scheduling.domain.responder_chain import ROLE_LABELS
from scheduling.loaders import PERSON_COLUMNS
from scheduling.models import Cover, Rotation
from scheduling.queries.on_call import (
    chains_to_responder,
    next_on_call_change,
    on_call_snapshot,
    possibly_uncovered,
    responder_chains,
)
from scheduling.queries.weeks import pipeline_rotations

MINUTE, HOUR = dt.timedelta(minutes=1), dt.timedelta(hours=1)
ALL_TIME = ValidityPeriod(dt.datetime.min.replace(tzinfo=dt.UTC), dt.datetime.max.replace(tzinfo=dt.UTC))
MAX_HANDOFFS = 10
MAX_MAINTENANCE = 10
MAX_INCIDENTS = 8
MAX_DRILLS = 5
SHOWN_FIELDS = ("slug", "name", "audience", "position", "primary_owner", "secondary_owner")
# Approximate memory of a pipeline with its chain, a rotation with its people, a hand-off, the rest of an alert, and the place of
# a pipeline in the order.
PIPELINE_BYTES, ROTATION_BYTES, HANDOFF_BYTES, TEXT_BYTES, ORDERED_BYTES = 2_500, 6_000, 5_000, 1_000, 150


@dataclass(frozen=True, slots=True)
class NowAlerts:
    """What is wrong on the site, as HTML, with the number of alerts and of active rotations. Valid before `until`.

    `overdue` are the hand-offs that are not signed. They are not in the text: a reader can sign their own in another place.
    """

    text: SafeString
    count: int
    overdue: tuple[Handoff, ...]
    rotations: int
    until: dt.datetime


@dataclass(frozen=True, slots=True)
class ListedPipeline:
    """A pipeline with its owners, its rotation's key and name, and its escalation chain to the responder.

    Valid before `until`; the chain changes at `chain_until`.
    """

    pipeline: Pipeline
    owners: tuple[Person, Person]
    rotation: tuple[int, str] | None
    links: tuple[ChainLink, ...]
    responder: Person | None
    acting_owner: Person | None
    chain_until: dt.datetime | None
    until: dt.datetime


@dataclass(frozen=True, slots=True)
class RotationNow:
    """Who is on call in a rotation, and its next hand-off. Valid before `until`."""

    on_call: OnCallRow
    next_handoff: Handoff | None
    until: dt.datetime


@dataclass(frozen=True, slots=True)
class ListedRows:
    """Rows of pipelines, and the key and name of their rotations, by primary key of the pipeline. Valid before `until`."""

    rows: dict[int, PipelineRow]
    rotations: dict[int, tuple[int, str] | None]
    until: dt.datetime


ALERTS: VersionCache[NowAlerts] = VersionCache(
    max_bytes=2 * 1024 * 1024,
    size=lambda alerts: getsizeof(alerts.text) + len(alerts.overdue) * HANDOFF_BYTES + TEXT_BYTES,
)
PIPELINES: VersionCache[ListedPipeline] = VersionCache(max_bytes=12 * 1024 * 1024, size=lambda _: PIPELINE_BYTES)
# Sorting thousands of pipelines for each reader takes the database longer than all else on Now. The only value is of at most an
# eighth of this size: 40,000 pipelines.
ORDER: VersionCache[OwnershipOrder] = VersionCache(
    max_bytes=48 * 1024 * 1024, size=lambda order: len(order.keys) * ORDERED_BYTES
)
ROTATIONS: VersionCache[RotationNow] = VersionCache(max_bytes=4 * 1024 * 1024, size=lambda _: ROTATION_BYTES)


def now_alerts(*, version: str, at: dt.datetime) -> NowAlerts:
    """Return what is wrong on the site, with times in the current zone; durations are those at the start of the minute."""
    zone = str(timezone.get_current_timezone())
    alerts = ALERTS.find(zone, version=version, at=at)
    if alerts is None:
        alerts = _now_alerts(at=at)
        ALERTS.store(zone, alerts, version=version, period=ValidityPeriod(at, alerts.until))
    return alerts


def _now_alerts(*, at: dt.datetime) -> NowAlerts:
    """Return what is wrong on the site, valid at most until the next minute."""
    minute = at.replace(second=0, microsecond=0)
    incidents = list(open_by_urgency().prefetch_related("escalation_steps")[: MAX_INCIDENTS + 1])
    count = len(incidents) if len(incidents) <= MAX_INCIDENTS else open_by_urgency().count()
    incidents = incidents[:MAX_INCIDENTS]
    candidates = possibly_uncovered(at=at)
    uncovered = {row.pk: row for row in candidates.pipelines}
    # The page says who is notified next of an incident, and until when a pipeline is uncovered.
    snapshot = on_call_snapshot((uncovered | {row.pipeline_id: row.pipeline for row in incidents}).values(), at=at)
    presenter = SnapshotPresenter(snapshot, (), at=at, whole_chains={row.pipeline_id for row in incidents})
    no_responder = [
        (row, snapshot.chains[key].until) for key, row in uncovered.items() if snapshot.chains[key].responder is None
    ]
    text = render_to_string(
        "oncall_site/_now_alerts.html",
        {
            "incidents": [_incident_row(presenter, row, at=at, minute=minute) for row in incidents],
            "incident_count": count,
            "uncovered": no_responder,
            "maintenance": active_maintenance(at=at)[:MAX_MAINTENANCE],
            "drills": current_drills(at=at)[:MAX_DRILLS],
        },
    )
    window = {"at": at, "until": minute + MINUTE}
    changes = [instant for row in incidents for instant in (row.next_escalation_at, row.snoozed_until)]
    until = min(
        next_on_call_change(candidates.rotations, **window),
        snapshot.until,
        *(instant for instant in changes if instant is not None and instant > at),
        *(ends(**window) for ends in (next_maintenance_change, next_drill_end, next_overdue)),
    )
    return NowAlerts(
        text=text,
        count=count + len(no_responder),
        # One more than is shown, in case one is the reader's own.
        overdue=tuple(overdue_handoffs(at=at)[: MAX_HANDOFFS + 1]),
        rotations=Rotation.objects.active().count(),
        until=until,
    )


def _incident_row(
    presenter: SnapshotPresenter, incident: Incident, *, at: dt.datetime, minute: dt.datetime
) -> IncidentRow:
    """Return an incident with durations as of the start of the minute; an escalation ahead is at least a minute away."""
    row = presenter.incident_row(incident, at=at)
    return replace(
        row,
        age=max(minute - incident.opened_at, dt.timedelta()),
        escalates_in=row.escalates_in and max(row.escalates_in + (at - minute), MINUTE),
    )


def pipeline_order(*, version: str, at: dt.datetime) -> OwnershipOrder:
    """Return the order of all pipelines; only facts change it, not the time."""
    order = ORDER.find("", version=version, at=at)
    if order is None:
        order = ownership_order()
        ORDER.store("", order, version=version, period=ALL_TIME)
    return order


def listed_rows(keys: Collection[int], *, version: str, at: dt.datetime) -> ListedRows:
    """Return pipelines with their responders.

    Their status and readiness are never cached, because checks run all day.
    """
    listed = _listed_pipelines(keys, version=version, at=at)
    pipelines = [one.pipeline for one in listed.values()]
    status, readiness = statuses(pipelines), readiness_by_pipeline(pipelines, at=at)
    rows = {
        key: PipelineRow(
            pipeline=one.pipeline,
            status=status[key],
            readiness=readiness[key],
            links=one.links,
            responder=one.responder,
            acting_owner=one.acting_owner,
            until=one.chain_until,
            owners=one.owners,
        )
        for key, one in listed.items()
    }
    ends = [*(one.until for one in listed.values()), *(one.until for one in readiness.values() if one.until)]
    return ListedRows(rows, {key: one.rotation for key, one in listed.items()}, min(ends, default=at + HOUR))


def _listed_pipelines(keys: Collection[int], *, version: str, at: dt.datetime) -> dict[int, ListedPipeline]:
    listed = {key: one for key in keys if (one := PIPELINES.find(key, version=version, at=at)) is not None}
    missing = [key for key in keys if key not in listed]
    if missing:
        pipelines = Pipeline.objects.only(*SHOWN_FIELDS).in_bulk(missing)
        rotations = pipeline_rotations(missing)
        by_pipeline = {key: rotation for key, (rotation, _) in rotations.items()}
        chains = chains_to_responder(pipelines.values(), rotations=by_pipeline, at=at)
        people = _people({key for row in pipelines.values() for key in (row.primary_owner_id, row.secondary_owner_id)})
        until = next_on_call_change(set(by_pipeline.values()), at=at, until=at + HOUR)
        for key, row in pipelines.items():
            chain = chains[key]
            listed[key] = ListedPipeline(
                pipeline=row,
                owners=(people[row.primary_owner_id], people[row.secondary_owner_id]),
                rotation=rotations.get(key),
                links=tuple(
                    ChainLink(link.engineer, ROLE_LABELS[link.role], link.available, link.reason)
                    for link in links_to_responder(chain)
                ),
                responder=chain.responder,
                acting_owner=chain.acting_owner,
                chain_until=chain.until,
                until=min(until, chain.until or until),
            )
            PIPELINES.store(key, listed[key], version=version, period=ValidityPeriod(at, listed[key].until))
    return listed


def _people(keys: Iterable[int]) -> Mapping[int, Person]:
    rows = User.objects.filter(pk__in=list(keys)).order_by().values_list(*PERSON_COLUMNS)
    return {row[0]: Person(*row) for row in rows}


def rotations_now(keys: Iterable[int], *, version: str, at: dt.datetime) -> list[RotationNow]:
    """Return who is on call in these rotations, with the next hand-offs, in the same order."""
    shown = {key: ROTATIONS.find(key, version=version, at=at) for key in keys}
    missing = [key for key, row in shown.items() if row is None]
    if missing:
        for row in _rotations_now(list(Rotation.objects.filter(pk__in=missing)), at=at):
            key = row.on_call.shift.rotation.pk
            shown[key] = row
            ROTATIONS.store(key, row, version=version, period=ValidityPeriod(at, row.until))
    return [row for row in shown.values() if row is not None]


def _rotations_now(rotations: list[Rotation], *, at: dt.datetime) -> list[RotationNow]:
    """Return who is on call in rotations, with the next hand-offs."""
    snapshot = on_call_snapshot((), rotations=rotations, at=at)
    absent = [shift.rotation for shift in snapshot.shifts if shift.engineer is not None and not shift.available]
    if absent:
        # Find out who responds for their pipelines instead.
        pipelines = Pipeline.objects.filter(in_rotation__rotation__in=absent)
        chains = responder_chains(pipelines, at=at)
        ends = [chain.until for chain in chains.values() if chain.until is not None]
        snapshot = replace(snapshot, chains=chains, until=min([snapshot.until, *ends]))
    covers = Cover.objects.filter(rotation__in=rotations, starts_at__lte=at, ends_at__gt=at)
    presenter = SnapshotPresenter(
        snapshot, (), at=at, covers=covers.select_related("covered_engineer"), whole_chains=()
    )
    handoffs = {row.rotation_id: row for row in next_handoffs(at=at, rotations=rotations)}
    until = min([snapshot.until, *(row.at for row in handoffs.values())])
    return [RotationNow(row, handoffs.get(row.shift.rotation.pk), until) for row in presenter.on_call_rows()]
