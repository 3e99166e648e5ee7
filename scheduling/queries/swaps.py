"""Reads about swap requests: their recipients, whether they are still possible, and what they change."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from people.domain.person import Person
from people.models import User
from people.queries import active_user_keys
from scheduling.domain.swaps import invalid_reason
from scheduling.domain.weeks import Move, roster_engineers
from scheduling.loaders import roster_versions
from scheduling.models import HolidayBlock, RosterMember, Rotation, RotationWeek, SwapQuerySet, SwapRequest
from scheduling.models.changes import ANYONE

SWAP_PEOPLE = ("requester", "counterpart", "third")


def all_swaps() -> SwapQuerySet:
    """Return all requests with their people, newest first."""
    rows = SwapRequest.objects.select_related("rotation", *SWAP_PEOPLE, "requested_by", "decided_by")
    return rows.order_by("-created_at", "-pk")


@dataclass(frozen=True, slots=True)
class GroupedSwaps:
    """All requests as a reader's Swaps page groups them: to answer, sent by them, other open ones, and closed ones, read on use."""

    to_answer: list[SwapRequest]
    sent: list[SwapRequest]
    others: list[SwapRequest]
    closed: SwapQuerySet


def grouped_swaps(person: User, *, at: dt.datetime, limit: int = 100) -> GroupedSwaps:
    """Return the requests as a reader sees them, at most `limit` of each group.

    A request past its expiry counts as closed even before it is swept.
    """
    is_open = Q(state=SwapRequest.State.PENDING, expires_at__gt=at)
    pending = list(all_swaps().filter(is_open))
    received = [swap for swap in pending if swap.awaits_answer_from(person)]
    sent = [swap for swap in pending if swap.requester_id == person.pk]
    others = [swap for swap in pending if swap not in received and swap not in sent]
    return GroupedSwaps(received[:limit], sent[:limit], others[:limit], all_swaps().exclude(is_open)[:limit])


def addressed_swaps(person: Any, *, at: Any) -> SwapQuerySet:
    """Return the open requests to a person by name, or to anyone in a rotation that has them on a roster.

    Some of them need no answer. The values may be parameters of a prepared statement.
    """
    is_recipient = Q(counterpart=person) | Q(third=person)
    own_rotations = RosterMember.objects.filter(engineer=person).values("roster__rotation")
    to_anyone = Q(counterpart=None, rotation__in=own_rotations)
    return SwapRequest.objects.pending().filter(is_recipient | to_anyone, expires_at__gt=at).order_by()


def swaps_to_answer(person: User, *, at: dt.datetime) -> list[SwapRequest]:
    """Return the open requests that await a person's answer: as a named recipient, or to anyone on their roster."""
    # Usually there are none, and then the people of all requests need not be joined.
    keys = list(addressed_swaps(person, at=at).values_list("pk", flat=True))
    waiting = [swap for swap in all_swaps().filter(pk__in=keys) if swap.awaits_answer_from(person)] if keys else []
    to_anyone_rotations = {swap.rotation for swap in waiting if swap.counterpart_id is None}
    rosters = roster_versions(to_anyone_rotations) if to_anyone_rotations else {}
    return [
        swap
        for swap in waiting
        if swap.counterpart_id
        or person.person in roster_engineers(rosters.get(swap.rotation_id, []), week=swap.offered_week)
    ]


def recipients(swap: SwapRequest) -> list[User]:
    """Return the recipients of a request: those it names, or for anyone the other engineers of the week's roster."""
    if swap.counterpart:
        return swap.recipients
    return list(User.objects.filter(pk__in=others_on_roster(swap)).order_by("pk"))


def others_on_roster(swap: SwapRequest) -> set[int]:
    """Return the active engineers, except the requester, on the roster of the offered week."""
    versions = roster_versions([swap.rotation]).get(swap.rotation_id, [])
    engineers = {person.id for person in roster_engineers(versions, week=swap.offered_week)}
    return active_user_keys(engineers - {swap.requester_id})


def weeks_by_date(rotation: Rotation, *, dates: Iterable[dt.date]) -> dict[dt.date, RotationWeek]:
    """Return the stored weeks of a rotation that start on these dates, with their engineers."""
    rows = rotation.weeks.filter(starts_on__in=list(dates)).select_related("engineer", "planned_engineer")
    return {row.starts_on: row for row in rows}


def conflicts_in(week: RotationWeek, *, engineer: Person) -> list[HolidayBlock]:
    """Return an engineer's absences that overlap a week."""
    window = {"starts_at": week.starts_at, "ends_at": week.ends_at}
    return list(HolidayBlock.objects.filter(engineer=engineer.id).overlapping(**window))


def invalidated_requests(rotation: Rotation, *, at: dt.datetime) -> list[tuple[SwapRequest, str]]:
    """Return the open requests of a rotation that are no longer possible, with the reason."""
    pending = list(rotation.swaps.pending().select_related(*SWAP_PEOPLE))
    weeks = weeks_by_date(rotation, dates={week for swap in pending for week in swap.weeks})
    invalid = []
    for swap in pending:
        reason = invalid_week_reason(swap.moves(), weeks=weeks, people=swap.people, at=at)
        if reason:
            invalid.append((swap, reason))
    return invalid


def invalid_week_reason(
    moves: Sequence[Move], *, weeks: Mapping[dt.date, RotationWeek], people: Iterable[User], at: dt.datetime
) -> str:
    """Return why these moves of stored weeks are not possible, or "" if they are."""
    return invalid_reason(
        moves,
        engineers={day: week.engineer.person for day, week in weeks.items()},
        inactive=[person.person for person in people if not person.is_active],
        started={day for day, week in weeks.items() if week.starts_at <= at},
    )


@dataclass(frozen=True, slots=True)
class ReassignmentPreview:
    """A week that a swap moves, its giver and taker, and the taker's absences in it."""

    week: RotationWeek
    giver: Person
    taker: Person | None
    conflicts: list[HolidayBlock]


def reassignment_previews(swap: SwapRequest, *, reader: User) -> list[ReassignmentPreview]:
    """Return the weeks that a request moves or moved; a request to anyone is shown as if the reader took it."""
    reader_may_take = swap.counterpart_id is None and swap.awaits_answer_from(reader)
    moves = swap.moves(taker=reader.person) if reader_may_take else swap.moves()
    weeks = weeks_by_date(swap.rotation, dates=swap.weeks)
    return [
        ReassignmentPreview(
            week=weeks[move.week],
            giver=move.giver,
            taker=None if move.taker == ANYONE else move.taker,
            conflicts=[] if move.taker == ANYONE else conflicts_in(weeks[move.week], engineer=move.taker),
        )
        for move in moves
        if move.week in weeks
    ]


def weeks_to_swap(rotation: Rotation, *, at: dt.datetime) -> list[RotationWeek]:
    """Return the stored weeks of a rotation that have not started, with their engineers."""
    return list(rotation.weeks.filter(starts_at__gt=at).select_related("engineer").order_by("starts_on"))
