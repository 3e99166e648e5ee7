"""Rows for templates: the calendar's month grid and the schedule's boards."""

import calendar
import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from people.models import User
from people.queries import public_holidays
from scheduling.domain.responder_chain import Cover
from scheduling.domain.suggestions import Suggestion
from scheduling.domain.weeks import Week
from scheduling.models import HolidayBlock, Rotation
from scheduling.queries.weeks import UpcomingWeeks


@dataclass(frozen=True, slots=True)
class Cell:
    """A day in an engineer's month."""

    day: dt.date
    weekend: bool
    today: bool
    public_holiday: str
    blocks: tuple[HolidayBlock, ...]

    @property
    def own_block(self) -> HolidayBlock | None:
        """The day's first block that is not from a linked calendar."""
        return next((block for block in self.blocks if block.link_id is None), None)


@dataclass(frozen=True, slots=True)
class Row:
    """An engineer's month."""

    engineer: User
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class LaneCell:
    """An engineer's part in a week: on call, covering part of it, and days away."""

    week: Week
    holds: bool
    swapped: bool
    covers: tuple[tuple[Cover, User], ...]
    blocks: tuple[HolidayBlock, ...]

    @property
    def away(self) -> bool:
        """Whether the engineer holds the week and is away during it."""
        return self.holds and bool(self.blocks)


@dataclass(frozen=True, slots=True)
class EngineerLane:
    """An engineer's weeks."""

    engineer: User
    cells: list[LaneCell]


@dataclass(frozen=True, slots=True)
class WeekRow:
    """A week with its engineer, the planned engineer, its covers and its engineer's absences."""

    week: Week
    engineer: User
    planned_engineer: User
    cell: LaneCell
    covers: tuple[tuple[Cover, User], ...]


@dataclass(frozen=True, slots=True)
class RotationBoard:
    """A rotation's upcoming weeks, by engineer and by week."""

    rotation: Rotation
    weeks: list[Week]
    lanes: list[EngineerLane]
    holders: list[WeekRow]


def month_days(year: int, month: int) -> list[dt.date]:
    """Return every date of a month."""
    return [dt.date(year, month, day) for day in range(1, calendar.monthrange(year, month)[1] + 1)]


def month_rows(
    people: Iterable[User], *, days: list[dt.date], blocks: Iterable[HolidayBlock], today: dt.date
) -> list[Row]:
    """Return each person's month: weekends, their country's public holidays, and their blocks."""
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


def rotation_board(turns: UpcomingWeeks, *, people: Mapping[int, User]) -> RotationBoard:
    """Return a rotation's upcoming weeks, both as a list and as one row for each engineer who takes part."""
    parts = {key for week in turns.weeks for key in (week.engineer, week.planned_engineer)}
    parts |= {cover.engineer for cover in turns.covers}
    lanes = {key: _lane(user, turns, people=people) for key, user in people.items() if key in parts}
    holders = [
        WeekRow(
            week=week,
            engineer=people[week.engineer],
            planned_engineer=people[week.planned_engineer],
            cell=lanes[week.engineer].cells[place],
            covers=tuple((cover, people[cover.engineer]) for cover in turns.covers if _meet(cover, week)),
        )
        for place, week in enumerate(turns.weeks)
    ]
    return RotationBoard(turns.rotation, turns.weeks, list(lanes.values()), holders)


def _lane(person: User, turns: UpcomingWeeks, *, people: Mapping[int, User]) -> EngineerLane:
    covers = [cover for cover in turns.covers if cover.engineer == person.pk]
    blocks = [block for block in turns.blocks if block.engineer_id == person.pk]
    return EngineerLane(
        person,
        [
            LaneCell(
                week=week,
                holds=week.engineer == person.pk,
                swapped=week.engineer == person.pk != week.planned_engineer,
                covers=tuple((cover, people[cover.covered_engineer]) for cover in covers if _meet(cover, week)),
                blocks=tuple(block for block in blocks if _meet(block, week)),
            )
            for week in turns.weeks
        ],
    )


def _meet(one: Cover | HolidayBlock, week: Week) -> bool:
    return one.starts_at < week.ends_at and one.ends_at > week.starts_at


@dataclass(frozen=True, slots=True)
class SuggestionCard:
    """A suggestion as shown: its title, moves, reasons and the values that its button posts."""

    kind: str
    moves: list[tuple[dt.date, User, User]]
    why: tuple[str, ...]
    fields: dict[str, str]

    @property
    def sent(self) -> str:
        """The weeks and recipients in one string, as a suggestion's button posts them."""
        return " ".join([*(str(day) for day, _, _ in self.moves), self.fields["counterpart"]])

    @property
    def partners(self) -> str:
        """The names of the other engineers who take a week."""
        return " and ".join(str(taker) for _, _, taker in self.moves if taker != self.moves[0][1])


KINDS = {"two_way": "Swap of two weeks", "three_way": "Swap round three", "one_way": "Taken over"}


def suggestion_cards(suggestions: Iterable[Suggestion], *, people: Mapping[int, User]) -> list[SuggestionCard]:
    """Return suggestions with users instead of primary keys."""
    found = []
    for one in suggestions:
        moves = [(move.week, people[move.giver], people[move.taker]) for move in one.moves]
        weeks = [str(week) for week, _, _ in moves]
        fields = {"counterpart": moves[0][2].username}
        fields |= dict(zip(("wanted_week", "third_week"), weeks[1:], strict=False))
        found.append(SuggestionCard(KINDS[one.kind], moves, one.why, fields))
    return found
