"""Rows for templates: the calendar's month, the timeline, time-off impact and swap suggestions."""

import calendar
import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from common.formatting import format_day, format_period
from people.domain.person import Person
from people.models import User
from people.queries import public_holidays
from pipelines.models import Pipeline
from scheduling.domain.sentences import cover_sentence
from scheduling.domain.suggestions import Suggestion
from scheduling.domain.timeline_layout import AbsenceMark, Axis, Band, Bar, Board, Gap, Row, holiday_marks
from scheduling.domain.weeks import Move
from scheduling.models import Cover, CoverRequest, HolidayBlock, Rotation
from scheduling.queries.calendar_days import OnCallDay
from scheduling.queries.impact import HolidayImpact
from scheduling.queries.rosters import RosterChange
from scheduling.queries.timeline import RotationTimeline, Timeline

DAY = dt.timedelta(days=1)


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


@dataclass(frozen=True, slots=True)
class DayHead:
    """A day in the head of the calendar, and how many of the people shown are away."""

    day: dt.date
    today: bool
    away: int


@dataclass(frozen=True, slots=True)
class CalendarMonths:
    """Two months of the calendar: their days, and the first of each with its number of days."""

    days: list[dt.date]
    months: list[tuple[dt.date, int]]


def two_months(year: int, month: int) -> CalendarMonths:
    """Return the dates of a month and of the next one."""
    first = dt.date(year, month, 1)
    following = dt.date(year + month // 12, month % 12 + 1, 1)
    months = [(start, calendar.monthrange(start.year, start.month)[1]) for start in (first, following)]
    return CalendarMonths([start + DAY * number for start, count in months for number in range(count)], months)


def day_heads(rows: Iterable[MonthRow], *, days: Iterable[dt.date], today: dt.date) -> list[DayHead]:
    """Return the days with the number of people who are away on each."""
    away = Counter(cell.day for row in rows for cell in row.cells if cell.absences)
    return [DayHead(day, day == today, away[day]) for day in days]


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
class TimelineBar:
    """A bar with its people.

    `label` is the text in it, and `name` the text of its link. `is_mine` bars can be dragged over; `is_now` bars are
    running, and `is_past` bars have ended.
    """

    bar: Bar
    label: str
    name: str
    is_mine: bool
    is_offered: bool
    is_now: bool
    is_past: bool

    @property
    def css_class(self) -> str:
        """The classes that mark the bar."""
        marks = {
            "cover": self.bar.is_cover,
            "swapped": self.bar.is_swapped,
            "offered": self.is_offered,
            "mine": self.is_mine,
        }
        return " ".join(
            ["shift", f"hue-{self.bar.engineer.colour}", *(name for name, applies in marks.items() if applies)]
        )


@dataclass(frozen=True, slots=True)
class RequestMark:
    """A part of an open cover request in its requester's row."""

    request: CoverRequest
    row: Row
    band: Band
    starts_at: dt.datetime
    name: str


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """An engineer's row with their bars and public holidays."""

    row: Row
    bars: list[TimelineBar]
    holidays: list[tuple[Band, str]]


@dataclass(frozen=True, slots=True)
class TimelineBoard:
    """A rotation on the timeline. `entries` are all bars and gaps in the order of time."""

    rotation: Rotation
    board: Board
    rows: list[TimelineRow]
    requests: list[RequestMark]
    entries: list[TimelineBar | Gap]
    expiries: list[dt.datetime]

    def next_change(self, *, at: dt.datetime) -> dt.datetime | None:
        """Return the first instant after `at` at which time alone changes the board, or None; `at` if it changes all the time."""
        if any(mark.starts_at <= at for mark in self.requests):
            # What such a request still asks for starts now.
            return at
        instants = [*self.expiries, *(mark.starts_at for mark in self.requests)]
        for entry in self.entries:
            span = entry.bar if isinstance(entry, TimelineBar) else entry
            instants += (span.starts_at, span.ends_at)
        return min((instant for instant in instants if instant > at), default=None)

    @property
    def people(self) -> frozenset[int]:
        """The primary keys of the engineers with bars."""
        return frozenset(row.row.engineer.id for row in self.rows if row.bars)

    @property
    def absences(self) -> list[tuple[Person, AbsenceMark]]:
        """The absences in the window, in the order of time."""
        marks = [(row.row.engineer, mark) for row in self.rows for mark in row.row.absences]
        return sorted(marks, key=lambda mark: mark[1].starts_at)


def timeline_boards(timeline: Timeline, *, reader: User, zone: dt.tzinfo, at: dt.datetime) -> list[TimelineBoard]:
    """Return the boards of a timeline as a reader sees them, with times in their zone."""
    return [_timeline_board(row, timeline=timeline, reader=reader, zone=zone, at=at) for row in timeline.rotations]


def _timeline_board(
    source: RotationTimeline, *, timeline: Timeline, reader: User, zone: dt.tzinfo, at: dt.datetime
) -> TimelineBoard:
    axis, people = timeline.axis, timeline.people
    rows = [
        TimelineRow(
            row=row,
            bars=[
                _timeline_bar(bar, offered=source.offered_weeks, reader=reader, zone=zone, at=at) for bar in row.bars
            ],
            holidays=holiday_marks(axis, _holidays(people[row.engineer.id], axis)),
        )
        for row in source.board.rows
    ]
    by_engineer = {row.row.engineer.id: row.row for row in rows}
    requests = [
        RequestMark(
            request,
            by_engineer[request.requester_id],
            axis.band(begin, end),
            begin,
            f"Cover requested by {request.requester}, {format_period(begin, end, zone, brief=True)}",
        )
        for request, periods in source.cover_requests
        for begin, end in periods
        if request.requester_id in by_engineer and axis.includes(begin, end)
    ]
    bars = [bar for row in rows for bar in row.bars]
    entries: list[TimelineBar | Gap] = [*bars, *source.board.gaps]
    entries.sort(key=_starts_at)
    return TimelineBoard(source.rotation, source.board, rows, requests, entries, source.expiries)


def _starts_at(entry: TimelineBar | Gap) -> dt.datetime:
    return entry.bar.starts_at if isinstance(entry, TimelineBar) else entry.starts_at


def _holidays(person: User, axis: Axis) -> dict[dt.date, str]:
    years = range(axis.dates[0].year, axis.dates[-1].year + 1)
    return {
        day: name for year in years for day, name in public_holidays(person.country, person.subdivision, year).items()
    }


def _timeline_bar(
    bar: Bar,
    *,
    offered: Collection[dt.date],
    reader: User,
    zone: dt.tzinfo,
    at: dt.datetime,
) -> TimelineBar:
    engineer, other = bar.engineer, bar.other
    is_offered = bar.week in offered and not bar.is_cover and bar.starts_at > at
    notes = [f"{engineer} covers for {other}" if bar.is_cover else f"{engineer} is on call"]
    notes.append(format_period(bar.starts_at, bar.ends_at, zone, brief=True))
    if bar.is_swapped:
        notes.append(f"swapped, planned: {other}")
    if is_offered:
        notes.append("swap requested")
    if bar.conflicts:
        notes.append("on call while away")
    day = bar.starts_at.astimezone(zone)
    label = f"for {other}" if bar.is_cover else f"{day.day} {day:%b}"
    return TimelineBar(
        bar=bar,
        label=label if bar.band.has_room else "",
        name=", ".join(notes),
        is_mine=bar.ends_at > at and (reader.person == engineer or reader.is_staff),
        is_offered=is_offered,
        is_now=bar.starts_at <= at < bar.ends_at,
        is_past=bar.ends_at <= at,
    )


@dataclass(frozen=True, slots=True)
class ResponderChange:
    """The pipelines that get another responder in the same periods; None is nobody."""

    before: Person | None
    after: Person | None
    periods: tuple[tuple[dt.datetime, dt.datetime], ...]
    pipelines: list[Pipeline] = field(default_factory=list)


def responder_changes(impact: HolidayImpact) -> list[ResponderChange]:
    """Return the changes of responder that an absence causes: a row for each replacement, with its pipelines and periods."""
    periods: dict[tuple[Pipeline, Person | None, Person | None], list[tuple[dt.datetime, dt.datetime]]] = {}
    for pipeline, change in impact.changes:
        key = (pipeline, change.before, change.after)
        periods.setdefault(key, []).append((change.starts_at, change.ends_at))
    rows: dict[tuple[Person | None, Person | None, tuple[tuple[dt.datetime, dt.datetime], ...]], ResponderChange] = {}
    for (pipeline, before, after), spans in periods.items():
        same = (before, after, tuple(spans))
        rows.setdefault(same, ResponderChange(*same)).pipelines.append(pipeline)
    return sorted(rows.values(), key=lambda row: (row.after is not None, row.periods))


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

    @property
    def difference(self) -> int:
        """The change in the number of shifts, without its sign."""
        return abs(self.net)


def shift_balances(change: RosterChange) -> list[ShiftBalance]:
    """Return each engineer's gains and losses, the largest net gain first."""
    engineers = {**change.gained, **change.lost}
    rows = [ShiftBalance(person, change.gained.get(person, 0), change.lost.get(person, 0)) for person in engineers]
    return sorted(rows, key=lambda row: (-row.net, str(row.engineer)))


@dataclass(frozen=True, slots=True)
class SuggestionCard:
    """A suggestion as shown: its title, moves, the reasons that not every suggestion has, and the values that its button posts."""

    title: str
    action: str
    moves: tuple[Move, ...]
    why: tuple[str, ...]
    fields: dict[str, str]
    message: str

    @property
    def button_value(self) -> str:
        """The weeks and the counterpart in one string, for a button of another form."""
        return " ".join([*(str(move.week) for move in self.moves), self.fields["counterpart"]])


@dataclass(frozen=True, slots=True)
class SuggestionList:
    """Suggestions, best first, and the reasons that all of them have."""

    cards: list[SuggestionCard]
    shared: tuple[str, ...]


TITLES = {"two_way": "Swap with {}", "three_way": "Three-way swap with {}", "one_way": "Give to {}"}
ACTIONS = {"two_way": "Request swap with {}", "three_way": "Request swap with {}", "one_way": "Ask {} to take it"}


def suggestion_list(suggestions: Iterable[Suggestion]) -> SuggestionList:
    """Return suggestions with a title and the values that their buttons post. A reason that all of several have is listed once."""
    suggestions = list(suggestions)
    common = set.intersection(*(set(suggestion.why) for suggestion in suggestions)) if len(suggestions) > 1 else set()
    cards = [_suggestion_card(suggestion, common=common) for suggestion in suggestions]
    shared = tuple(reason for reason in suggestions[0].why if reason in common) if suggestions else ()
    return SuggestionList(cards, shared)


def _suggestion_card(suggestion: Suggestion, *, common: Collection[str]) -> SuggestionCard:
    moves = suggestion.moves
    partners = " and ".join(str(move.taker) for move in moves if move.taker != moves[0].giver)
    weeks = [str(move.week) for move in moves]
    fields = {"counterpart": moves[0].taker.username}
    fields |= dict(zip(("wanted_week", "third_week"), weeks[1:], strict=False))
    return SuggestionCard(
        title=TITLES[suggestion.kind].format(partners),
        action=ACTIONS[suggestion.kind].format(partners),
        moves=moves,
        why=tuple(reason for reason in suggestion.why if reason not in common),
        fields=fields,
        message=swap_message(moves[0].week, exchange=moves[-1].week if len(moves) > 1 else None),
    )


def swap_message(week: dt.date, *, exchange: dt.date | None = None) -> str:
    """Return a message to suggest for a swap request; `exchange` is the week that the requester would take."""
    message = f"Could you take my on-call week of {format_day(week, 'short')}?"
    return f"{message} I would take the week of {format_day(exchange, 'short')}." if exchange else message


def cover_text(covers: Iterable[Cover], *, reader: User, has_ended: bool = False) -> str:
    """Return the `cover_sentence` of the parts of one engineer's cover."""
    parts = list(covers)
    return cover_sentence(
        parts[0].engineer.person,
        covered=[part.covered_engineer.person for part in parts],
        periods=[(part.starts_at, part.ends_at) for part in parts],
        reader=reader.person,
        zone=reader.zone,
        has_ended=has_ended,
    )
