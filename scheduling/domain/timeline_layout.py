"""Lay out a rotation's schedule as bars on a time axis. Positions are percentages of the axis, heights are whole pixels."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from people.domain.person import Person
from scheduling.domain.responder_chain import Assignment, Cover, Period, RotationSchedule, assignments
from scheduling.domain.weeks import Week, active_roster

DAY = dt.timedelta(days=1)
SATURDAY = 5
# A bar of an hour in half a year would be invisible.
MIN_BAR_PERCENT = 0.35
# A label needs about this share of the axis, or it would be cut.
MIN_LABEL_PERCENT = 4.0
# Rows of a page, from roomy to dense, with the height of a row in pixels.
ROW_HEIGHTS = ((12, 32), (20, 24))
DENSE_ROW_HEIGHT = 18
MAX_ROWS = 60
BAR_MARGIN = 2
CONFLICT_HEIGHT = 3


def row_height(rows: int) -> int:
    """Return the height of a row in pixels, so that many rows still fit on a screen."""
    return next((height for most, height in ROW_HEIGHTS if rows <= most), DENSE_ROW_HEIGHT)


@dataclass(frozen=True, slots=True)
class Axis:
    """A window of time. Its days start at these instants, one more than it has days; `dates` are their dates."""

    day_starts: tuple[dt.datetime, ...]
    dates: tuple[dt.date, ...]

    @property
    def starts_at(self) -> dt.datetime:
        """The start of the first day."""
        return self.day_starts[0]

    @property
    def ends_at(self) -> dt.datetime:
        """The end of the last day."""
        return self.day_starts[-1]

    def percent(self, at: dt.datetime) -> float:
        """Return an instant's position from 0 to 100; instants outside the window are at its edges."""
        inside = min(max(at, self.starts_at), self.ends_at)
        return 100 * ((inside - self.starts_at) / (self.ends_at - self.starts_at))

    def band(self, starts_at: dt.datetime, ends_at: dt.datetime) -> "Band":
        """Return the band of a period."""
        x = self.percent(starts_at)
        return Band(x, self.percent(ends_at) - x)

    def includes(self, starts_at: dt.datetime, ends_at: dt.datetime) -> bool:
        """Return True if a period overlaps the window."""
        return starts_at < self.ends_at and ends_at > self.starts_at

    def weekends(self) -> list["Band"]:
        """Return the Saturdays and Sundays; neighbours are one band."""
        return self._day_bands(day for day in self.dates if day.weekday() >= SATURDAY)

    def days(self, days: Collection[dt.date]) -> list[tuple[dt.date, "Band"]]:
        """Return the bands of these dates that are in the window."""
        return [
            (day, self.band(begin, end))
            for day, (begin, end) in zip(self.dates, pairwise(self.day_starts), strict=True)
            if day in days
        ]

    def _day_bands(self, days: Iterable[dt.date]) -> list["Band"]:
        periods: list[Period] = []
        for day in days:
            index = self.dates.index(day)
            begin, end = self.day_starts[index], self.day_starts[index + 1]
            if periods and periods[-1][1] == begin:
                begin = periods.pop()[0]
            periods.append((begin, end))
        return [self.band(begin, end) for begin, end in periods]


@dataclass(frozen=True, slots=True)
class Band:
    """A horizontal extent in percent of the axis."""

    start: float
    length: float

    @property
    def x(self) -> str:
        """The start as an SVG length."""
        return f"{self.start:.3f}%"

    @property
    def width(self) -> str:
        """The length as an SVG length; never so short that it cannot be seen."""
        return f"{max(self.length, MIN_BAR_PERCENT):.3f}%"

    @property
    def has_room(self) -> bool:
        """True if a label fits."""
        return self.length >= MIN_LABEL_PERCENT


@dataclass(frozen=True, slots=True)
class Bar:
    """A period in which an engineer is on call, by their shift or by a cover.

    `other` is the planned engineer of a swapped shift, or the engineer whom a cover covers. `conflicts` are the parts in which
    the engineer is away.
    """

    engineer: Person
    week: dt.date
    starts_at: dt.datetime
    ends_at: dt.datetime
    band: Band
    is_cover: bool
    other: Person | None
    conflicts: tuple[Band, ...]

    @property
    def is_swapped(self) -> bool:
        """True if the shift is a swapped one."""
        return self.other is not None and not self.is_cover


@dataclass(frozen=True, slots=True)
class AbsenceMark:
    """An absence in an engineer's row, with its reason in words."""

    band: Band
    reason: str
    starts_at: dt.datetime
    ends_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Row:
    """An engineer's row: on-call time, time that others cover for them, and absences. `y` is its top in pixels."""

    engineer: Person
    y: int
    height: int
    bars: tuple[Bar, ...]
    covered: tuple[Band, ...]
    absences: tuple[AbsenceMark, ...]

    @property
    def bar_y(self) -> int:
        """The top of the row's bars in pixels."""
        return self.y + BAR_MARGIN

    @property
    def bar_height(self) -> int:
        """The height of the row's bars in pixels."""
        return self.height - 2 * BAR_MARGIN

    @property
    def conflict_y(self) -> int:
        """The top of the stripe at the bottom of a bar that marks a conflict."""
        return self.bar_y + self.bar_height - CONFLICT_HEIGHT

    @property
    def text_y(self) -> int:
        """The baseline of a label, from the top of its bar."""
        return self.bar_height // 2 + 4


@dataclass(frozen=True, slots=True)
class Gap:
    """A period in which nobody is on call in the rotation because it has no shift, or in which pipelines are uncovered."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    band: Band
    pipelines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Board:
    """A rotation on the axis: a row for each engineer, then the gaps."""

    rows: tuple[Row, ...]
    gaps: tuple[Gap, ...]
    row_height: int

    @property
    def gap_y(self) -> int:
        """The top of the row of gaps in pixels."""
        return len(self.rows) * self.row_height

    @property
    def height(self) -> int:
        """The height of the board in pixels."""
        return self.row_height * (len(self.rows) + bool(self.gaps))

    @property
    def bars(self) -> list[Bar]:
        """All bars in the order of time."""
        return sorted((bar for row in self.rows for bar in row.bars), key=lambda bar: bar.starts_at)


def rotation_parts(schedule: RotationSchedule, *, axis: Axis) -> list[Assignment[Week, Cover]]:
    """Return who is on call in each part that overlaps the window, with its real start and end; parts without a shift have no engineer.

    The schedule is loaded for a week more on both sides.
    """
    first, last = schedule.week_at(axis.starts_at), schedule.week_at(axis.ends_at)
    starts_at = first.starts_at if first else axis.starts_at
    ends_at = last.ends_at if last else axis.ends_at
    covers = schedule.covers_between(starts_at, ends_at)
    parts = assignments(schedule.weeks, covers, starts_at=starts_at, ends_at=ends_at)
    return [part for part in parts if axis.includes(part.starts_at, part.ends_at)]


def engineers_in(schedule: RotationSchedule, *, axis: Axis, today: dt.date) -> list[Person]:
    """Return the engineers of a rotation's rows: the roster of today in its order, then others who are on call in the window.

    Of more than MAX_ROWS, only those who are on call in the window.
    """
    roster = active_roster(schedule.rosters, week=today) or (schedule.rosters[0] if schedule.rosters else None)
    parts = rotation_parts(schedule, axis=axis)
    on_call = dict.fromkeys(span.engineer for part in parts for span in (part.week, part.cover) if span is not None)
    order = list(dict.fromkeys([*(roster.engineers if roster else ()), *on_call]))
    return order if len(order) <= MAX_ROWS else [engineer for engineer in order if engineer in on_call][:MAX_ROWS]


def board(
    schedule: RotationSchedule,
    *,
    axis: Axis,
    engineers: Sequence[Person],
    height: int,
    uncovered: Sequence[tuple[str, dt.datetime, dt.datetime]] = (),
) -> Board:
    """Return the board of a rotation, with one row for each of `engineers`.

    `uncovered` are the coverage gaps of its pipelines: name, start and end.
    """
    parts = rotation_parts(schedule, axis=axis)
    bars: dict[Person, list[Bar]] = {}
    covered: dict[Person, list[Band]] = {}
    for part in parts:
        if part.week is None:
            continue
        bar = _bar(part, part.week, schedule=schedule, axis=axis)
        bars.setdefault(bar.engineer, []).append(bar)
        if part.cover is not None:
            covered.setdefault(part.cover.covered_engineer, []).append(bar.band)
    rows = tuple(
        Row(
            engineer=engineer,
            y=place * height,
            height=height,
            bars=tuple(bars.get(engineer, ())),
            covered=tuple(covered.get(engineer, ())),
            absences=tuple(
                AbsenceMark(axis.band(row.starts_at, row.ends_at), row.reason, row.starts_at, row.ends_at)
                for row in schedule.availability.absences.get(engineer, ())
                if axis.includes(row.starts_at, row.ends_at)
            ),
        )
        for place, engineer in enumerate(engineers)
    )
    return Board(rows, tuple(_gaps(parts, uncovered=uncovered, axis=axis)), height)


def _bar(part: Assignment[Week, Cover], week: Week, *, schedule: RotationSchedule, axis: Axis) -> Bar:
    engineer = part.engineer
    away = schedule.availability.all_away([engineer], starts_at=part.starts_at, ends_at=part.ends_at)
    planned = week.planned_engineer if week.planned_engineer != week.engineer else None
    return Bar(
        engineer=engineer,
        week=week.starts_on,
        starts_at=part.starts_at,
        ends_at=part.ends_at,
        band=axis.band(part.starts_at, part.ends_at),
        is_cover=part.cover is not None,
        other=part.cover.covered_engineer if part.cover else planned,
        conflicts=tuple(axis.band(begin, end) for begin, end in away),
    )


def _gaps(
    parts: Iterable[Assignment[Week, Cover]], *, uncovered: Iterable[tuple[str, dt.datetime, dt.datetime]], axis: Axis
) -> list[Gap]:
    """Return the time without a shift between two shifts, and the uncovered time; equal periods of pipelines are one gap."""
    ordered = list(parts)
    gaps = [
        Gap(part.starts_at, part.ends_at, axis.band(part.starts_at, part.ends_at))
        for part in ordered[1:-1]
        if part.week is None
    ]
    names: dict[Period, list[str]] = {}
    for name, starts_at, ends_at in uncovered:
        if axis.includes(starts_at, ends_at):
            names.setdefault((starts_at, ends_at), []).append(name)
    gaps += [Gap(begin, end, axis.band(begin, end), tuple(pipelines)) for (begin, end), pipelines in names.items()]
    return sorted(gaps, key=lambda gap: gap.starts_at)


@dataclass(frozen=True, slots=True)
class Tick:
    """A line of the axis with its label; "" for a line without one."""

    x: str
    label: str
    is_major: bool


def ticks(axis: Axis, *, weeks: int) -> list[Tick]:
    """Return the lines of the axis: days for up to 4 weeks, else weeks, of which every second has a label from 26 weeks on."""
    daily, sparse = weeks <= 4, weeks >= 26  # the choices of the page
    ticks: list[Tick] = []
    for index, day in enumerate(axis.dates):
        is_monday = day.weekday() == 0
        if not (daily or is_monday):
            continue
        names_month = not daily or index == 0 or day.day == 1
        label = f"{day.day} {day:%b}" if names_month else str(day.day)
        # The label of the first day, and that of a week in half a year, is as wide as two.
        if (daily and index == 1) or (sparse and len(ticks) % 2):
            label = ""
        ticks.append(Tick(f"{axis.percent(axis.day_starts[index]):.3f}%", label, is_monday))
    return ticks


def holiday_marks(axis: Axis, holidays: Mapping[dt.date, str]) -> list[tuple[Band, str]]:
    """Return the public holidays in the window with their names."""
    return [(band, f"{holidays[day]}, {day.day} {day:%b}") for day, band in axis.days(holidays.keys())]
