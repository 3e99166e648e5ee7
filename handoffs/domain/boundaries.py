"""Changes of on-call engineer between shifts, and the times of their meetings."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from people.domain.person import Person
from scheduling.domain.weeks import Week


@dataclass(frozen=True, slots=True)
class Boundary:
    """The start of a shift whose engineer differs from the previous shift's."""

    week: dt.date
    at: dt.datetime
    outgoing: Person
    incoming: Person


def boundaries(weeks: Iterable[Week]) -> dict[dt.date, Boundary]:
    """Return changes of engineer between adjacent shifts, by the start date of the second.

    Covers within a shift are ignored: hand-offs take place only between shifts (docs/rules.md, Hand-offs).
    """
    changes = {}
    for before, after in pairwise(sorted(weeks, key=lambda week: week.starts_at)):
        if before.ends_at == after.starts_at and before.engineer != after.engineer:
            changes[after.starts_on] = Boundary(after.starts_on, after.starts_at, before.engineer, after.engineer)
    return changes


def meeting_before(at: dt.datetime, *, minutes: int) -> tuple[dt.datetime, dt.datetime]:
    """Return the start and end of a hand-off's meeting. It ends at the hand-off (docs/rules.md, Hand-offs)."""
    return at - dt.timedelta(minutes=minutes), at
