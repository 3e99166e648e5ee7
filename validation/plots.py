"""Coordinates of a check's chart: values, expected range, failed results and known events."""

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from common.formatting import format_day, format_value
from validation.domain.axis_ticks import labelled_ticks

WIDTH, HEIGHT = 960, 280
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 12, 28
LABEL_CHARACTER_WIDTH = 7
MAX_DATE_LABELS = 6
# The expected range bridges a gap of a weekend between two results.
MAX_BAND_GAP_BUCKETS = 3.5
MAX_LINE_GAP_BUCKETS = 1.5
# Beyond this, a value is too narrow to be pointed at, and the page would be too large.
MAX_HOVER_VALUES, MAX_ROWS = 400, 120
LAST_LABEL_WIDTH = 60


@dataclass(frozen=True, slots=True)
class ChartValue:
    """A value with its result, its expected range and the known event on its date."""

    bucket: dt.datetime
    value: float | None
    status: str = ""
    low: float | None = None
    high: float | None = None
    expected: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """The position of a failed or warning result."""

    x: float
    y: float
    status: str
    expected: bool
    title: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A label on an axis."""

    position: float
    text: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class Shade:
    """The position and name of a known event."""

    x: float
    width: float
    name: str


@dataclass(frozen=True, slots=True)
class Hover:
    """The strip of the chart in which the pointer shows a value."""

    x: float
    width: float
    title: str


@dataclass(frozen=True, slots=True)
class DataRow:
    """A row of the data table below the chart."""

    time: dt.date | dt.datetime
    value: str
    low: str
    high: str
    status: str
    expected: str


@dataclass(frozen=True, slots=True)
class Plot:
    """A chart, in SVG units."""

    lines: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]
    bands: tuple[str, ...]
    marks: tuple[Mark, ...]
    shades: tuple[Shade, ...]
    values: tuple[Tick, ...]
    dates: tuple[Tick, ...]
    hovers: tuple[Hover, ...]
    rows: tuple[DataRow, ...]
    count: int
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    floor: int = HEIGHT - BOTTOM
    top: int = TOP


@dataclass(frozen=True, slots=True)
class _Frame:
    """The visible window: instants on the x axis, values on the y axis."""

    first: dt.datetime
    last: dt.datetime
    low: float
    high: float
    step: dt.timedelta
    left: int

    def x(self, at: dt.datetime) -> float:
        """Return the x coordinate of an instant. A single value is at the right, which a phone shows first."""
        span = (self.last - self.first).total_seconds()
        if not span:
            return WIDTH - RIGHT
        return round(self.left + (WIDTH - self.left - RIGHT) * (at - self.first).total_seconds() / span, 1)

    def y(self, value: float) -> float:
        """Return the y coordinate of a value."""
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (self.high - value) / (self.high - self.low), 1)


def build_plot(
    points: Sequence[ChartValue],
    *,
    step: dt.timedelta,
    daily: bool,
    unit: str = "",
    events: Mapping[dt.date, str] | None = None,
) -> Plot | None:
    """Return the chart of values, oldest first, or None if no value can be drawn."""
    drawn = [point for point in points if point.value is not None and math.isfinite(point.value)]
    if not drawn:
        return None
    low, high = _heights(points)
    is_whole = all(point.value is None or point.value == int(point.value) for point in drawn)
    ticks = labelled_ticks(low, high, unit=unit, is_whole=is_whole)
    left = max(LEFT, 12 + LABEL_CHARACTER_WIDTH * max((len(text) for _, text in ticks), default=0))
    frame = _Frame(points[0].bucket, points[-1].bucket, low, high, step, left)
    return Plot(
        lines=tuple(_lines(drawn, frame=frame)),
        dots=tuple(_dots(drawn, frame=frame)),
        bands=tuple(_bands(points, frame=frame)),
        marks=tuple(
            Mark(
                frame.x(point.bucket),
                frame.y(point.value),
                point.status,
                bool(point.expected),
                _title(point, daily=daily),
            )
            for point in drawn
            if point.status in ("warn", "fail") and point.value is not None
        ),
        shades=tuple(_shades(events or {}, frame=frame)),
        values=tuple(Tick(frame.y(value), text) for value, text in ticks),
        dates=tuple(_dates(points, frame=frame, daily=daily)),
        hovers=tuple(_hovers(drawn, frame=frame, unit=unit, daily=daily)),
        rows=tuple(_row(point, unit=unit, daily=daily) for point in list(reversed(points))[:MAX_ROWS]),
        count=len(points),
        left=left,
    )


def _heights(points: Sequence[ChartValue]) -> tuple[float, float]:
    """Return the lower and upper end of the y axis, with a margin."""
    drawn = [level for point in points for level in (point.value, point.low, point.high) if level is not None]
    levels = [level for level in drawn if math.isfinite(level)]
    low, high = min(levels), max(levels)
    margin = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    # The axis of numbers that are never negative starts at zero.
    return (0.0 if 0 <= low <= margin else low - margin), high + margin


def _row(point: ChartValue, *, unit: str, daily: bool) -> DataRow:
    value, low, high = (
        "–" if level is None else format_value(level, unit=unit) for level in (point.value, point.low, point.high)
    )
    time = point.bucket.date() if daily else point.bucket
    return DataRow(time, value, low, high, point.status, point.expected)


def _title(point: ChartValue, *, daily: bool) -> str:
    return f"{_time(point, daily=daily)}: {point.expected or point.status}. {point.message}"


def _hovers(drawn: Sequence[ChartValue], *, frame: _Frame, unit: str, daily: bool) -> Iterator[Hover]:
    """Yield a strip for each value, from the middle to its left neighbour to the middle to its right one."""
    if len(drawn) > MAX_HOVER_VALUES:
        return
    xs = [frame.x(point.bucket) for point in drawn]
    edges = [float(frame.left), *((left + right) / 2 for left, right in pairwise(xs)), float(WIDTH - RIGHT)]
    for point, left, right in zip(drawn, edges, edges[1:], strict=False):
        row = _row(point, unit=unit, daily=daily)
        expected = "" if row.low == row.high == "–" else f" Expected: {row.low} to {row.high}."
        result = f" {point.expected or point.message}" if point.status else ""
        yield Hover(
            round(left, 1), round(right - left, 1), f"{_time(point, daily=daily)}: {row.value}.{expected}{result}"
        )


def _time(point: ChartValue, *, daily: bool) -> str:
    date = format_day(point.bucket.date())
    return date if daily else f"{date}, {point.bucket:%H:%M} UTC"


def _lines(drawn: Sequence[ChartValue], *, frame: _Frame) -> Iterator[str]:
    """Yield the points of each line. A gap in the data starts a new line."""
    line: list[str] = []
    previous = frame.first
    for point in drawn:
        if point.bucket - previous > frame.step * MAX_LINE_GAP_BUCKETS and line:
            yield " ".join(line)
            line = []
        line.append(f"{frame.x(point.bucket)},{frame.y(point.value or 0.0)}")
        previous = point.bucket
    if line:
        yield " ".join(line)


def _dots(drawn: Sequence[ChartValue], *, frame: _Frame) -> Iterator[tuple[float, float]]:
    """Yield the positions of values without a neighbour, which no line would show."""
    far = frame.step * MAX_LINE_GAP_BUCKETS
    for index, point in enumerate(drawn):
        neighbours = (*drawn[max(index - 1, 0) : index], *drawn[index + 1 : index + 2])
        if all(abs(neighbour.bucket - point.bucket) > far for neighbour in neighbours):
            yield frame.x(point.bucket), frame.y(point.value or 0.0)


def _bands(points: Sequence[ChartValue], *, frame: _Frame) -> Iterator[str]:
    """Yield the outline of each contiguous expected range. An unbounded side reaches the edge."""
    stretch: list[ChartValue] = []
    for point in (point for point in points if point.low is not None or point.high is not None):
        if stretch and point.bucket - stretch[-1].bucket > frame.step * MAX_BAND_GAP_BUCKETS:
            yield _outline(stretch, frame=frame)
            stretch = []
        stretch.append(point)
    if len(stretch) > 1:
        yield _outline(stretch, frame=frame)


def _outline(stretch: Sequence[ChartValue], *, frame: _Frame) -> str:
    upper = [
        f"{frame.x(point.bucket)},{frame.y(frame.high if point.high is None else point.high)}" for point in stretch
    ]
    lower = [f"{frame.x(point.bucket)},{frame.y(frame.low if point.low is None else point.low)}" for point in stretch]
    return " ".join([*upper, *reversed(lower)])


def _shades(events: Mapping[dt.date, str], *, frame: _Frame) -> Iterator[Shade]:
    half = max(frame.step, dt.timedelta(days=1)) / 2
    for day, name in sorted(events.items()):
        at = dt.datetime.combine(day, dt.time(), dt.UTC)
        if frame.first <= at <= frame.last:
            begin, end = max(frame.left, frame.x(at - half)), min(WIDTH - RIGHT, frame.x(at + half))
            yield Shade(begin, round(max(end - begin, 2), 1), name)


def _dates(points: Sequence[ChartValue], *, frame: _Frame, daily: bool) -> Iterator[Tick]:
    every = max(1, math.ceil(len(points) / MAX_DATE_LABELS))
    for index in range(0, len(points), every):
        at = points[index].bucket
        x = frame.x(at)
        anchor = "start" if index == 0 and len(points) > 1 else "middle"
        if x > WIDTH - RIGHT - LAST_LABEL_WIDTH / 2:
            anchor = "end"
        yield Tick(x, format_day(at, "short") if daily else f"{format_day(at, 'short')} {at:%H:%M}", anchor)
