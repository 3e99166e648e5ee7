"""Where on-call weeks pass from one engineer to another, and when their meeting is."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from scheduling.domain.weeks import Week


@dataclass(frozen=True, slots=True)
class Boundary:
    """The start of a week whose engineer is not the one of the week before."""

    week: dt.date
    at: dt.datetime
    outgoing: int
    incoming: int


def boundaries(weeks: Iterable[Week]) -> dict[dt.date, Boundary]:
    """Return the changes of engineer between weeks that meet, by the date on which the second one starts.

    Covers within a week are left aside: the handbook hands over between weeks (Daily Onboarding Hand-Off).
    """
    found = {}
    for before, after in pairwise(sorted(weeks, key=lambda week: week.starts_at)):
        if before.ends_at == after.starts_at and before.engineer != after.engineer:
            found[after.starts_on] = Boundary(after.starts_on, after.starts_at, before.engineer, after.engineer)
    return found


def meeting_before(at: dt.datetime, *, minutes: int) -> tuple[dt.datetime, dt.datetime]:
    """Return when the meeting of a hand-off starts and ends: it ends at the hand-off (handbook: at the end of the period)."""
    return at - dt.timedelta(minutes=minutes), at
