"""The anomaly check: is a day's value as its weekday, its level and the calendar have it, by the days before it only?

The rules are those of validation.md, "The anomaly check"; docs/validation.md says how it works and how it was measured.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

from validation.anomaly.detector import SPEAKS_AFTER, TELLS_AFTER, AnomalyDetector, DayResult

__all__ = ["SPEAKS_AFTER", "TELLS_AFTER", "DayResult", "score_day", "score_series"]

_NO_HOLIDAYS: Mapping[dt.date, str] = {}


def score_day(
    history: Sequence[tuple[dt.date, float]],
    *,
    day: dt.date,
    value: float,
    kind: str = "count",
    holidays: Mapping[dt.date, str] = _NO_HOLIDAYS,
    known_events: Collection[dt.date] = (),
    alert_budget: float = 4.0,
) -> DayResult:
    """Return how a day's value is judged by the days before it; `history` is oldest first, without days that have no value.

    `kind` is "ratio" for shares, else anything counted or summed; `holidays` the names of public holidays by date;
    `known_events` the days left out of baselines; `alert_budget` the alerts a year to aim at. Raises ValueError for days
    out of order and for values that are no finite numbers.
    """
    return score_series(
        [*history, (day, value)],
        kind=kind,
        holidays=holidays,
        known_events=known_events,
        alert_budget=alert_budget,
    )[-1]


def score_series(
    points: Sequence[tuple[dt.date, float]],
    *,
    kind: str = "count",
    holidays: Mapping[dt.date, str] = _NO_HOLIDAYS,
    known_events: Collection[dt.date] = (),
    alert_budget: float = 4.0,
) -> list[DayResult]:
    """Return how each day is judged by the days before it, as `judge_day` would on that day; raises ValueError as it does."""
    watch = AnomalyDetector(kind=kind, holidays=holidays, known_events=known_events, alert_budget=alert_budget)
    return [watch.step(day, value) for day, value in points]
