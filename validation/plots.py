"""Coordinates of the charts of checks: values, expected range, failed results, known events; sparklines; heat maps."""

import datetime as dt
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from common.formatting import format_count, format_day, format_value
from validation.domain.axis_ticks import labelled_ticks
from validation.domain.backtests import Backtest, history_outcomes
from validation.domain.buckets import bucket_time
from validation.domain.check_type import Chart
from validation.domain.parameters import Parameters
from validation.domain.results import CheckOutcome, EvaluationContext
from validation.models import Check
from validation.queries.checks import check_events
from validation.queries.evaluation_context import check_granularity
from validation.queries.plot_data import MAX_RANGES, MAX_VALUES, PlotData, SegmentDays, metric_values, plot_data
from validation.queries.sparklines import RecentValues, recent_values

LEFT_MARGIN, RIGHT_MARGIN, TOP_MARGIN, BOTTOM_MARGIN = 64, 12, 12, 28
LABEL_CHARACTER_WIDTH = 7
DATE_LABEL_WIDTH = 140
# The expected range bridges a gap of a weekend between two results.
MAX_BAND_GAP_BUCKETS = 3.5
MAX_LINE_GAP_BUCKETS = 1.5
# Strips narrower than this, in SVG units, are left out: nobody can point at one, and they would make the page too large.
MIN_HOVER_WIDTH, MAX_ROWS = 1.4, 120
LAST_LABEL_WIDTH = 60
MAX_CHART_EVENTS = 100
SPARK_WIDTH, SPARK_HEIGHT, SPARK_MARGIN = 96, 24, 3
CELL_SIZE, CELL_GAP = 12, 2


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a chart, in SVG units."""

    width: int = 960
    height: int = 280
    left_margin: int = LEFT_MARGIN
    # Width of a date without a time.
    day_label_width: int = DATE_LABEL_WIDTH


FULL_SIZE, SMALL_SIZE = Size(), Size(360, 120)
# A chart on a phone is as wide as the screen: if it scrolled, its y axis would be out of view.
NARROW_SIZE = Size(320, 220, left_margin=0, day_label_width=70)


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
    size: Size
    unit: str = ""
    left: int = LEFT_MARGIN
    top: int = TOP_MARGIN
    # The same chart for a phone, if this one has the full size.
    narrow: "Plot | None" = None

    @property
    def summary(self) -> str:
        """What the chart shows, in words."""
        return format_count(self.count, "value") + (" and their expected range" if self.bands else "")

    @property
    def right(self) -> int:
        """The right end of the x axis."""
        return self.size.width - RIGHT_MARGIN

    @property
    def drawn_height(self) -> int:
        """The height between the top and the x axis."""
        return self.size.height - TOP_MARGIN - BOTTOM_MARGIN


@dataclass(frozen=True, slots=True)
class _Frame:
    """The visible window: instants on the x axis, values on the y axis."""

    first: dt.datetime
    last: dt.datetime
    low: float
    high: float
    step: dt.timedelta
    left: int
    size: Size

    @property
    def right(self) -> int:
        """The right end of the x axis."""
        return self.size.width - RIGHT_MARGIN

    def x(self, at: dt.datetime) -> float:
        """Return the x coordinate of an instant. A single value is at the right, which a phone shows first."""
        span = (self.last - self.first).total_seconds()
        if not span:
            return self.right
        return round(self.left + (self.right - self.left) * (at - self.first).total_seconds() / span, 1)

    def y(self, value: float) -> float:
        """Return the y coordinate of a value."""
        return round(
            TOP_MARGIN + (self.size.height - TOP_MARGIN - BOTTOM_MARGIN) * (self.high - value) / (self.high - self.low),
            1,
        )


def build_plot(
    points: Sequence[ChartValue],
    *,
    step: dt.timedelta,
    daily: bool,
    unit: str = "",
    events: Mapping[dt.date, str] | None = None,
    size: Size = FULL_SIZE,
) -> Plot | None:
    """Return the chart of values, oldest first, or None if no value can be drawn."""
    drawn = [point for point in points if point.value is not None and math.isfinite(point.value)]
    if not drawn:
        return None
    low, high = _heights(points)
    # Zeros with a limit such as 0.02 need labels between whole numbers.
    is_whole = high - low >= 1 and all(point.value is None or point.value == int(point.value) for point in drawn)
    ticks = labelled_ticks(low, high, unit=unit, is_whole=is_whole)
    left = max(size.left_margin, 12 + LABEL_CHARACTER_WIDTH * max((len(text) for _, text in ticks), default=0))
    frame = _Frame(points[0].bucket, points[-1].bucket, low, high, step, left, size)
    is_full = size == FULL_SIZE
    return Plot(
        narrow=build_plot(points, step=step, daily=daily, unit=unit, events=events, size=NARROW_SIZE)
        if is_full
        else None,
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
        size=size,
        unit=unit,
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
    if frame.right - frame.left < len(drawn) * MIN_HOVER_WIDTH:
        return
    xs = [frame.x(point.bucket) for point in drawn]
    edges = [float(frame.left), *((left + right) / 2 for left, right in pairwise(xs)), float(frame.right)]
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
            begin, end = max(frame.left, frame.x(at - half)), min(frame.right, frame.x(at + half))
            yield Shade(begin, round(max(end - begin, 2), 1), name)


def _dates(points: Sequence[ChartValue], *, frame: _Frame, daily: bool) -> Iterator[Tick]:
    label_width = frame.size.day_label_width if daily else DATE_LABEL_WIDTH
    every = max(1, math.ceil(len(points) * label_width / (frame.right - frame.left)))
    for index in range(0, len(points), every):
        at = points[index].bucket
        x = frame.x(at)
        anchor = "start" if index == 0 and len(points) > 1 else "middle"
        if x > frame.right - LAST_LABEL_WIDTH / 2:
            anchor = "end"
        yield Tick(x, format_day(at, "short") if daily else f"{format_day(at, 'short')} {at:%H:%M}", anchor)


def check_plot(check: Check, *, days: int | None, size: Size = FULL_SIZE) -> Plot | None:
    """Return the chart of a check's newest `days` days, or of all its values; None without values."""
    values = [_chart_value(row) for row in plot_data(check, days=days)]
    if not values:
        return None
    # Results without buckets are drawn at the time of their run, as one line.
    is_per_bucket = check.has_backtest
    step = check_granularity(check).step if is_per_bucket else dt.timedelta(days=365)
    daily = is_per_bucket and step >= dt.timedelta(days=1)
    return build_plot(values, step=step, daily=daily, unit=check.value_unit, events=_events(check, values), size=size)


def shows_runs(check: Check) -> bool:
    """Return True if a check's chart has a value per run, not per bucket of its metric."""
    return check.type.chart(check.type.load_draft(check.parameters)) == Chart.RUNS


def metric_plot(check: Check, *, days: int | None, size: Size = FULL_SIZE) -> Plot | None:
    """Return the chart of the metric of a check, without results; None without a metric or values."""
    if check.metric is None:
        return None
    values = [ChartValue(row.bucket, row.value) for row in metric_values(check.metric, days=days)]
    if not values:
        return None
    step = check.metric.step
    return build_plot(
        values,
        step=step,
        daily=step >= dt.timedelta(days=1),
        unit=check.metric.unit,
        events=_events(check, values),
        size=size,
    )


def incident_plot(check: Check, *, days: int) -> Plot | None:
    """Return a small chart for an incident: the values that the check evaluates, or those of its metric if it evaluates runs."""
    if check.metric is None or not shows_runs(check):
        return check_plot(check, days=days, size=SMALL_SIZE)
    return metric_plot(check, days=days, size=SMALL_SIZE)


def _chart_value(row: PlotData) -> ChartValue:
    result = row.result
    if result is None:
        return ChartValue(row.bucket, row.value, low=row.low, high=row.high)
    return ChartValue(row.bucket, row.value, result.status, row.low, row.high, result.expected, result.message)


def _events(check: Check, values: Sequence[ChartValue]) -> dict[dt.date, str]:
    """Return the names of the known events by day, in the time of the values."""
    first, last = values[0].bucket.date(), values[-1].bucket.date()
    events: dict[dt.date, str] = {}
    for event in check_events(check).filter(ends_on__gte=first)[:MAX_CHART_EVENTS]:
        day = max(event.starts_on, first)
        while day <= min(event.ends_on, last):
            events[day] = event.name
            day += dt.timedelta(days=1)
    return events


def backtest_plot(
    check: Check,
    *,
    parameters: Parameters,
    context: EvaluationContext,
    buckets: Sequence[dt.datetime],
    tested: Backtest,
) -> Plot | None:
    """Return the chart of a backtest: the values, the expected range of its thresholds, and the alerts they would have raised."""
    shown = list(buckets)[-MAX_VALUES:]
    outcomes: Mapping[dt.datetime, CheckOutcome] = {}
    if check.type.has_quick_range and not check.type.is_by_segment(parameters):
        outcomes = history_outcomes(check.type, parameters=parameters, context=context, buckets=shown[-MAX_RANGES:])
    values: dict[dt.datetime, float | None] = dict(zip(context.series.buckets, context.series.values, strict=True))
    if check.type.chart(parameters) != Chart.POINTS and outcomes:
        values = {bucket: outcome.value for bucket, outcome in outcomes.items()}
    alerts, step = set(tested.alerts), context.step
    points = []
    for bucket in shown:
        if (value := values.get(bucket)) is None:
            continue
        outcome, is_alert = outcomes.get(bucket), bucket_time(bucket, step=step) in alerts
        low, high = (outcome.low, outcome.high) if outcome else (None, None)
        points.append(
            ChartValue(bucket, value, "fail" if is_alert else "", low, high, message="Alert." if is_alert else "")
        )
    if not points:
        return None
    return build_plot(
        points, step=step, daily=step >= dt.timedelta(days=1), unit=check.value_unit, events=_events(check, points)
    )


@dataclass(frozen=True, slots=True)
class Sparkline:
    """A small chart of a list, in SVG units: the line, its last point, the expected range, and what it shows in words."""

    line: str
    x: float
    y: float
    band_y: float | None
    band_height: float
    title: str
    width: int = SPARK_WIDTH
    height: int = SPARK_HEIGHT


def build_sparkline(recent: RecentValues, *, unit: str, shows_range: bool) -> Sparkline | None:
    """Return a sparkline of the recent values, or None if fewer than two can be drawn.

    `shows_range`: the expected range is one of the values, not of what is computed from them.
    """
    values = [value for value in recent.values if math.isfinite(value)]
    if len(values) < 2:  # A line
        return None
    bounds = [
        bound for bound in (recent.low, recent.high) if shows_range and bound is not None and math.isfinite(bound)
    ]
    low, high = min(values), max(values)
    # A bound far away would flatten the line.
    spread = (high - low) or abs(high) or 1.0
    bounds = [bound for bound in bounds if low - spread <= bound <= high + spread]
    low, high = min([low, *bounds]), max([high, *bounds])
    scale = (SPARK_HEIGHT - 2 * SPARK_MARGIN) / ((high - low) or 1.0)

    def y(value: float) -> float:
        return round(SPARK_MARGIN + (high - value) * scale, 1) if high > low else SPARK_HEIGHT / 2

    step = (SPARK_WIDTH - 2 * SPARK_MARGIN) / (len(values) - 1)
    xs = [round(SPARK_MARGIN + index * step, 1) for index in range(len(values))]
    band_y, band_height = None, 0.0
    if bounds:
        top = y(recent.high) if recent.high in bounds and recent.high is not None else 0.0
        bottom = y(recent.low) if recent.low in bounds and recent.low is not None else float(SPARK_HEIGHT)
        band_y, band_height = top, round(max(bottom - top, 1.0), 1)
    title = (
        f"Last {len(values)} values: {format_value(min(values), unit=unit)} to {format_value(max(values), unit=unit)}."
    )
    points = " ".join(f"{x},{y(value)}" for x, value in zip(xs, values, strict=True))
    return Sparkline(points, xs[-1], y(values[-1]), band_y, band_height, title)


@dataclass(frozen=True, slots=True)
class CheckRow:
    """A check in a list, with the sparkline of its metric."""

    check: Check
    spark: Sparkline | None


def check_rows(checks: Iterable[Check]) -> list[CheckRow]:
    """Return the rows of a list of checks; one query for all sparklines."""
    listed = list(checks)
    recent = recent_values(listed)
    return [CheckRow(check, _sparkline(check, recent.get(check.pk))) for check in listed]


def _sparkline(check: Check, recent: RecentValues | None) -> Sparkline | None:
    if recent is None or check.metric is None:
        return None
    shows_range = check.type.chart(check.type.load_draft(check.parameters)) == Chart.POINTS
    return build_sparkline(recent, unit=check.metric.unit, shows_range=shows_range)


@dataclass(frozen=True, slots=True)
class Cell:
    """A day or hour of a heat map: `state` is ok, missing or off."""

    x: int
    state: str
    title: str


@dataclass(frozen=True, slots=True)
class HeatRow:
    """A row of a heat map: a segment with its days or hours."""

    label: str
    y: int
    cells: tuple[Cell, ...]
    missing: int


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Received data by segment and day or hour, in SVG units."""

    rows: tuple[HeatRow, ...]
    first: dt.date | dt.datetime
    last: dt.date | dt.datetime
    width: int
    height: int
    cell: int = CELL_SIZE


def build_heat_map(segments: Sequence[SegmentDays], *, step: dt.timedelta) -> HeatMap | None:
    """Return the heat map of segments with the same days or hours, oldest first, or None if there are none."""
    if not segments or not segments[0].buckets:
        return None
    pitch = CELL_SIZE + CELL_GAP
    rows = []
    for place, segment in enumerate(segments):
        cells = []
        for index, bucket in enumerate(segment.buckets):
            state = "ok" if bucket in segment.present else "off" if bucket in segment.off else "missing"
            words = {"ok": "arrived", "off": "not expected", "missing": "missing"}[state]
            time = (
                format_day(bucket.date())
                if step >= dt.timedelta(days=1)
                else f"{format_day(bucket.date())}, {bucket:%H:%M} UTC"
            )
            cells.append(Cell(index * pitch, state, f"{time}: {words}"))
        missing = sum(cell.state == "missing" for cell in cells)
        rows.append(HeatRow(segment.name or "Total", place * pitch, tuple(cells), missing))
    buckets = segments[0].buckets
    return HeatMap(
        tuple(rows),
        bucket_time(buckets[0], step=step),
        bucket_time(buckets[-1], step=step),
        len(buckets) * pitch,
        len(rows) * pitch,
    )
