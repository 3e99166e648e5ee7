"""Asking for a swap, answering it, taking it back (product.md §5)."""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction

from people.models import User
from people.refusals import Forbidden, Invalid, Refused
from scheduling.commands.exchange import exchange
from scheduling.commands.locks import lock_people, lock_rotation
from scheduling.engine.clock import day_in_words
from scheduling.models import HolidayBlock, Rotation, RotationWeek, SwapRequest
from scheduling.notices import tell_swap_asked, tell_swap_decided
from scheduling.queries.swaps import conflicts_in, lost_ground, others_on_roster, waits_for, weeks_of_dates

OPEN_FOR = dt.timedelta(days=14)
OPEN_A_PERSON = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks for: a week of theirs to be taken, perhaps for a named week, perhaps round three.

    `wanted_week` None asks for nothing in return; `counterpart` None asks anyone. Round three, `third_week` of `third` comes to
    the requester, and the wanted week goes to the third.
    """

    offered_week: dt.date
    wanted_week: dt.date | None = None
    counterpart: User | None = None
    third_week: dt.date | None = None
    third: User | None = None
    message: str = ""
    acknowledge_conflicts: bool = False


@transaction.atomic
def request_swap(rotation: Rotation, *, asked: Asked, by: User, at: dt.datetime) -> SwapRequest:
    """Ask for a swap of a week one holds; an admin asks on behalf of whoever holds it.

    Raises Invalid by field; Forbidden for another's week; Refused where a week has begun or is not who is asked's, where it is
    asked already, and for an own holiday in the week asked for that is not acknowledged.
    """
    lock_rotation(rotation)
    weeks = weeks_of_dates(
        rotation, dates={week for week in (asked.offered_week, asked.wanted_week, asked.third_week) if week}
    )
    _check_fields(rotation, asked=asked, weeks=weeks)
    requester = weeks[asked.offered_week].engineer
    if requester.pk != by.pk and not by.is_staff:
        raise Forbidden(
            f"The week of {day_in_words(asked.offered_week)} is {requester}’s: only they or an admin offer it."
        )
    swap = SwapRequest(
        rotation=rotation,
        offered_week=asked.offered_week,
        wanted_week=asked.wanted_week,
        third_week=asked.third_week,
        requester=requester,
        counterpart=weeks[asked.wanted_week].engineer if asked.wanted_week else asked.counterpart,
        third=weeks[asked.third_week].engineer if asked.third_week else None,
        message=asked.message,
        acknowledged=asked.acknowledge_conflicts,
        asked_by=by,
        created_at=at,
        expires_at=min([at + OPEN_FOR, *(week.starts_at for week in weeks.values())]),
    )
    _check_request(swap, asked=asked, weeks=weeks, at=at)
    swap.save()
    tell_swap_asked(swap, at=at)
    return swap


def _check_fields(rotation: Rotation, *, asked: Asked, weeks: dict[dt.date, RotationWeek]) -> None:
    problems: dict[str, list[str]] = {}
    given = {"offered_week": asked.offered_week, "wanted_week": asked.wanted_week, "third_week": asked.third_week}
    for field, week in given.items():
        if week is not None and week not in weeks:
            problems[field] = [f"No week of {rotation} that is stored starts on {day_in_words(week)}."]
    if asked.third_week and not asked.wanted_week:
        problems["wanted_week"] = ["Three swap three weeks: name the week of the second."]
    named = [week for week in given.values() if week]
    if len(set(named)) < len(named):
        problems["wanted_week"] = ["A week cannot be swapped for itself."]
    if problems:
        raise Invalid(problems)


def _check_request(swap: SwapRequest, *, asked: Asked, weeks: dict[dt.date, RotationWeek], at: dt.datetime) -> None:
    begun = next((week for week in weeks.values() if week.starts_at <= at), None)
    if begun is not None:
        raise Refused(f"The week of {day_in_words(begun.starts_on)} has already started and cannot be swapped.")
    for field, named, holder in (
        ("counterpart", asked.counterpart, swap.counterpart),
        ("third", asked.third, swap.third),
    ):
        if named is not None and holder is not None and named.pk != holder.pk:
            raise Refused(f"That week is {holder}’s, not {named}’s.")
        if holder is not None and not holder.is_active:
            raise Invalid({field: [f"{holder} is not active."]})
    people = [person.pk for person in (swap.requester, swap.counterpart, swap.third) if person]
    if len(set(people)) < len(people):
        raise Invalid({"counterpart": ["A swap is with somebody else."]})
    same = {"offered_week", "wanted_week", "third_week", "requester", "counterpart", "third"}
    mine = swap.rotation.swaps.pending().filter(requester=swap.requester, expires_at__gt=at)
    if mine.filter(**{name: getattr(swap, name) for name in same}).exists():
        raise Refused("This is asked already and still open.")
    if mine.count() >= OPEN_A_PERSON:
        raise Refused(f"{swap.requester} has {OPEN_A_PERSON} open requests. Withdraw one first.")
    comes_back = asked.third_week or asked.wanted_week
    if comes_back and not swap.acknowledged:
        refuse_conflicts(weeks[comes_back], engineer=swap.requester)


def refuse_conflicts(week: RotationWeek, *, engineer: User) -> None:
    """Raise Refused, with the holidays as `conflicts`, where an engineer is away in a part of a week they would take."""
    blocks = conflicts_in(week, engineer=engineer)
    if blocks:
        raise Refused(
            f"{engineer} is away in the week of {day_in_words(week.starts_on)}: "
            + ", ".join(_in_words(block) for block in blocks)
            + ". Say acknowledge_conflicts to take it all the same.",
            conflicts=[
                {"engineer": engineer.username, "starts_on": str(block.starts_on), "ends_on": str(block.ends_on)}
                for block in blocks
            ],
        )


def _in_words(block: HolidayBlock) -> str:
    return f"{block.get_kind_display().lower()} {day_in_words(block.starts_on)} to {day_in_words(block.ends_on)}"


@transaction.atomic
def accept_swap(
    swap: SwapRequest, *, by: User, at: dt.datetime, engineer: User | None = None, acknowledge_conflicts: bool = False
) -> SwapRequest:
    """Accept a request as who is asked, or, an admin, on behalf of `engineer`; the weeks change hands in the same transaction.

    Every other open request that loses its ground by it becomes void. Of three, the last to agree makes the exchange.
    Returns the request as it is then. Raises Forbidden for who is not asked; Refused, with the reason, where it is no longer
    open or has lost its ground, and for a holiday in a week to be taken that nobody acknowledged.
    """
    lock_rotation(swap.rotation)
    row = _open(swap, at=at)
    taker = _answering(row, by=by, engineer=engineer)
    people = lock_people([person for person in (row.requester, row.counterpart, row.third, taker) if person])
    for person in people.values():
        if not person.is_active:
            raise Refused(f"{person} is no longer active.")
    moves = row.moves(taker=taker.pk)
    weeks = weeks_of_dates(row.rotation, dates=row.weeks)
    reason = lost_ground(moves, weeks=weeks, at=at)
    if reason:
        raise Refused(reason)
    for move in moves:
        known = acknowledge_conflicts if move.taker == taker.pk else row.acknowledged or move.taker in row.agreed
        if not known:
            refuse_conflicts(weeks[move.week], engineer=people[move.taker])
    agreed = {*row.agreed, taker.pk}
    if row.third_id and {row.counterpart_id, row.third_id} - agreed:
        row.agreed = sorted(agreed)
        row.save(update_fields=["agreed"])
        return row
    row.counterpart = row.counterpart or taker
    row.agreed = sorted(agreed) if row.third_id else []
    exchange(row, moves=moves, by=by, at=at)
    tell_swap_decided(row, at=at)
    return row


@transaction.atomic
def decline_swap(
    swap: SwapRequest, *, by: User, at: dt.datetime, engineer: User | None = None, word: str = ""
) -> SwapRequest:
    """Decline a request as who is asked, with a word, or, an admin, on behalf of `engineer`; return it as it is then.

    A request to anyone stays open until nobody of the rotation is left to take it. Raises as `accept_swap` does.
    """
    lock_rotation(swap.rotation)
    row = _open(swap, at=at)
    decliner = _answering(row, by=by, engineer=engineer)
    row.declined_by = sorted({*row.declined_by, decliner.pk})
    if row.counterpart_id is None and others_on_roster(row) - set(row.declined_by):
        row.save(update_fields=["declined_by"])
        return row
    row.state, row.reason, row.decided_by, row.decided_at = SwapRequest.State.DECLINED, word, by, at
    row.save(update_fields=["declined_by", "state", "reason", "decided_by", "decided_at"])
    tell_swap_decided(row, at=at)
    return row


@transaction.atomic
def cancel_swap(swap: SwapRequest, *, by: User, at: dt.datetime) -> SwapRequest:
    """Take back a request of one's own, or, an admin, anybody's; raise Forbidden for another's, Refused where it is decided."""
    lock_rotation(swap.rotation)
    if by.pk != swap.requester_id and not by.is_staff:
        raise Forbidden("Only who asked, or an admin, takes a request back.")
    row = _open(swap, at=at)
    row.state, row.decided_by, row.decided_at = SwapRequest.State.CANCELLED, by, at
    row.save(update_fields=["state", "decided_by", "decided_at"])
    tell_swap_decided(row, at=at)
    return row


@transaction.atomic
def expire_swaps(*, at: dt.datetime) -> int:
    """Close the open requests whose time is over: a week of theirs began, or nobody answered for 14 days; return how many."""
    due = (
        SwapRequest.objects.pending()
        .filter(expires_at__lte=at)
        .select_for_update(no_key=True, skip_locked=True, of=("self",))
        .select_related("requester", "counterpart", "third")
        .order_by("pk")
    )
    rows = list(due)
    for row in rows:
        row.state, row.decided_at = SwapRequest.State.EXPIRED, at
        row.reason = "Nobody answered before it was too late."
        row.save(update_fields=["state", "decided_at", "reason"])
        tell_swap_decided(row, at=at)
    return len(rows)


def _open(swap: SwapRequest, *, at: dt.datetime) -> SwapRequest:
    """Return the request as it is under the rotation's lock; raise Refused, with why, where it is no longer open."""
    row = SwapRequest.objects.select_related("rotation", "requester", "counterpart", "third").get(pk=swap.pk)
    if row.state != SwapRequest.State.PENDING:
        because = f" {row.reason}" if row.reason else ""
        raise Refused(
            f"This request is no longer open: it is {row.get_state_display().lower()}.{because}", state=row.state
        )
    if row.expires_at <= at:
        raise Refused("This request has expired.", state=SwapRequest.State.EXPIRED)
    return row


def _answering(row: SwapRequest, *, by: User, engineer: User | None) -> User:
    """Return for whom a request is answered: oneself where asked, or whom an admin names or the request does."""
    if engineer is None and by.is_staff and not waits_for(row, person=by):
        engineer = next((one for one in (row.counterpart, row.third) if one and one.pk not in row.agreed), None)
        if engineer is None:
            raise Invalid({"engineer": ["This request asks anyone: say for whom you answer it."]})
    person = engineer or by
    if person.pk != by.pk and not by.is_staff:
        raise Forbidden("Only an admin answers for somebody else.")
    if person.pk == row.requester_id:
        raise Forbidden("A request is answered by somebody else than who made it.")
    if not waits_for(row, person=person):
        if person.pk in (*row.agreed, *row.declined_by):
            raise Refused(f"{person} has answered this already.")
        raise Forbidden(f"{person} is not asked.")
    return person
