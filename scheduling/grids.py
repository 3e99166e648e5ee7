"""The month grid of the shared calendar and the lanes of the schedule, as rows a template can write."""

import calendar
import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field

from people.models import User
from scheduling.engine.turns import Week
from scheduling.models import HolidayBlock
from scheduling.queries import public_holidays


@dataclass(frozen=True, slots=True)
class Cell:
    """A day of somebody's month."""

    day: dt.date
    weekend: bool
    today: bool
    public_holiday: str
    blocks: tuple[HolidayBlock, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """Somebody's month."""

    engineer: User
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class LaneCell:
    """An engineer's part in a week: holding it, and days away in it."""

    week: Week
    holds: bool
    swapped: bool
    blocks: tuple[HolidayBlock, ...]


@dataclass(frozen=True, slots=True)
class Lane:
    """An engineer's weeks."""

    engineer: User
    cells: list[LaneCell] = field(default_factory=list)


def month_days(year: int, month: int) -> list[dt.date]:
    """Return every date of a month."""
    return [dt.date(year, month, day) for day in range(1, calendar.monthrange(year, month)[1] + 1)]


def month_rows(
    people: Iterable[User], *, days: list[dt.date], blocks: Iterable[HolidayBlock], today: dt.date
) -> list[Row]:
    """Return the month of each person: weekends, public holidays of their country, and their blocks."""
    of: dict[int, list[HolidayBlock]] = {}
    for block in blocks:
        of.setdefault(block.engineer_id, []).append(block)
    return [
        Row(
            engineer=person,
            cells=tuple(
                Cell(
                    day=day,
                    weekend=day.weekday() >= calendar.SATURDAY,
                    today=day == today,
                    public_holiday=public_holidays(person.country, person.subdivision, day.year).get(day, ""),
                    blocks=tuple(one for one in of.get(person.pk, ()) if one.starts_on <= day <= one.ends_on),
                )
                for day in days
            ),
        )
        for person in people
    ]


def lanes(weeks: list[Week], *, people: Iterable[User], blocks: Iterable[HolidayBlock]) -> list[Lane]:
    """Return a lane per engineer over the weeks: which they hold, which came by a swap, and when they are away."""
    of: dict[int, list[HolidayBlock]] = {}
    for block in blocks:
        of.setdefault(block.engineer_id, []).append(block)
    return [
        Lane(
            person,
            [
                LaneCell(
                    week=week,
                    holds=week.engineer == person.pk,
                    swapped=week.engineer == person.pk != week.planned_engineer,
                    blocks=tuple(
                        one
                        for one in of.get(person.pk, ())
                        if one.starts_at < week.ends_at and one.ends_at > week.starts_at
                    ),
                )
                for week in weeks
            ],
        )
        for person in people
    ]
