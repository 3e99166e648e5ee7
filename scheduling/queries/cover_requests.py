"""Reads about cover requests: their recipients, the time that is still open, and whether they are still possible."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch, Q

from common.formatting import format_period
from people.models import User
from people.queries import active_user_keys
from pipelines.queries import Change, merge_histories, related_history, row_history, tracked_events
from scheduling.domain.responder_chain import Period, assignments, intersect
from scheduling.domain.weeks import roster_engineers
from scheduling.loaders import roster_versions
from scheduling.models import (
    Cover,
    CoverRequest,
    HolidayBlock,
    RequestQuerySet,
    RosterMember,
    Rotation,
    RotationWeek,
)

ROWS_SHOWN = 100


def all_cover_requests() -> RequestQuerySet:
    """Return all requests with their people and the covers that were accepted, newest first."""
    covers = Prefetch("covers", Cover.objects.select_related("engineer").order_by("starts_at", "pk"))
    rows = CoverRequest.objects.select_related("rotation", "requester", "counterpart", "requested_by", "decided_by")
    return rows.prefetch_related(covers).order_by("-created_at", "-pk")


def cover_request_history(row: CoverRequest, *, fields: Sequence[str], zone: dt.tzinfo) -> list[Change]:
    """Return the changes of a request and of the covers that accepted it or a part of it, newest first."""
    events = tracked_events(Cover).filter(request_id=row.pk)
    engineers = User.objects.in_bulk(events.values_list("engineer_id", flat=True))

    def describe(event: Any) -> str:
        return f"{engineers[event.engineer_id]}, {format_period(event.starts_at, event.ends_at, zone)}"

    covers = related_history(events, label="cover", describe=describe)
    return merge_histories(row_history(row, fields=fields), covers)


def open_periods(requests: Iterable[CoverRequest], *, at: dt.datetime) -> dict[int, list[Period]]:
    """Return the time that each request still asks for, by primary key: sorted, without overlaps, none of it over.

    It is the requested time in which the requester is on call. An accepted part is none of it, because there the covering
    engineer is on call. A closed request has none. Runs two statements for any number of requests.
    """
    requests = list(requests)
    periods: dict[int, list[Period]] = {request.pk: [] for request in requests}
    pending = [row for row in requests if row.state == CoverRequest.State.PENDING and row.expires_at > at]
    if not pending:
        return periods
    window = {
        "starts_at": min(max(row.starts_at, at) for row in pending),
        "ends_at": max(row.ends_at for row in pending),
    }
    rotations = {row.rotation_id for row in pending}
    weeks: dict[int, list[RotationWeek]] = {}
    for week in RotationWeek.objects.filter(rotation__in=rotations).overlapping(**window):
        weeks.setdefault(week.rotation_id, []).append(week)
    covers: dict[int, list[Cover]] = {}
    for cover in Cover.objects.filter(rotation__in=rotations).overlapping(**window):
        covers.setdefault(cover.rotation_id, []).append(cover)
    for row in pending:
        begin, end = max(row.starts_at, at), row.ends_at
        for part in assignments(
            weeks.get(row.rotation_id, []), covers.get(row.rotation_id, []), starts_at=begin, ends_at=end
        ):
            on_call = part.cover or part.week if part.week else None
            if on_call is None or on_call.engineer_id != row.requester_id:
                continue
            stretches = periods[row.pk]
            if stretches and stretches[-1][1] == part.starts_at:
                stretches[-1] = (stretches[-1][0], part.ends_at)
            else:
                stretches.append((part.starts_at, part.ends_at))
    return periods


def recipients(request: CoverRequest) -> list[User]:
    """Return whom a request asks: the engineer it names, or the other engineers of the rotation."""
    if request.counterpart:
        return [request.counterpart]
    return list(User.objects.filter(pk__in=others_on_roster(request)).order_by("pk"))


def others_on_roster(request: CoverRequest) -> set[int]:
    """Return the active engineers, except the requester, on the rosters of the shifts in a request."""
    versions = roster_versions([request.rotation]).get(request.rotation_id, [])
    weeks = request.rotation.weeks.overlapping(starts_at=request.starts_at, ends_at=request.ends_at)
    starts = weeks.values_list("starts_on", flat=True)
    engineers = {person.id for starts_on in starts for person in roster_engineers(versions, week=starts_on)}
    return active_user_keys(engineers - {request.requester_id})


def invalidated_cover_requests(rotation: Rotation, *, at: dt.datetime) -> list[tuple[CoverRequest, str]]:
    """Return the open requests of a rotation that are no longer possible, with the reason."""
    pending = list(
        rotation.cover_requests.pending().filter(expires_at__gt=at).select_related("requester", "counterpart")
    )
    periods = open_periods(pending, at=at)
    invalid = []
    for row in pending:
        if row.counterpart and not row.counterpart.is_active:
            invalid.append((row, f"{row.counterpart} is no longer active."))
        elif not periods[row.pk]:
            invalid.append((row, f"{row.requester} is no longer on call then."))
    return invalid


def conflicts_between(engineer: User, *, periods: Sequence[Period]) -> list[HolidayBlock]:
    """Return an engineer's absences that overlap one of these periods."""
    if not periods:
        return []
    rows = HolidayBlock.objects.filter(engineer=engineer)
    absences = rows.overlapping(starts_at=periods[0][0], ends_at=periods[-1][1])
    return [row for row in absences if intersect([(row.starts_at, row.ends_at)], periods)]


@dataclass(frozen=True, slots=True)
class CoverInbox:
    """The cover requests on a reader's page: to answer, their own, other open ones, and closed ones."""

    to_answer: list[CoverRequest]
    sent: list[CoverRequest]
    others: list[CoverRequest]
    past: list[CoverRequest]


def cover_requests_for(person: User, *, at: dt.datetime) -> CoverInbox:
    """Return the requests as a reader sees them, at most ROWS_SHOWN open and as many closed ones.

    A request past its expiry counts as closed even before it is swept.
    """
    is_open = Q(state=CoverRequest.State.PENDING, expires_at__gt=at)
    pending = list(all_cover_requests().filter(is_open)[:ROWS_SHOWN])
    received = [row for row in pending if row.awaits_answer_from(person)]
    sent = [row for row in pending if row.requester_id == person.pk]
    others = [row for row in pending if row not in received and row not in sent]
    return CoverInbox(received, sent, others, list(all_cover_requests().exclude(is_open)[:ROWS_SHOWN]))


def addressed_cover_requests(person: Any, *, at: Any) -> RequestQuerySet:
    """Return the open requests to a person by name, or to anyone in a rotation that has them on a roster.

    Some of them need no answer. The values may be parameters of a prepared statement.
    """
    rosters = RosterMember.objects.filter(engineer=person).values("roster__rotation")
    asks = Q(counterpart=person) | Q(counterpart=None, rotation__in=rosters)
    return CoverRequest.objects.pending().filter(asks, expires_at__gt=at)


def cover_requests_to_answer(person: User, *, at: dt.datetime) -> list[CoverRequest]:
    """Return the open requests that ask a person, by name or as an engineer of the rotation, soonest first."""
    rows = addressed_cover_requests(person, at=at).select_related("rotation", "requester")
    return [row for row in rows.order_by("starts_at", "pk")[:ROWS_SHOWN] if row.awaits_answer_from(person)]
