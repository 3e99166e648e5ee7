"""Plots of reports: bars a month, in numbers that a template writes as SVG."""

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from common.formatting import format_duration
from incidents.queries.reports import MonthReport

STEP, BAR, HEIGHT, TOP, FOOT = 76, 44, 140, 22, 22


@dataclass(frozen=True, slots=True)
class Bar:
    """A month's bar: where it stands, how high it is, the words over and under it."""

    x: int
    middle: int
    y: int
    height: int
    words: str
    words_y: int
    month: str


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot with its title, its size in pixels, and its bars."""

    title: str
    width: int
    height: int
    ground: int
    foot: int
    bar: int
    bars: tuple[Bar, ...]


def plots_of(reports: Sequence[MonthReport]) -> list[Plot]:
    """Return the plots of months' reports: incidents, time to acknowledge, time to resolve."""
    return [
        _plot("Incidents", reports, value=lambda row: row.incidents, words=lambda row: str(row.incidents)),
        _plot(
            "Time to acknowledge (median)",
            reports,
            value=lambda row: _seconds(row.to_acknowledge),
            words=lambda row: format_duration(row.to_acknowledge),
        ),
        _plot(
            "Time to resolve (median)",
            reports,
            value=lambda row: _seconds(row.to_resolve),
            words=lambda row: format_duration(row.to_resolve),
        ),
    ]


def _seconds(span: dt.timedelta | None) -> float:
    return span.total_seconds() if span else 0


def _plot(
    title: str,
    reports: Sequence[MonthReport],
    *,
    value: Callable[[MonthReport], float],
    words: Callable[[MonthReport], str],
) -> Plot:
    largest = max((value(row) for row in reports), default=0)
    bars = []
    for place, row in enumerate(reports):
        height = round(HEIGHT * value(row) / largest) if largest else 0
        x, y = place * STEP + (STEP - BAR) // 2, TOP + HEIGHT - height
        bars.append(Bar(x, place * STEP + STEP // 2, y, height, words(row), y - 6, f"{row.month:%b %y}"))
    ground = TOP + HEIGHT
    return Plot(title, STEP * len(reports), ground + FOOT, ground, ground + FOOT - 6, BAR, tuple(bars))
