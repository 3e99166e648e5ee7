"""Monthly bar charts of the incident reports, as coordinates for an SVG template."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from common.formatting import format_duration
from incidents.queries.reports import MonthReport

BAR_STEP, BAR_WIDTH, PLOT_HEIGHT, TOP_MARGIN, BOTTOM_MARGIN = 72, 44, 140, 22, 22


@dataclass(frozen=True, slots=True)
class Bar:
    """A month's bar: its position and height, the label above it and the month below."""

    x: int
    middle: int
    y: int
    height: int
    label: str
    label_y: int
    month: str


@dataclass(frozen=True, slots=True)
class Plot:
    """A chart: its title, its size in pixels, and its bars."""

    title: str
    width: int
    height: int
    ground: int
    foot: int
    bar: int
    bars: tuple[Bar, ...]


def report_plots(reports: Sequence[MonthReport]) -> list[Plot]:
    """Return the charts of incidents, time to acknowledge and time to resolve, without those that have no bar."""
    plots = [
        _plot("Incidents", reports, value=lambda row: row.incidents, label=lambda row: str(row.incidents)),
        _plot(
            "Median time to acknowledge",
            reports,
            value=lambda row: _seconds(row.to_acknowledge),
            label=lambda row: format_duration(row.to_acknowledge),
        ),
        _plot(
            "Median time to resolve",
            reports,
            value=lambda row: _seconds(row.to_resolve),
            label=lambda row: format_duration(row.to_resolve),
        ),
    ]
    return [plot for plot in plots if any(bar.height for bar in plot.bars)]


def _seconds(duration: dt.timedelta | None) -> float:
    return duration.total_seconds() if duration else 0


def _plot(
    title: str,
    reports: Sequence[MonthReport],
    *,
    value: Callable[[MonthReport], float],
    label: Callable[[MonthReport], str],
) -> Plot:
    largest = max((value(row) for row in reports), default=0)
    bars = []
    for index, row in enumerate(reports):
        height = round(PLOT_HEIGHT * value(row) / largest) if largest else 0
        x, y = index * BAR_STEP + (BAR_STEP - BAR_WIDTH) // 2, TOP_MARGIN + PLOT_HEIGHT - height
        bars.append(Bar(x, index * BAR_STEP + BAR_STEP // 2, y, height, label(row), y - 6, f"{row.month:%b %y}"))
    ground = TOP_MARGIN + PLOT_HEIGHT
    return Plot(
        title,
        BAR_STEP * len(reports),
        ground + BOTTOM_MARGIN,
        ground,
        ground + BOTTOM_MARGIN - 6,
        BAR_WIDTH,
        tuple(bars),
    )
