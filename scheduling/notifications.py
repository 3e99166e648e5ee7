"""Notifications about the schedule: shifts, swaps, covers, time off and coverage gaps."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from common.datetimes import format_instant
from notifications.models import Message
from notifications.registry import NotificationType
from notifications.services.outbox import Notification, enqueue
from people.models import User
from scheduling.domain.wall_time import format_day
from scheduling.models import Cover, CoverageGap, HolidayBlock, Rotation, RotationWeek, SwapRequest
from scheduling.queries.on_call import on_call_shifts, responder_chains
from scheduling.queries.swaps import awaits_answer_from, recipients

# A change to an engineer's weeks stays worth sending for this long.
NEWS = dt.timedelta(days=7)
LISTED = 20


def in_words(instant: dt.datetime, *, reader: User) -> str:
    """Return an instant with weekday, date, time and zone, in the reader's time zone."""
    return format_instant(instant, reader.zone)


def sentences(*parts: str) -> str:
    """Join the non-empty parts into one text."""
    return " ".join(part for part in parts if part)


def at_most(lines: Sequence[str]) -> list[str]:
    """Return the lines, shortening a long list with a count of the rest."""
    return list(lines) if len(lines) <= LISTED else [*lines[:LISTED], f"and {len(lines) - LISTED} more"]


def admins() -> list[User]:
    """Return the active admins."""
    return list(User.objects.get_queryset().admins())


def key_of(message: Message) -> int:
    """Return the primary key of the row that a message is about."""
    return int(message.occurrence.partition("@")[0])


def notify_cover_created(cover: Cover, *, at: dt.datetime) -> None:
    """Notify both engineers of a new cover and its period."""
    for person in (cover.engineer, cover.covered_engineer):
        begin, end = in_words(cover.starts_at, reader=person), in_words(cover.ends_at, reader=person)
        notice = Notification(
            "cover",
            event="cover-taken",
            occurrence=str(cover.pk),
            subject=f"{cover.engineer} covers for {cover.covered_engineer}: {cover.rotation}",
            text=sentences(f"From {begin} to {end}.", cover.reason),
            path="/schedule/",
            due_at=at,
            expires_at=cover.ends_at,
        )
        enqueue([person], notice=notice)


def notify_cover_ended(cover: Cover, *, at: dt.datetime) -> None:
    """Notify both engineers that a cover ended early or was cancelled; `cover` is as it was before."""
    for person in (cover.engineer, cover.covered_engineer):
        begin, end = in_words(cover.starts_at, reader=person), in_words(cover.ends_at, reader=person)
        notice = Notification(
            "cover",
            event="cover-ended",
            occurrence=f"{cover.pk}@{at.isoformat()}",
            subject=f"{cover.engineer} no longer covers for {cover.covered_engineer}: {cover.rotation}",
            text=f"The cover from {begin} to {end} was {'ended' if cover.starts_at <= at else 'taken back'}.",
            path="/schedule/",
            due_at=at,
            expires_at=cover.ends_at,
        )
        enqueue([person], notice=notice)


SOON = dt.timedelta(days=1)


def notify_coverage_gaps(gaps: Sequence[CoverageGap], *, at: dt.datetime) -> None:
    """Notify the admins of new coverage gaps; gaps within a day are urgent."""
    for urgent in (True, False):
        some = [gap for gap in gaps if (gap.starts_at < at + SOON) == urgent]
        for admin in admins() if some else []:
            lines = [
                f"{gap.pipeline.full_name}: {in_words(gap.starts_at, reader=admin)} to {in_words(gap.ends_at, reader=admin)}"
                for gap in some
            ]
            notice = Notification(
                "uncovered-now" if urgent else "uncovered",
                event="uncovered",
                occurrence=f"{min(gap.pk for gap in some)}-{max(gap.pk for gap in some)}",
                subject=f"Nobody covers {some[0].pipeline.full_name}"
                + (f" and {len(some) - 1} more" if some[1:] else ""),
                text="Nobody is available for:\n\n" + "\n".join(at_most(lines)),
                path="/schedule/",
                due_at=at,
                expires_at=max(gap.ends_at for gap in some),
            )
            enqueue([admin], notice=notice)


def uncovered_still(message: Message, at: dt.datetime) -> bool:
    """Return True if any of the coverage gaps in the message is still uncovered."""
    first, _, last = message.occurrence.partition("-")
    return CoverageGap.objects.filter(pk__range=(int(first), int(last)), ends_at__gt=at).exists()


def notify_absence_in_week(week: RotationWeek, block: HolidayBlock, *, at: dt.datetime) -> None:
    """Notify an engineer who is away in their on-call week, and the responders who step in."""
    begin, end = max(week.starts_at, block.starts_at, at), min(week.ends_at, block.ends_at)
    stepping_in: dict[int, list[str]] = {}
    pipelines = {row.pipeline_id: row.pipeline for row in week.rotation.pipelines.select_related("pipeline")}
    for key, chain in responder_chains(pipelines.values(), at=begin).items():
        if chain.responder is not None and chain.responder != week.engineer_id:
            stepping_in.setdefault(chain.responder, []).append(pipelines[key].full_name)
    people = User.objects.in_bulk([*stepping_in, week.engineer_id])
    for key, person in people.items():
        span = f"from {in_words(begin, reader=person)} to {in_words(end, reader=person)}"
        if key == week.engineer_id:
            subject = f"You are away in your on-call week of {format_day(week.starts_on)}"
            text = f"You are away {span}. Ask somebody to swap the week or to cover for you: its page suggests whom."
        else:
            subject = f"You step in for {week.engineer}, who is away in their on-call week"
            text = f"{week.engineer} is away {span}. Unless the week is swapped or covered, you answer then for: {', '.join(stepping_in[key])}."
        notice = Notification(
            "holiday-hits",
            event="holiday-hits",
            occurrence=f"{block.pk}.{week.pk}",
            subject=subject,
            text=text,
            path=f"/schedule/{week.starts_on}/",
            due_at=at,
            expires_at=end,
        )
        enqueue([person], notice=notice)


def holiday_hits_still(message: Message, at: dt.datetime) -> bool:
    """Return True if an absence still overlaps its engineer's on-call week."""
    block, week = (int(part) for part in message.occurrence.split("."))
    away = HolidayBlock.objects.filter(pk=block, ends_at__gt=at).first()
    if away is None:
        return False
    hit = RotationWeek.objects.filter(pk=week, engineer=away.engineer_id)
    return hit.overlapping(starts_at=away.starts_at, ends_at=away.ends_at).exists()


SWAP_WORDS = {
    SwapRequest.State.ACCEPTED: "is accepted",
    SwapRequest.State.DECLINED: "is declined",
    SwapRequest.State.CANCELLED: "is withdrawn",
    SwapRequest.State.EXPIRED: "has expired",
    SwapRequest.State.VOID: "is void",
}


def notify_swap_requested(swap: SwapRequest, *, at: dt.datetime) -> None:
    """Notify the recipients of a swap request; also the requester, if someone else made the request for them."""
    asked = f"{swap.requester} asks you to take the week of {format_day(swap.offered_week)}"
    if swap.wanted_week:
        asked += f", for the week of {format_day(swap.wanted_week)}"
    people = recipients(swap)
    text = sentences(
        f"{asked}.", _round(swap), swap.message and f"“{swap.message}”", "Open the page to accept or decline."
    )
    if swap.requested_by_id != swap.requester_id:
        people.append(swap.requester)
        text = f"{swap.requested_by} asks on {swap.requester}’s behalf. {text}"
    notice = Notification(
        "swap-asked",
        event="swap-asked",
        occurrence=str(swap.pk),
        subject=f"Swap asked: {swap.requester}’s week of {format_day(swap.offered_week)}",
        text=text,
        path=f"/swaps/{swap.pk}/",
        due_at=at,
        expires_at=swap.expires_at,
    )
    enqueue(people, notice=notice)


def _round(swap: SwapRequest) -> str:
    if not swap.third_week:
        return ""
    return f"It is a swap of three: {swap.third} gives the week of {format_day(swap.third_week)} to {swap.requester}."


def notify_swap_decided(swap: SwapRequest, *, at: dt.datetime) -> None:
    """Notify everyone in a swap of its outcome; also the admins, if it was accepted."""
    state = SwapRequest.State(swap.state)
    accepted = state == SwapRequest.State.ACCEPTED
    parties = [person for person in (swap.requester, swap.counterpart, swap.third) if person]
    by = f"By {swap.decided_by}." if swap.decided_by and swap.decided_by.pk not in {one.pk for one in parties} else ""
    notice = Notification(
        "swap-accepted" if accepted else "swap-over",
        event=f"swap-{state.value}",
        occurrence=str(swap.pk),
        subject=f"The swap of {swap.requester}’s week of {format_day(swap.offered_week)} {SWAP_WORDS[state]}",
        text=sentences(_moved(swap) if accepted else _nothing_moved(swap), by, swap.reason),
        path=f"/swaps/{swap.pk}/",
        due_at=at,
        expires_at=at + NEWS,
    )
    enqueue([*parties, *(admins() if accepted else [])], notice=notice)


def _moved(swap: SwapRequest) -> str:
    names = {one.pk: one for one in (swap.requester, swap.counterpart, swap.third) if one}
    return " ".join(f"{names[move.taker]} now holds the week of {format_day(move.week)}." for move in swap.moves())


def _nothing_moved(swap: SwapRequest) -> str:
    asked = f" from {swap.counterpart}" if swap.counterpart else ""
    wanted = f" for the week of {format_day(swap.wanted_week)}" if swap.wanted_week else ""
    return f"The request to take the week of {format_day(swap.offered_week)}{asked}{wanted} {SWAP_WORDS[SwapRequest.State(swap.state)]}."


def swap_asked_still(message: Message, at: dt.datetime) -> bool:
    """Return True if a swap request still waits for the message's reader, or is open if the reader is its requester."""
    swap = SwapRequest.objects.filter(pk=key_of(message), expires_at__gt=at).select_related("requester").first()
    if swap is None or swap.state != SwapRequest.State.PENDING:
        return False
    return message.recipient_id == swap.requester_id or awaits_answer_from(swap, person=message.recipient)


def swap_accepted_still(message: Message, at: dt.datetime) -> bool:
    """Return True if an accepted swap still holds."""
    return SwapRequest.objects.accepted().filter(pk=key_of(message)).exists()


# The start or end of a shift is not worth sending half a day later.
HALF_DAY = dt.timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class WeekMoved:
    """A week that changed hands: the primary keys of its previous and new engineers."""

    starts_on: dt.date
    giver: int
    taker: int


def notify_weeks_changed(rotation: Rotation, *, moved: Sequence[WeekMoved], at: dt.datetime, why: str) -> None:
    """Notify every engineer whose upcoming weeks changed of the weeks they lost and gained."""
    people = User.objects.in_bulk({key for one in moved for key in (one.giver, one.taker)})
    for person in people.values():
        lost = [f"– {format_day(one.starts_on)}, now {people[one.taker]}’s" for one in moved if one.giver == person.pk]
        gained = [
            f"+ {format_day(one.starts_on)}, until now {people[one.giver]}’s" for one in moved if one.taker == person.pk
        ]
        parts = [
            why,
            "You no longer hold the weeks of:\n" + "\n".join(at_most(lost)) if lost else "",
            "You now hold the weeks of:\n" + "\n".join(at_most(gained)) if gained else "",
        ]
        notice = Notification(
            "weeks-changed",
            event="weeks-changed",
            occurrence=f"{rotation.pk}@{at.isoformat()}",
            subject=f"Your weeks of {rotation} changed: {len(gained)} more, {len(lost)} fewer",
            text="\n\n".join(part for part in parts if part),
            path="/schedule/",
            due_at=at,
            expires_at=at + NEWS,
        )
        enqueue([person], notice=notice)


def notify_shift_started(week: RotationWeek) -> None:
    """Notify an engineer when their on-call week starts, and say when it ends."""
    notice = Notification(
        "week-begins",
        event="week-begins",
        occurrence=f"{week.pk}@{week.starts_at.isoformat()}",
        subject=f"You are on call for {week.rotation}",
        text=f"Your week has begun. It ends on {in_words(week.ends_at, reader=week.engineer)}.",
        path=f"/schedule/{week.starts_on}/",
        due_at=week.starts_at,
        expires_at=min(week.starts_at + HALF_DAY, week.ends_at),
    )
    enqueue([week.engineer], notice=notice)


def notify_shift_ended(week: RotationWeek, *, following: User) -> None:
    """Notify an engineer when their on-call week ends and another engineer takes over."""
    notice = Notification(
        "week-ends",
        event="week-ends",
        occurrence=f"{week.pk}@{week.ends_at.isoformat()}",
        subject=f"Your week of {week.rotation} is over",
        text=f"{following} is on call now.",
        path="/",
        due_at=week.ends_at,
        expires_at=week.ends_at + HALF_DAY,
    )
    enqueue([week.engineer], notice=notice)


def week_begins_still(message: Message, at: dt.datetime) -> bool:
    """Return True if the reader's week is running and they are on call: no cover, no swap, no changed hours."""
    week = _week_told(message)
    return bool(week and week.starts_at <= at < week.ends_at) and _on_call(week, at=at) == message.recipient_id


def week_ends_still(message: Message, at: dt.datetime) -> bool:
    """Return True if the week that ended was the reader's and another engineer is on call now."""
    week = _week_told(message)
    return bool(week and week.ends_at <= at) and _on_call(week, at=at) != message.recipient_id


def _week_told(message: Message) -> RotationWeek | None:
    """Return the message's week if it still belongs to the reader and still has the time in the message."""
    week = (
        RotationWeek.objects.filter(pk=key_of(message), engineer=message.recipient_id)
        .select_related("rotation")
        .first()
    )
    edge = dt.datetime.fromisoformat(message.occurrence.partition("@")[2])
    return week if week and edge in (week.starts_at, week.ends_at) else None


def _on_call(week: RotationWeek | None, *, at: dt.datetime) -> int | None:
    return on_call_shifts([week.rotation], at=at)[0].engineer if week else None


KINDS = (
    NotificationType("swap-asked", "Somebody asks me for a swap", is_still_relevant=swap_asked_still),
    NotificationType("swap-accepted", "A swap is made", is_still_relevant=swap_accepted_still),
    NotificationType("swap-over", "A swap request is declined, withdrawn, expired or void"),
    NotificationType("weeks-changed", "My coming weeks changed"),
    NotificationType("week-begins", "My week begins", is_still_relevant=week_begins_still),
    NotificationType("week-ends", "My week ends", is_still_relevant=week_ends_still),
    NotificationType("cover", "A cover of mine is made or ends"),
    NotificationType("holiday-hits", "A holiday falls into an on-call week", is_still_relevant=holiday_hits_still),
    NotificationType(
        "uncovered", "Nobody covers a pipeline in the coming weeks (admins)", is_still_relevant=uncovered_still
    ),
    NotificationType(
        "uncovered-now",
        "Nobody covers a pipeline within a day (admins)",
        urgent=True,
        is_still_relevant=uncovered_still,
    ),
)
