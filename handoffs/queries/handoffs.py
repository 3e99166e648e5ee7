"""Queries for hand-offs: upcoming, overdue, and absences during their meetings."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery

from common.db import first_end
from handoffs.domain.boundaries import Boundary, boundaries, meeting_before
from handoffs.models import Handoff, HandoffPolicy, HandoffQuerySet
from people.domain.person import Person
from people.models import User
from scheduling.domain.weeks import WEEK, Week
from scheduling.loaders import stored_weeks
from scheduling.models import HolidayBlock, Rotation, RotationWeek

DEFAULT_MEETING_MINUTES = 30
# How long after the hand-off both engineers have to sign before the hand-off counts as overdue (docs/rules.md, Hand-offs).
SIGNING_PERIOD = dt.timedelta(hours=1)
# A large site has hundreds of rotations with half a year of weeks each. Batches limit the memory of a sweep.
ROTATIONS_PER_BATCH = 100
COMPARED_COLUMNS = (
    "rotation", "week", "at", "outgoing", "incoming", "moved", "meeting_starts_at", "meeting_ends_at",
    "signed_outgoing_at", "signed_incoming_at", "closed_at", "cancelled_at",
)  # fmt: skip


def all_handoffs() -> HandoffQuerySet:
    """Return hand-offs that are not cancelled, oldest first."""
    return Handoff.objects.not_cancelled().with_people().order_by("at", "pk")


def next_handoffs(*, at: dt.datetime, rotations: Iterable[Rotation] | None = None) -> list[Handoff]:
    """Return the next hand-off of each rotation, optionally only of the given rotations."""
    upcoming = Handoff.objects.not_cancelled().filter(at__gt=at, rotation=OuterRef("pk")).order_by("at")
    return list(_first_per_rotation(upcoming, rotations=rotations))


def overdue_handoffs(*, at: dt.datetime) -> list[Handoff]:
    """Return each rotation's last hand-off if it was due at least an hour ago and lacks a signature."""
    past = Handoff.objects.not_cancelled().filter(at__lte=at - SIGNING_PERIOD, rotation=OuterRef("pk")).order_by("-at")
    return list(_first_per_rotation(past).unsigned())


def next_overdue(*, at: dt.datetime, until: dt.datetime) -> dt.datetime:
    """Return the first instant after `at` at which a hand-off may become overdue, at most `until`."""
    return first_end(Handoff.objects.all(), "at", after=SIGNING_PERIOD, at=at, until=until)


def handoffs_to_sign(person: Any, *, at: Any) -> HandoffQuerySet:
    """Return the hand-offs of the last week that a person has not signed although their meetings have started.

    The values may be parameters of a prepared statement.
    """
    not_signed = Q(outgoing=person, signed_outgoing_at=None) | Q(incoming=person, signed_incoming_at=None)
    started = Q(meeting_starts_at__lte=at) | Q(at__lte=at)
    return Handoff.objects.not_cancelled().filter(not_signed, started, closed_at=None, at__gt=at - WEEK)


def handoff_to_sign(person: User, *, at: dt.datetime) -> Handoff | None:
    """Return the oldest hand-off of the last week that a person has not signed although its meeting has started, or None."""
    return handoffs_to_sign(person, at=at).with_people().defer("frozen").order_by("at", "pk").first()


def _first_per_rotation(rows: HandoffQuerySet, *, rotations: Iterable[Rotation] | None = None) -> HandoffQuerySet:
    """Return the first of `rows` for each rotation. One index look-up per rotation keeps it fast on a long history."""
    chosen = (
        Rotation.objects.all() if rotations is None else Rotation.objects.filter(pk__in=[one.pk for one in rotations])
    )
    first = chosen.order_by().annotate(first=Subquery(rows.values("pk")[:1])).values("first")
    # Sheets are large, and no list shows them.
    return Handoff.objects.filter(pk__in=first).with_people().defer("frozen").order_by("rotation_id")


@dataclass(frozen=True, slots=True)
class AttendeeAbsence:
    """An engineer who is away during a hand-off meeting, with the absence."""

    handoff: Handoff
    block: HolidayBlock


def away_at(handoffs: Iterable[Handoff]) -> list[AttendeeAbsence]:
    """Return the absences during the meetings of these hand-offs, in one query."""
    rows = list(handoffs)
    if not rows:
        return []
    people = {key for row in rows for key in (row.outgoing_id, row.incoming_id)}
    starts_at = min(row.meeting_starts_at for row in rows)
    ends_at = max(row.meeting_ends_at for row in rows)
    blocks = HolidayBlock.objects.filter(engineer__in=people).overlapping(starts_at=starts_at, ends_at=ends_at)
    absences: dict[int, list[HolidayBlock]] = defaultdict(list)
    for block in blocks.select_related("engineer"):
        absences[block.engineer_id].append(block)
    return [
        AttendeeAbsence(row, block)
        for row in rows
        for engineer in dict.fromkeys((row.outgoing_id, row.incoming_id))
        for block in absences.get(engineer, ())
        if block.starts_at < row.meeting_ends_at and block.ends_at > row.meeting_starts_at
    ]


def with_unreported_absences(*, at: dt.datetime) -> list[Handoff]:
    """Return the upcoming hand-offs whose absent engineers have changed since the last report. Takes three queries at most.

    Most hand-offs of a large site need no report, so only a few columns of each are read first.
    """
    upcoming = Handoff.objects.not_cancelled().filter(meeting_ends_at__gt=at)
    meetings = list(
        upcoming.values_list("pk", "outgoing", "incoming", "meeting_starts_at", "meeting_ends_at", "absence_notified")
    )
    if not meetings:
        return []
    first, last = min(row[3] for row in meetings), max(row[4] for row in meetings)
    blocks = HolidayBlock.objects.overlapping(starts_at=first, ends_at=last).order_by()
    absences: dict[int, list[tuple[dt.datetime, dt.datetime]]] = defaultdict(list)
    for engineer, starts_at, ends_at in blocks.values_list("engineer", "starts_at", "ends_at"):
        absences[engineer].append((starts_at, ends_at))

    def absent(engineer: int, starts_at: dt.datetime, ends_at: dt.datetime) -> bool:
        return any(start < ends_at and end > starts_at for start, end in absences.get(engineer, ()))

    keys = [
        pk
        for pk, outgoing, incoming, starts_at, ends_at, reported in meetings
        if sorted(engineer for engineer in {outgoing, incoming} if absent(engineer, starts_at, ends_at)) != reported
    ]
    return list(Handoff.objects.filter(pk__in=keys).with_people().order_by("at")) if keys else []


@dataclass(frozen=True, slots=True)
class HandoffChange:
    """A required change to stored hand-offs. `handoff` is None for a new one; `boundary` is None for one to cancel."""

    handoff: Handoff | None
    boundary: Boundary | None
    meeting: tuple[dt.datetime, dt.datetime]


def changes_due(rotation: Rotation, *, at: dt.datetime) -> list[HandoffChange]:
    """Return the changes that bring a rotation's upcoming hand-offs in line with its stored weeks. Past ones never change."""
    weeks = stored_weeks(_recent_weeks(at=at).filter(rotation=rotation))
    return _changes(weeks, _recent_handoffs(at=at).filter(rotation=rotation), minutes=meeting_minutes(rotation), at=at)


def rotations_to_sync(*, at: dt.datetime) -> list[Rotation]:
    """Return the rotations with changes due, with two queries per batch and two more."""
    rotations = list(Rotation.objects.order_by("pk"))
    minutes = dict(HandoffPolicy.objects.order_by().values_list("rotation", "minutes_max"))
    due = []
    for first in range(0, len(rotations), ROTATIONS_PER_BATCH):
        chosen = rotations[first : first + ROTATIONS_PER_BATCH]
        weeks: dict[int, list[Week]] = defaultdict(list)
        rows = _recent_weeks(at=at).filter(rotation__in=chosen)
        for key, starts_on, starts_at, ends_at, engineer in rows.values_list(
            "rotation", "starts_on", "starts_at", "ends_at", "engineer"
        ):
            # Only their primary keys are compared.
            person = Person(engineer, "", "")
            weeks[key].append(Week(starts_on, starts_at, ends_at, person, person))
        stored: dict[int, list[Handoff]] = defaultdict(list)
        for row in _recent_handoffs(at=at).filter(rotation__in=chosen).only(*COMPARED_COLUMNS):
            stored[row.rotation_id].append(row)
        due += [
            one
            for one in chosen
            if _changes(weeks[one.pk], stored[one.pk], minutes=minutes.get(one.pk, DEFAULT_MEETING_MINUTES), at=at)
        ]
    return due


def _recent_weeks(*, at: dt.datetime) -> QuerySet[RotationWeek]:
    return RotationWeek.objects.filter(ends_at__gt=at - WEEK).order_by("starts_at")


def _recent_handoffs(*, at: dt.datetime) -> HandoffQuerySet:
    return Handoff.objects.filter(at__gt=at - 3 * WEEK).order_by()


def _changes(
    weeks: Iterable[Week], handoffs: Iterable[Handoff], *, minutes: int, at: dt.datetime
) -> list[HandoffChange]:
    wanted = boundaries(weeks)
    stored = {row.week: row for row in handoffs}
    due = []
    for week, boundary in wanted.items():
        row, meeting = stored.get(week), meeting_before(boundary.at, minutes=minutes)
        if row is None:
            due += [HandoffChange(None, boundary, meeting)] if boundary.at > at else []
        elif row.at > at and not _agrees(row, boundary, meeting=meeting):
            due.append(HandoffChange(row, boundary, meeting))
    removed = (row for week, row in stored.items() if row.at > at and week not in wanted and row.cancelled_at is None)
    return due + [HandoffChange(row, None, (row.meeting_starts_at, row.meeting_ends_at)) for row in removed]


def _agrees(row: Handoff, boundary: Boundary, *, meeting: tuple[dt.datetime, dt.datetime]) -> bool:
    usual = row.moved or row.is_locked or (row.meeting_starts_at, row.meeting_ends_at) == meeting
    return row.cancelled_at is None and usual and same_handoff(row, boundary)


def same_handoff(row: Handoff, boundary: Boundary) -> bool:
    """Return True if the stored hand-off has the boundary's time and engineers."""
    return (row.at, row.outgoing_id, row.incoming_id) == (boundary.at, boundary.outgoing.id, boundary.incoming.id)


def meeting_minutes(rotation: Rotation) -> int:
    """Return the length of a rotation's meeting in minutes: the maximum in its policy."""
    policy = HandoffPolicy.objects.filter(rotation=rotation).first()
    return policy.minutes_max if policy else DEFAULT_MEETING_MINUTES


def away_by_handoff(handoffs: list[Handoff]) -> list[list[AttendeeAbsence]]:
    """Return the absences during each hand-off's meeting, in the order given."""
    absences: dict[int, list[AttendeeAbsence]] = defaultdict(list)
    for one in away_at(handoffs):
        absences[one.handoff.pk].append(one)
    return [absences[row.pk] for row in handoffs]
