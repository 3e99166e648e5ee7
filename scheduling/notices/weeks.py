"""What people are told of their weeks: changed, beginning, ending."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from notifications.commands import Notice, tell
from notifications.models import Message
from people.models import User
from scheduling.engine.clock import day_in_words
from scheduling.models import Rotation, RotationWeek
from scheduling.notices.words import NEWS, at_most, in_words, key_of
from scheduling.queries.answers import turns

# The start or end of a week is no news half a day later.
HALF_DAY = dt.timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class WeekMoved:
    """A week that changed hands, from whom to whom, by key."""

    starts_on: dt.date
    giver: int
    taker: int


def tell_weeks_changed(rotation: Rotation, *, moved: Sequence[WeekMoved], at: dt.datetime, why: str) -> None:
    """Tell everybody whose coming weeks changed what they no longer hold and what they hold now."""
    people = User.objects.in_bulk({key for one in moved for key in (one.giver, one.taker)})
    for person in people.values():
        lost = [
            f"– {day_in_words(one.starts_on)}, now {people[one.taker]}’s" for one in moved if one.giver == person.pk
        ]
        gained = [
            f"+ {day_in_words(one.starts_on)}, until now {people[one.giver]}’s"
            for one in moved
            if one.taker == person.pk
        ]
        parts = [
            why,
            "You no longer hold the weeks of:\n" + "\n".join(at_most(lost)) if lost else "",
            "You now hold the weeks of:\n" + "\n".join(at_most(gained)) if gained else "",
        ]
        notice = Notice(
            "weeks-changed",
            event="weeks-changed",
            occurrence=f"{rotation.pk}@{at.isoformat()}",
            subject=f"Your weeks of {rotation} changed: {len(gained)} more, {len(lost)} fewer",
            text="\n\n".join(part for part in parts if part),
            path="/schedule/",
            due_at=at,
            expires_at=at + NEWS,
        )
        tell([person], notice=notice)


def tell_week_begins(week: RotationWeek) -> None:
    """Tell an engineer, when their week begins, that they are on call, and until when."""
    notice = Notice(
        "week-begins",
        event="week-begins",
        occurrence=f"{week.pk}@{week.starts_at.isoformat()}",
        subject=f"You are on call for {week.rotation}",
        text=f"Your week has begun. It ends on {in_words(week.ends_at, reader=week.engineer)}.",
        path=f"/schedule/{week.starts_on}/",
        due_at=week.starts_at,
        expires_at=min(week.starts_at + HALF_DAY, week.ends_at),
    )
    tell([week.engineer], notice=notice)


def tell_week_ends(week: RotationWeek, *, following: User) -> None:
    """Tell an engineer, when their week ends, that another is on call now."""
    notice = Notice(
        "week-ends",
        event="week-ends",
        occurrence=f"{week.pk}@{week.ends_at.isoformat()}",
        subject=f"Your week of {week.rotation} is over",
        text=f"{following} is on call now.",
        path="/",
        due_at=week.ends_at,
        expires_at=week.ends_at + HALF_DAY,
    )
    tell([week.engineer], notice=notice)


def week_begins_still(message: Message, at: dt.datetime) -> bool:
    """Tell whether somebody's week runs and they are on call: not covered, the week not given away or moved."""
    week = _week_told(message)
    return bool(week and week.starts_at <= at < week.ends_at) and _on_call(week, at=at) == message.recipient_id


def week_ends_still(message: Message, at: dt.datetime) -> bool:
    """Tell whether the week that ended was somebody's, and another is on call now."""
    week = _week_told(message)
    return bool(week and week.ends_at <= at) and _on_call(week, at=at) != message.recipient_id


def _week_told(message: Message) -> RotationWeek | None:
    """Return the week of a message where it is still its recipient's and at the instant that the message names."""
    week = (
        RotationWeek.objects.filter(pk=key_of(message), engineer=message.recipient_id)
        .select_related("rotation")
        .first()
    )
    edge = dt.datetime.fromisoformat(message.occurrence.partition("@")[2])
    return week if week and edge in (week.starts_at, week.ends_at) else None


def _on_call(week: RotationWeek | None, *, at: dt.datetime) -> int | None:
    return turns([week.rotation], at=at)[0].engineer if week else None
