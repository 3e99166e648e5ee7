"""Reads about swap requests: which still stand on their ground, whom they concern, what they would do."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q

from people.models import User
from scheduling.domain.wall_time import format_day
from scheduling.domain.weeks import Move
from scheduling.loaders import roster_versions
from scheduling.models import HolidayBlock, Rotation, RotationWeek, SwapQuerySet, SwapRequest

PEOPLE = ("rotation", "requester", "counterpart", "third", "requested_by", "decided_by")


def all_swaps() -> SwapQuerySet:
    """Return every request with its people, newest first."""
    return SwapRequest.objects.select_related(*PEOPLE).order_by("-created_at", "-pk")


@dataclass(frozen=True, slots=True)
class SwapInbox:
    """What the Swaps page shows somebody: what waits for them, what they asked, what else is open, what is over."""

    to_answer: list[SwapRequest]
    asked: list[SwapRequest]
    others: list[SwapRequest]
    past: list[SwapRequest]


def swaps_for(person: User, *, at: dt.datetime, limit: int = 100) -> SwapInbox:
    """Return the requests as somebody sees them; a request past its time counts as over, swept or not."""
    is_open = Q(state=SwapRequest.State.PENDING, expires_at__gt=at)
    pending = list(all_swaps().filter(is_open))
    waiting = [swap for swap in pending if awaits_answer_from(swap, person=person)]
    asked = [swap for swap in pending if swap.requester_id == person.pk]
    others = [swap for swap in pending if swap not in waiting and swap not in asked]
    return SwapInbox(waiting, asked, others, list(all_swaps().exclude(is_open)[:limit]))


def swaps_naming(person: User, *, at: dt.datetime) -> list[SwapRequest]:
    """Return the open requests that ask somebody by name and wait for their answer."""
    named = Q(counterpart=person) | Q(third=person)
    rows = all_swaps().filter(named, state=SwapRequest.State.PENDING, expires_at__gt=at)
    return [swap for swap in rows if awaits_answer_from(swap, person=person)]


def awaits_answer_from(swap: SwapRequest, *, person: User) -> bool:
    """Tell whether a request waits for somebody's answer: they are asked and have not answered, or anyone is."""
    if swap.state != SwapRequest.State.PENDING or person.pk in (swap.requester_id, *swap.accepted_by, *swap.declined_by):
        return False
    return swap.counterpart_id is None or person.pk in (swap.counterpart_id, swap.third_id)


def recipients(swap: SwapRequest) -> list[User]:
    """Return whose answer a request asks for: those it names, or, of anyone, the others on the roster of its week."""
    if swap.counterpart:
        return [person for person in (swap.counterpart, swap.third) if person]
    return list(User.objects.filter(pk__in=others_on_roster(swap)).order_by("pk"))


def others_on_roster(swap: SwapRequest) -> set[int]:
    """Return the active engineers, but for who asks, on the roster in force in the week that is offered."""
    versions = roster_versions([swap.rotation]).get(swap.rotation_id, [])
    in_force = [version for version in versions if version.starts_on <= swap.offered_week][-1:]
    names = {engineer for version in in_force for engineer in version.engineers}
    active = User.objects.filter(pk__in=names, is_active=True).values_list("pk", flat=True)
    return set(active) - {swap.requester_id}


def weeks_of_dates(rotation: Rotation, *, dates: Iterable[dt.date]) -> dict[dt.date, RotationWeek]:
    """Return the stored weeks of a rotation that start on these dates, with who holds them, by date."""
    rows = rotation.weeks.filter(starts_on__in=list(dates)).select_related("engineer", "planned_engineer")
    return {row.starts_on: row for row in rows}


def conflicts_in(week: RotationWeek, *, engineer: User) -> list[HolidayBlock]:
    """Return the holidays of an engineer that take away a part of a week."""
    window = {"starts_at": week.starts_at, "ends_at": week.ends_at}
    return list(HolidayBlock.objects.filter(engineer=engineer).overlapping(**window))


def invalidated_requests(rotation: Rotation, *, at: dt.datetime) -> list[tuple[SwapRequest, str]]:
    """Return the open requests of a rotation whose weeks are no longer their givers', or whose people left, with why."""
    pending = list(rotation.swaps.pending().select_related("requester", "counterpart", "third"))
    weeks = weeks_of_dates(rotation, dates={week for swap in pending for week in swap.weeks})
    people = User.objects.in_bulk(
        {key for swap in pending for key in (swap.requester_id, swap.counterpart_id, swap.third_id)}
    )
    found = []
    for swap in pending:
        involved = [people[key] for key in (swap.requester_id, swap.counterpart_id, swap.third_id) if key is not None]
        gone = next((person for person in involved if not person.is_active), None)
        # To anyone, only the offer can lose its ground.
        moves = swap.moves() or (Move(swap.offered_week, swap.requester_id, 0),)
        reason = f"{gone} is no longer active." if gone else invalid_reason(moves, weeks=weeks, at=at)
        if reason:
            found.append((swap, reason))
    return found


def invalid_reason(moves: Iterable[Move], *, weeks: dict[dt.date, RotationWeek], at: dt.datetime) -> str:
    """Return why these moves cannot be made any more, "" where they can: each week must be its giver's and not begun."""
    for move in moves:
        week = weeks.get(move.week)
        if week is None:
            return f"There is no week of {format_day(move.week)} any more."
        if week.engineer_id != move.giver:
            return f"The week of {format_day(move.week)} is now {week.engineer}’s."
        if week.starts_at <= at:
            return f"The week of {format_day(move.week)} has already started."
    return ""


@dataclass(frozen=True, slots=True)
class ReassignmentPreview:
    """A week that would change hands, with people and what stands against it."""

    week: RotationWeek
    giver: User
    taker: User | None
    conflicts: list[HolidayBlock]


def reassignment_previews(swap: SwapRequest, *, reader: User) -> list[ReassignmentPreview]:
    """Return what a request would do, or did, week by week; of a request to anyone, as if its reader took it."""
    asks_reader = swap.counterpart_id is None and awaits_answer_from(swap, person=reader)
    moves = swap.moves(taker=reader.pk if asks_reader else None) or (Move(swap.offered_week, swap.requester_id, 0),)
    weeks = weeks_of_dates(swap.rotation, dates=swap.weeks)
    people = User.objects.in_bulk([key for move in moves for key in (move.giver, move.taker)])
    return [
        ReassignmentPreview(
            week=weeks[move.week],
            giver=people[move.giver],
            taker=people.get(move.taker),
            conflicts=conflicts_in(weeks[move.week], engineer=people[move.taker]) if move.taker in people else [],
        )
        for move in moves
        if move.week in weeks
    ]


def weeks_to_swap(rotation: Rotation, *, at: dt.datetime) -> list[RotationWeek]:
    """Return the stored weeks of a rotation that have not begun, with who holds them."""
    return list(rotation.weeks.filter(starts_at__gt=at).select_related("engineer").order_by("starts_on"))
