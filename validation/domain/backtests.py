"""Backtests: the alerts that a check would have raised on stored history, and the alerts per year."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from validation.anomaly.scoring import score_series
from validation.domain.confirmation import Confirmation, a_year, alerts_in
from validation.domain.evaluation import evaluate
from validation.domain.results import EvaluationContext, ResultStatus, Series


@dataclass(frozen=True, slots=True)
class Backtest:
    """The result of a backtest: evaluated buckets, buckets that would have started an alert, and alerts per year."""

    judged: int
    skipped: int
    alerts: tuple[dt.datetime, ...]
    a_year: float


def backtest(
    check_type: str,
    *,
    parameters: Mapping[str, Any],
    facts: EvaluationContext,
    buckets: Sequence[dt.datetime],
    confirmation: Confirmation,
) -> Backtest:
    """Return the result for each bucket, oldest first, based only on earlier data.

    Known events raise no alerts.
    """
    said: Callable[[dt.datetime], str] = (
        _walked(parameters, facts) if _walks(check_type, parameters) else _judged(check_type, parameters, facts)
    )
    outcomes = [said(bucket) for bucket in buckets]
    begun = alerts_in(outcomes, confirmation=confirmation)
    judged = sum(outcome in (ResultStatus.PASS, ResultStatus.WARN, ResultStatus.FAIL) for outcome in outcomes)
    days = judged * facts.step.total_seconds() / 86_400  # seconds in a day
    return Backtest(
        judged, len(outcomes) - judged, tuple(buckets[place] for place in begun), a_year(len(begun), days=days)
    )


def _walks(check_type: str, parameters: Mapping[str, Any]) -> bool:
    """Return True if one pass over the days evaluates all of them.

    Evaluating each day separately would take about a second per day.
    """
    return check_type == "anomaly" and not parameters.get("by_segment")


def _judged(check_type: str, parameters: Mapping[str, Any], facts: EvaluationContext) -> Callable[[dt.datetime], str]:
    def said(bucket: dt.datetime) -> str:
        series = _until(facts.series, bucket)
        then = replace(facts, bucket=bucket, at=facts.ends_at(bucket), series=series)
        one = evaluate(check_type, parameters=parameters, facts=then)
        return str(ResultStatus.PASS if one.expected else one.verdict.outcome)

    return said


def _until(series: Series, bucket: dt.datetime) -> Series:
    kept = len(series.before(bucket)) + (series.at(bucket) is not None)
    return replace(series, buckets=series.buckets[:kept], values=series.values[:kept])


def _walked(parameters: Mapping[str, Any], facts: EvaluationContext) -> Callable[[dt.datetime], str]:
    points = [
        (facts.date_of(bucket), value)
        for bucket, value in zip(facts.series.buckets, facts.series.values, strict=True)
        if facts.comparable(bucket) and facts.date_of(bucket) not in facts.unexpected
    ]
    judged = score_series(
        points,
        kind="ratio" if facts.kind == "ratio" else "count",
        holidays=facts.holidays,
        known_events=facts.known_days,
        alert_budget=parameters["alert_budget"],
    )
    by_day = {one.day: one for one in judged}

    def said(bucket: dt.datetime) -> str:
        one = by_day.get(facts.date_of(bucket))
        if one is None or one.enough == "none":
            return str(ResultStatus.SKIP)
        if not one.flagged or facts.date_of(bucket) in facts.known_days:
            return str(ResultStatus.PASS)
        return str(ResultStatus.FAIL if one.enough == "tells" else ResultStatus.WARN)

    return said
