"""The anomaly check: compare a day's value with its weekday, level and calendar, using earlier days only.

docs/validation.md describes the rules, the method and how it was measured.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence

from validation.anomaly.detector import AnomalyDetector, DayResult
from validation.anomaly.history import MIN_ALERT_DAYS, MIN_DAYS

__all__ = ["MIN_ALERT_DAYS", "MIN_DAYS", "DayResult", "score_day", "score_series"]

MIN_DEVIATION = 0.1  # of the forecast

_NO_HOLIDAYS: Mapping[dt.date, str] = {}
_NO_VALUES: Mapping[dt.date, float] = {}


def score_day(
    history: Sequence[tuple[dt.date, float]],
    *,
    day: dt.date,
    value: float,
    kind: str = "count",
    holidays: Mapping[dt.date, str] = _NO_HOLIDAYS,
    known_events: Collection[dt.date] = (),
    alert_budget: float = 4.0,
    least_deviation: float = MIN_DEVIATION,
) -> DayResult:
    """Return the result of a day based on earlier days; `history` is oldest first, without days that have no value.

    `kind` is "ratio" for shares, anything else for counts and sums. `holidays` maps dates to names of public holidays.
    `known_events` are days left out of baselines. `alert_budget` is the target number of alerts per year. A day
    less than `least_deviation` (a fraction) off its forecast is never flagged. Raises ValueError for days out of order and
    for values that are not finite.
    """
    return score_series(
        [*history, (day, value)],
        kind=kind,
        holidays=holidays,
        known_events=known_events,
        alert_budget=alert_budget,
        least_deviation=least_deviation,
    )[-1]


def score_series(
    points: Sequence[tuple[dt.date, float]],
    *,
    kind: str = "count",
    holidays: Mapping[dt.date, str] = _NO_HOLIDAYS,
    known_events: Collection[dt.date] = (),
    alert_budget: float = 4.0,
    least_deviation: float = MIN_DEVIATION,
    companion: Mapping[dt.date, float] = _NO_VALUES,
) -> list[DayResult]:
    """Return the result of each day based on earlier days, as `score_day` would; raises ValueError as it does.

    `companion` has the values of another metric that may explain this one.
    """
    detector = AnomalyDetector(
        kind=kind,
        holidays=holidays,
        known_events=known_events,
        alert_budget=alert_budget,
        least_deviation=least_deviation,
    )
    return [detector.step(day, value, companion.get(day)) for day, value in points]
