"""The plot of a check: points, the band in which they were expected, verdicts and known events, as places in a drawing."""

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from validation.domain.axis_ticks import labelled_ticks
from validation.domain.formatting import format_value

WIDTH, HEIGHT = 720, 240
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 12, 28
# A character of a label is so wide.
CHARACTER = 7
MOST_LABELS = 6
# A band is drawn through from one judged bucket to the next that is at most so many buckets later: over a weekend.
BAND_REACHES = 3.5


@dataclass(frozen=True, slots=True)
class Spot:
    """A value to be drawn: what was said of it, the band it was expected in, and the known event on its date."""

    bucket: dt.datetime
    value: float | None
    status: str = ""
    low: float | None = None
    high: float | None = None
    expected: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A verdict's place."""

    x: float
    y: float
    status: str
    expected: bool
    title: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A label at an axis."""

    place: float
    text: str


@dataclass(frozen=True, slots=True)
class Shade:
    """A known event's place and name."""

    x: float
    width: float
    words: str


@dataclass(frozen=True, slots=True)
class Row:
    """A value as the table beside the drawing says it."""

    bucket: dt.datetime
    value: str
    low: str
    high: str
    status: str
    expected: str


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing of 720 by 240."""

    lines: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]
    bands: tuple[str, ...]
    marks: tuple[Mark, ...]
    shades: tuple[Shade, ...]
    values: tuple[Tick, ...]
    dates: tuple[Tick, ...]
    rows: tuple[Row, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = WIDTH - RIGHT
    floor: int = HEIGHT - BOTTOM
    top: int = TOP


@dataclass(frozen=True, slots=True)
class _Frame:
    """The window of a drawing: instants across, values down."""

    first: dt.datetime
    last: dt.datetime
    low: float
    high: float
    step: dt.timedelta
    left: int

    def across(self, at: dt.datetime) -> float:
        """Return an instant's place: at the right, where a phone looks first, if there is but one."""
        span = (self.last - self.first).total_seconds()
        if not span:
            return WIDTH - RIGHT
        return round(self.left + (WIDTH - self.left - RIGHT) * (at - self.first).total_seconds() / span, 1)

    def down(self, value: float) -> float:
        """Return a value's place."""
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (self.high - value) / (self.high - self.low), 1)


def build_plot(
    spots: Sequence[Spot],
    *,
    step: dt.timedelta,
    daily: bool,
    unit: str = "",
    events: Mapping[dt.date, str] | None = None,
) -> Plot | None:
    """Return the drawing of values of a unit, oldest first; None where there is nothing to draw."""
    drawn = [spot for spot in spots if spot.value is not None and math.isfinite(spot.value)]
    if not drawn:
        return None
    low, high = _heights(spots)
    ticks = labelled_ticks(low, high, unit=unit)
    left = max(LEFT, 12 + CHARACTER * max((len(text) for _, text in ticks), default=0))
    frame = _Frame(spots[0].bucket, spots[-1].bucket, low, high, step, left)
    return Plot(
        lines=tuple(_lines(drawn, frame=frame)),
        dots=tuple(_dots(drawn, frame=frame)),
        bands=tuple(_bands(spots, frame=frame)),
        marks=tuple(
            Mark(
                frame.across(one.bucket),
                frame.down(one.value),
                one.status,
                bool(one.expected),
                _title(one, daily=daily),
            )
            for one in drawn
            if one.status in ("warn", "fail") and one.value is not None
        ),
        shades=tuple(_shades(events or {}, frame=frame)),
        values=tuple(Tick(frame.down(value), text) for value, text in ticks),
        dates=tuple(_dates(spots, frame=frame, daily=daily)),
        rows=tuple(_row(spot, unit=unit) for spot in reversed(spots)),
        left=left,
    )


def _heights(spots: Sequence[Spot]) -> tuple[float, float]:
    """Return the lowest and the highest value that the drawing shows, a little beyond what is drawn."""
    drawn = [level for spot in spots for level in (spot.value, spot.low, spot.high) if level is not None]
    levels = [level for level in drawn if math.isfinite(level)]
    low, high = min(levels), max(levels)
    margin = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
    return low - margin, high + margin


def _row(spot: Spot, *, unit: str) -> Row:
    value, low, high = (
        "–" if level is None else format_value(level, unit=unit) for level in (spot.value, spot.low, spot.high)
    )
    return Row(spot.bucket, value, low, high, spot.status, spot.expected)


def _title(spot: Spot, *, daily: bool) -> str:
    words = f"{spot.bucket:%Y-%m-%d}" if daily else f"{spot.bucket:%Y-%m-%d %H:%M}Z"
    return f"{words}: {spot.expected or spot.status}. {spot.message}"


def _lines(drawn: Sequence[Spot], *, frame: _Frame) -> Iterator[str]:
    """Yield the points of each unbroken line; a gap breaks it."""
    line: list[str] = []
    before = frame.first
    for spot in drawn:
        if spot.bucket - before > frame.step * 1.5 and line:
            yield " ".join(line)
            line = []
        line.append(f"{frame.across(spot.bucket)},{frame.down(spot.value or 0.0)}")
        before = spot.bucket
    if line:
        yield " ".join(line)


def _dots(drawn: Sequence[Spot], *, frame: _Frame) -> Iterator[tuple[float, float]]:
    """Yield the places of values without a neighbour, of which no line would be seen."""
    far = frame.step * 1.5
    for place, spot in enumerate(drawn):
        around = (*drawn[max(place - 1, 0) : place], *drawn[place + 1 : place + 2])
        if all(abs(other.bucket - spot.bucket) > far for other in around):
            yield frame.across(spot.bucket), frame.down(spot.value or 0.0)


def _bands(spots: Sequence[Spot], *, frame: _Frame) -> Iterator[str]:
    """Yield the outline of each stretch in which a band is known; an open side reaches the edge."""
    stretch: list[Spot] = []
    for spot in (one for one in spots if one.low is not None or one.high is not None):
        if stretch and spot.bucket - stretch[-1].bucket > frame.step * BAND_REACHES:
            yield _outline(stretch, frame=frame)
            stretch = []
        stretch.append(spot)
    if len(stretch) > 1:
        yield _outline(stretch, frame=frame)


def _outline(stretch: Sequence[Spot], *, frame: _Frame) -> str:
    upper = [
        f"{frame.across(one.bucket)},{frame.down(frame.high if one.high is None else one.high)}" for one in stretch
    ]
    lower = [f"{frame.across(one.bucket)},{frame.down(frame.low if one.low is None else one.low)}" for one in stretch]
    return " ".join([*upper, *reversed(lower)])


def _shades(events: Mapping[dt.date, str], *, frame: _Frame) -> Iterator[Shade]:
    half = max(frame.step, dt.timedelta(days=1)) / 2
    for day, words in sorted(events.items()):
        at = dt.datetime.combine(day, dt.time(), dt.UTC)
        if frame.first <= at <= frame.last:
            begin, end = max(frame.left, frame.across(at - half)), min(WIDTH - RIGHT, frame.across(at + half))
            yield Shade(begin, round(max(end - begin, 2), 1), words)


def _dates(spots: Sequence[Spot], *, frame: _Frame, daily: bool) -> Iterator[Tick]:
    every = max(1, math.ceil(len(spots) / MOST_LABELS))
    for place in range(0, len(spots), every):
        at = spots[place].bucket
        yield Tick(frame.across(at), f"{at.day} {at:%b}" if daily else f"{at.day} {at:%b %H:%M}")
