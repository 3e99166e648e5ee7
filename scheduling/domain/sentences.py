"""Sentences for a reader that name the people and the time of a change to the schedule."""

import datetime as dt
from collections.abc import Iterable, Sequence

from common.formatting import format_day, format_period
from people.domain.person import Person
from scheduling.domain.responder_chain import Period
from scheduling.domain.weeks import Move


def cover_sentence(
    engineer: Person,
    *,
    covered: Iterable[Person],
    periods: Sequence[Period],
    reader: Person,
    zone: dt.tzinfo,
    has_ended: bool = False,
) -> str:
    """Return who covers whom and when: "You cover Engineer A, Mon 30 Nov, 10:00 UTC to 17:00 UTC."

    Adjacent periods are joined. With `has_ended`: "You no longer cover …".
    """
    joined: list[Period] = []
    for starts_at, ends_at in sorted(periods):
        if joined and joined[-1][1] == starts_at:
            joined[-1] = (joined[-1][0], ends_at)
        else:
            joined.append((starts_at, ends_at))
    names = " and ".join("you" if person == reader else str(person) for person in dict.fromkeys(covered))
    times = " and ".join(format_period(*period, zone, brief=True) for period in joined)
    subject, verb = ("You", "cover") if engineer == reader else (str(engineer), "covers")
    return f"{subject} {'no longer ' if has_ended else ''}{verb} {names}, {times}."


def swap_sentence(moves: Sequence[Move], *, reader: Person) -> str:
    """Return who takes which week: "You take the week of 21 Dec 2026; Engineer A takes the week of 28 Dec 2026"."""
    parts = [
        f"{'you take' if move.taker == reader else f'{move.taker} takes'} the week of {format_day(move.week)}"
        for move in moves
    ]
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def week_subject(engineer: Person, week: dt.date, *, reader: Person) -> str:
    """Return "your week of 21 Dec 2026", or for other readers "Engineer A’s week of 21 Dec 2026"."""
    return f"{'your' if engineer == reader else f'{engineer}’s'} week of {format_day(week)}"


def period_subject(engineer: Person, period: Period, *, reader: Person, zone: dt.tzinfo) -> str:
    """Return a period without the year, after the engineer's name for other readers."""
    time = format_period(*period, zone, brief=True)
    return time if engineer == reader else f"{engineer}, {time}"
