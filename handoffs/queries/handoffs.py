"""Reads about hand-offs: which are to come, which lack a signature, who is away at a meeting."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import OuterRef, Subquery

from handoffs.domain.boundaries import Boundary, boundaries, meeting_before
from handoffs.models import Handoff, HandoffPolicy, HandoffQuerySet
from scheduling.domain.weeks import WEEK, Week
from scheduling.loaders import WEEK_COLUMNS
from scheduling.models import HolidayBlock, Rotation

USUAL_MINUTES = 30
# From when on a hand-off that both have not signed is pointed out (product.md §6).
SIGNED_WITHIN = dt.timedelta(hours=1)


def all_handoffs() -> HandoffQuerySet:
    """Return the hand-offs that are not cancelled, oldest first."""
    return Handoff.objects.not_cancelled().with_people().order_by("at", "pk")


def next_handoffs(*, at: dt.datetime, rotations: Iterable[Rotation] | None = None) -> list[Handoff]:
    """Return the next hand-off of each rotation that has one; with `rotations`, only of these."""
    coming = Handoff.objects.not_cancelled().filter(at__gt=at, rotation=OuterRef("pk")).order_by("at")
    return _one_a_rotation(coming, rotations=rotations)


def overdue_handoffs(*, at: dt.datetime) -> list[Handoff]:
    """Return the last hand-off of each rotation where it was due an hour ago or longer and lacks a signature."""
    past = Handoff.objects.not_cancelled().filter(at__lte=at - SIGNED_WITHIN, rotation=OuterRef("pk")).order_by("-at")
    return [row for row in _one_a_rotation(past) if not row.is_signed]


def _one_a_rotation(rows: HandoffQuerySet, *, rotations: Iterable[Rotation] | None = None) -> list[Handoff]:
    """Return the first of `rows` of each rotation: one look-up a rotation in an index, however long the history is."""
    chosen = (
        Rotation.objects.all() if rotations is None else Rotation.objects.filter(pk__in=[one.pk for one in rotations])
    )
    keys = chosen.order_by().annotate(first=Subquery(rows.values("pk")[:1])).values_list("first", flat=True)
    found = Handoff.objects.filter(pk__in=[key for key in keys if key is not None])
    return list(found.with_people().order_by("rotation_id"))


@dataclass(frozen=True, slots=True)
class AttendeeAbsence:
    """Somebody who is away when they are to hand over or take over, and the block that says so."""

    handoff: Handoff
    block: HolidayBlock


def away_at(handoffs: Iterable[Handoff]) -> list[AttendeeAbsence]:
    """Return who is away during the meetings of these hand-offs, in one statement."""
    rows = list(handoffs)
    if not rows:
        return []
    people = {key for row in rows for key in (row.outgoing_id, row.incoming_id)}
    starts_at = min(row.meeting_starts_at for row in rows)
    ends_at = max(row.meeting_ends_at for row in rows)
    blocks = HolidayBlock.objects.filter(engineer__in=people).overlapping(starts_at=starts_at, ends_at=ends_at)
    found = list(blocks.select_related("engineer"))
    return [
        AttendeeAbsence(row, block)
        for row in rows
        for block in found
        if block.engineer_id in (row.outgoing_id, row.incoming_id)
        and block.starts_at < row.meeting_ends_at
        and block.ends_at > row.meeting_starts_at
    ]


@dataclass(frozen=True, slots=True)
class HandoffChange:
    """A change that the weeks ask of the stored hand-offs: `handoff` is None for a new one, `boundary` where it is no more."""

    handoff: Handoff | None
    boundary: Boundary | None
    meeting: tuple[dt.datetime, dt.datetime]


def changes_due(rotation: Rotation, *, at: dt.datetime) -> list[HandoffChange]:
    """Return what has to change for a rotation's coming hand-offs to be those of its stored weeks; the past stays."""
    weeks = rotation.weeks.filter(ends_at__gt=at - WEEK).order_by("starts_at").values_list(*WEEK_COLUMNS)
    wanted = boundaries(Week(*values) for values in weeks)
    stored = {row.week: row for row in rotation.handoffs.filter(at__gt=at - 3 * WEEK)}
    minutes = meeting_minutes(rotation)
    due = []
    for week, boundary in wanted.items():
        row, meeting = stored.get(week), meeting_before(boundary.at, minutes=minutes)
        if row is None:
            due += [HandoffChange(None, boundary, meeting)] if boundary.at > at else []
        elif row.at > at and not _agrees(row, boundary, meeting=meeting):
            due.append(HandoffChange(row, boundary, meeting))
    gone = (row for week, row in stored.items() if row.at > at and week not in wanted and row.cancelled_at is None)
    return due + [HandoffChange(row, None, (row.meeting_starts_at, row.meeting_ends_at)) for row in gone]


def _agrees(row: Handoff, boundary: Boundary, *, meeting: tuple[dt.datetime, dt.datetime]) -> bool:
    usual = row.moved or row.is_signed or (row.meeting_starts_at, row.meeting_ends_at) == meeting
    return row.cancelled_at is None and usual and same_handoff(row, boundary)


def same_handoff(row: Handoff, boundary: Boundary) -> bool:
    """Tell whether a stored hand-off is at that instant, between those two."""
    return (row.at, row.outgoing_id, row.incoming_id) == (boundary.at, boundary.outgoing, boundary.incoming)


def meeting_minutes(rotation: Rotation) -> int:
    """Return the length of a rotation's meeting: the longest that its handbook allows."""
    policy = HandoffPolicy.objects.filter(rotation=rotation).first()
    return policy.minutes_max if policy else USUAL_MINUTES


def away_by_handoff(handoffs: list[Handoff]) -> list[list[AttendeeAbsence]]:
    """Return who is away at the meeting of each of these hand-offs, in their order."""
    found = away_at(handoffs)
    return [[one for one in found if one.handoff.pk == row.pk] for row in handoffs]
