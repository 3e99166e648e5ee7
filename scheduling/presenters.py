"""Rows for templates: the calendar's month, the schedule's boards, time-off impact and swap suggestions."""

import calendar
import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from people.domain.person import Person
from people.models import User
from people.queries import public_holidays
from pipelines.models import Pipeline
from scheduling.domain.responder_chain import Cover, assignments
from scheduling.domain.suggestions import Suggestion
from scheduling.domain.weeks import Move, Week
from scheduling.models import HolidayBlock, Rotation
from scheduling.queries.calendar_days import OnCallDay
from scheduling.queries.impact import HolidayImpact
from scheduling.queries.rosters import RosterChange
from scheduling.queries.weeks import UpcomingWeeks


@dataclass(frozen=True, slots=True)
class DayCell:
    """A day in an engineer's month."""

    day: dt.date
    weekend: bool
    today: bool
    public_holiday: str
    absences: tuple[HolidayBlock, ...]
    on_call: OnCallDay | None

    @property
    def css_class(self) -> str:
        """The classes that mark the day: weekend, today, public holiday."""
        marks = {"weekend": self.weekend, "today": self.today, "public": bool(self.public_holiday)}
        return " ".join(name for name, applies in marks.items() if applies)

    @property
    def editable_absence(self) -> HolidayBlock | None:
        """The day's first absence that is not from a linked calendar."""
        return next((absence for absence in self.absences if absence.link_id is None), None)


@dataclass(frozen=True, slots=True)
class MonthRow:
    """An engineer's month."""

    engineer: User
    cells: tuple[DayCell, ...]


def month_days(year: int, month: int) -> list[dt.date]:
    """Return every date of a month."""
    return [dt.date(year, month, day) for day in range(1, calendar.monthrange(year, month)[1] + 1)]


def month_rows(
    people: Iterable[User],
    *,
    days: list[dt.date],
    absences: Iterable[HolidayBlock],
    on_call: Mapping[tuple[Person, dt.date], OnCallDay],
    today: dt.date,
) -> list[MonthRow]:
    """Return each person's month: weekends, their country's public holidays, absences, and days on call."""
    by_engineer: dict[int, list[HolidayBlock]] = {}
    for absence in absences:
        by_engineer.setdefault(absence.engineer_id, []).append(absence)
    return [
        MonthRow(
            engineer=user,
            cells=tuple(
                DayCell(
                    day=day,
                    weekend=day.weekday() >= calendar.SATURDAY,
                    today=day == today,
                    public_holiday=public_holidays(user.country, user.subdivision, day.year).get(day, ""),
                    absences=tuple(row for row in by_engineer.get(user.pk, ()) if row.starts_on <= day <= row.ends_on),
                    on_call=on_call.get((user.person, day)),
                )
                for day in days
            ),
        )
        for user in people
    ]


@dataclass(frozen=True, slots=True)
class WeekCell:
    """An engineer's part in a week: on call or not, covers and absences, and whether they are on call while away."""

    week: Week
    on_call: bool
    swapped: bool
    covers: tuple[Cover, ...]
    absences: tuple[HolidayBlock, ...]
    on_call_while_away: bool


@dataclass(frozen=True, slots=True)
class EngineerRow:
    """An engineer's weeks."""

    engineer: Person
    cells: list[WeekCell]


@dataclass(frozen=True, slots=True)
class WeekRow:
    """A week with its covers and its engineer's absences."""

    week: Week
    cell: WeekCell
    covers: tuple[Cover, ...]


@dataclass(frozen=True, slots=True)
class RotationBoard:
    """A rotation's weeks, as one row per engineer and as one row per week."""

    rotation: Rotation
    weeks: list[Week]
    engineer_rows: list[EngineerRow]
    week_rows: list[WeekRow]


def rotation_board(upcoming: UpcomingWeeks) -> RotationBoard:
    """Return a rotation's weeks, both as a list and as one row for each engineer who takes part."""
    rows = {person: _engineer_row(person, upcoming) for person in upcoming.engineers}
    week_rows = [
        WeekRow(
            week=week,
            cell=rows[week.engineer].cells[position],
            covers=tuple(cover for cover in upcoming.covers if _overlap(cover, week)),
        )
        for position, week in enumerate(upcoming.weeks)
    ]
    return RotationBoard(upcoming.rotation, upcoming.weeks, list(rows.values()), week_rows)


def _engineer_row(person: Person, upcoming: UpcomingWeeks) -> EngineerRow:
    covers = [cover for cover in upcoming.covers if cover.engineer == person]
    absences = [absence for absence in upcoming.blocks if absence.engineer_id == person.id]
    cells = []
    for week in upcoming.weeks:
        away = tuple(absence for absence in absences if _overlap(absence, week))
        periods = _on_call_periods(person, week, upcoming.covers)
        cells.append(
            WeekCell(
                week=week,
                on_call=week.engineer == person,
                swapped=week.engineer == person != week.planned_engineer,
                covers=tuple(cover for cover in covers if _overlap(cover, week)),
                absences=away,
                on_call_while_away=any(
                    absence.starts_at < end and absence.ends_at > begin for absence in away for begin, end in periods
                ),
            )
        )
    return EngineerRow(person, cells)


def _overlap(period: Cover | HolidayBlock, week: Week) -> bool:
    return period.starts_at < week.ends_at and period.ends_at > week.starts_at


def _on_call_periods(person: Person, week: Week, covers: Iterable[Cover]) -> list[tuple[dt.datetime, dt.datetime]]:
    """Return when a person is on call in a week: in covers of theirs, and in their week outside the covers of others."""
    parts = assignments([week], covers, starts_at=week.starts_at, ends_at=week.ends_at)
    return [(part.starts_at, part.ends_at) for part in parts if part.engineer == person]


@dataclass(frozen=True, slots=True)
class ResponderChange:
    """A period in which the same pipelines get another responder; None is nobody."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    before: Person | None
    after: Person | None
    pipelines: list[Pipeline] = field(default_factory=list)


def responder_changes(impact: HolidayImpact) -> list[ResponderChange]:
    """Return the changes of responder that an absence causes; equal changes of several pipelines are one row."""
    rows: dict[tuple[dt.datetime, dt.datetime, Person | None, Person | None], ResponderChange] = {}
    for pipeline, change in impact.changes:
        key = (change.starts_at, change.ends_at, change.before, change.after)
        row = rows.setdefault(key, ResponderChange(*key))
        row.pipelines.append(pipeline)
    return sorted(rows.values(), key=lambda row: (row.starts_at, row.after is not None))


@dataclass(frozen=True, slots=True)
class ShiftBalance:
    """How many shifts an engineer gains and loses."""

    engineer: Person
    gained: int
    lost: int

    @property
    def net(self) -> int:
        """The change in the number of shifts."""
        return self.gained - self.lost


def shift_balances(change: RosterChange) -> list[ShiftBalance]:
    """Return each engineer's gains and losses, the largest net gain first."""
    engineers = {**change.gained, **change.lost}
    rows = [ShiftBalance(person, change.gained.get(person, 0), change.lost.get(person, 0)) for person in engineers]
    return sorted(rows, key=lambda row: (-row.net, str(row.engineer)))


@dataclass(frozen=True, slots=True)
class SuggestionCard:
    """A suggestion as shown: its title, moves, reasons and the values that its button posts."""

    title: str
    moves: tuple[Move, ...]
    why: tuple[str, ...]
    fields: dict[str, str]

    @property
    def button_value(self) -> str:
        """The weeks and the counterpart in one string, for a button of another form."""
        return " ".join([*(str(move.week) for move in self.moves), self.fields["counterpart"]])


TITLES = {"two_way": "Swap with {}", "three_way": "Three-way swap with {}", "one_way": "Give to {}"}


def suggestion_cards(suggestions: Iterable[Suggestion]) -> list[SuggestionCard]:
    """Return suggestions with a title and the values that their buttons post."""
    cards = []
    for suggestion in suggestions:
        moves = suggestion.moves
        partners = " and ".join(str(move.taker) for move in moves if move.taker != moves[0].giver)
        weeks = [str(move.week) for move in moves]
        fields = {"counterpart": moves[0].taker.username}
        fields |= dict(zip(("wanted_week", "third_week"), weeks[1:], strict=False))
        cards.append(SuggestionCard(TITLES[suggestion.kind].format(partners), moves, suggestion.why, fields))
    return cards
