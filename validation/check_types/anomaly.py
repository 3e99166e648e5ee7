"""Anomaly: the value fits its own history."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from validation.anomaly.scoring import MIN_ALERT_DAYS, MIN_DAYS, DayResult, score_day, score_series
from validation.domain.check_type import CheckType
from validation.domain.comparisons import MISSING
from validation.domain.parameters import BySegment, number
from validation.domain.results import CheckOutcome, EvaluationContext, ResultStatus


@dataclass(frozen=True, kw_only=True)
class AnomalyParameters(BySegment):
    """How many alerts to expect, and which deviations matter."""

    alert_budget: float = number("Alert budget", "Alerts per year.", default=4.0, least=0.5, most=365)
    least_percent: float = number(
        "Minimum deviation (%)",
        "Days closer to their forecast than this are never anomalies.",
        default=10.0,
        least=0,
        most=90,
    )


class Anomaly(CheckType[AnomalyParameters]):
    """Evaluate the value against its weekday pattern, its level and its own threshold; see `validation.anomaly`."""

    name = "anomaly"
    label = "Anomaly"
    summary = f"the value fits its own history; results after {MIN_DAYS} days, alerts after {MIN_ALERT_DAYS}"
    failure = "Anomaly"
    parameters_class = AnomalyParameters
    has_quick_range = False

    def history(self, parameters: AnomalyParameters, *, bucket: dt.datetime, step: dt.timedelta) -> dt.timedelta:
        """Return four years, to learn the effects of the calendar and what happens every year."""
        return dt.timedelta(days=4 * 366)

    def backtest_history(
        self, parameters: AnomalyParameters, *, bucket: dt.datetime, step: dt.timedelta
    ) -> dt.timedelta:
        """Return four months: enough to alert from the first evaluated day on."""
        return dt.timedelta(days=120)

    def evaluate(self, parameters: AnomalyParameters, context: EvaluationContext) -> CheckOutcome:
        """Return the outcome for the value of the bucket."""
        value = context.series.at(context.bucket)
        if value is None:
            return MISSING
        points = zip(context.series.buckets, context.series.values, strict=True)
        history = _comparable_days([point for point in points if point[0] < context.bucket], context)
        day = context.local_date(context.bucket)
        return _outcome(score_day(history, day=day, value=value, **_settings(parameters, context)), history, value)

    def backtest(
        self, parameters: AnomalyParameters, context: EvaluationContext
    ) -> Callable[[dt.datetime], ResultStatus] | None:
        """Return the status of each bucket from one pass; evaluating each day separately takes a second per day."""
        if parameters.by_segment:
            return None
        points = list(zip(context.series.buckets, context.series.values, strict=True))
        results = score_series(_comparable_days(points, context), **_settings(parameters, context))
        by_day = {result.day: result for result in results}

        def status(bucket: dt.datetime) -> ResultStatus:
            result = by_day.get(context.local_date(bucket))
            if result is None:
                return ResultStatus.SKIP
            is_known = context.local_date(bucket) in context.unusual_days
            return ResultStatus.PASS if is_known and result.is_flagged else _status(result)

        return status


def _comparable_days(
    points: list[tuple[dt.datetime, float]], context: EvaluationContext
) -> list[tuple[dt.date, float]]:
    """Return the dates and values at the evaluated hour, without days on which no data is expected."""
    return [
        (context.local_date(bucket), value)
        for bucket, value in points
        if context.is_comparable(bucket) and context.local_date(bucket) not in context.off_days
    ]


def _settings(parameters: AnomalyParameters, context: EvaluationContext) -> dict[str, Any]:
    return {
        "kind": "ratio" if context.kind == "ratio" else "count",
        "holidays": context.holidays,
        "known_events": context.unusual_days,
        "alert_budget": parameters.alert_budget,
        "least_deviation": parameters.least_percent / 100,
    }


def _status(result: DayResult) -> ResultStatus:
    """Return the status of a day. With too little history to set a threshold, an anomaly only warns."""
    if result.maturity == "learning":
        return ResultStatus.SKIP
    if not result.is_flagged:
        return ResultStatus.PASS
    return ResultStatus.FAIL if result.maturity == "alerting" else ResultStatus.WARN


def _outcome(result: DayResult, history: list[tuple[dt.date, float]], value: float) -> CheckOutcome:
    status = _status(result)
    if status == ResultStatus.SKIP:
        return CheckOutcome(status, f"{len(history)} of {MIN_DAYS} days of history.", value)
    return CheckOutcome(status, result.reason or "Within the expected range.", value, result.lower, result.upper)
