"""Anomaly: the value fits its own history."""

import datetime as dt
import hashlib
import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from common.formatting import format_number
from validation.anomaly.history import MIN_ALERT_DAYS, MIN_DAYS
from validation.domain.buckets import DAY
from validation.domain.check_type import CheckType
from validation.domain.comparisons import MISSING_VALUE
from validation.domain.parameters import BySegment, number
from validation.domain.results import CheckOutcome, EvaluationContext, ResultStatus, Series, SeriesState

if TYPE_CHECKING:
    from validation.anomaly.detector import AnomalyDetector, DayResult

NEAR_ZERO = 1e-9
MIN_DISTANCE = 0.005  # fraction of the forecast below which a distance rounds to 0%
MIN_EFFECT = 0.005  # fraction of the forecast below which a companion's effect is not shown
SNAPSHOT_PERIOD = dt.timedelta(days=21)  # age up to which weekly states are stored


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

    keeps_state = True
    explains_days = True
    other_metric_label = "Companion metric"
    other_metric_help = "A metric that explains this one, such as the temperature. Optional."

    def history(self, parameters: AnomalyParameters, *, bucket: dt.datetime, step: dt.timedelta) -> dt.timedelta:
        """Return twenty years: the detector learns from the whole history."""
        return dt.timedelta(days=20 * 366)

    def state_settings(
        self, parameters: AnomalyParameters, context: EvaluationContext, *, since: dt.datetime, through: dt.datetime
    ) -> str:
        """Return a hash of the code, the parameters and the calendar from `since` to `through`."""
        from validation.anomaly.state import code_version  # noqa: PLC0415  # it loads NumPy

        first, last = context.local_date(since), context.local_date(through)
        # The days next to a public holiday differ too.
        beside = {day: name for day, name in context.holidays.items() if first - DAY <= day <= last + DAY}
        known, off = (
            sorted(day for day in days if first <= day <= last) for days in (context.known_events, context.off_days)
        )
        settings = (
            code_version(), context.kind, parameters.alert_budget, parameters.least_percent,
            context.zone, sorted(beside.items()), known, off,
        )  # fmt: skip
        return hashlib.sha256(repr(settings).encode()).hexdigest()

    def evaluate(self, parameters: AnomalyParameters, context: EvaluationContext) -> CheckOutcome:
        """Return the outcome for the value of the bucket."""
        value = context.series.at(context.bucket)
        if value is None:
            return MISSING_VALUE
        detector, states = _advance(self, parameters, context)
        days = detector.days
        result = detector.step(context.local_date(context.bucket), value, context.other_series.at(context.bucket))
        return replace(_outcome(result, days, value), states=states)

    def backtest(
        self, parameters: AnomalyParameters, context: EvaluationContext
    ) -> Callable[[dt.datetime], ResultStatus] | None:
        """Return the status of each bucket, from one pass over the history."""
        if parameters.by_segment:
            return None
        by_day = {result.day: result for result in _results(parameters, context)}

        def status(bucket: dt.datetime) -> ResultStatus:
            result = by_day.get(context.local_date(bucket))
            if result is None:
                return ResultStatus.SKIP
            is_known = context.local_date(bucket) in context.unusual_days
            return ResultStatus.PASS if is_known and result.is_flagged else _status(result)

        return status

    def explain(self, parameters: AnomalyParameters, context: EvaluationContext) -> Sequence[tuple[str, str]]:
        """Return labels and texts: the forecast and range of the evaluated day, and why it alerted or did not."""
        value = context.series.at(context.bucket)
        if value is None:
            return [("Result", "No value.")]
        day = context.local_date(context.bucket)
        if day in context.off_days:
            return [("Value", format_number(value)), ("Result", "No data expected on this day.")]
        detector, _ = _advance(self, parameters, context)
        days = detector.days
        result = detector.step(day, value, context.other_series.at(context.bucket))
        return list(_explanation(result, days=days, value=value, context=context))


def _detector(parameters: AnomalyParameters, context: EvaluationContext) -> "AnomalyDetector":
    # Only what evaluates such checks loads NumPy, which takes an eighth of the time in which the site loads.
    from validation.anomaly.detector import AnomalyDetector  # noqa: PLC0415

    return AnomalyDetector(
        kind="ratio" if context.kind == "ratio" else "count",
        holidays=context.holidays,
        known_events=context.unusual_days,
        alert_budget=parameters.alert_budget,
        least_deviation=parameters.least_percent / 100,
    )


def _results(parameters: AnomalyParameters, context: EvaluationContext) -> "list[DayResult]":
    """Return the result of each day at the evaluated hour, without days on which no data is expected."""
    detector = _detector(parameters, context)
    return [
        detector.step(context.local_date(bucket), value, context.other_series.at(bucket))
        for bucket, value in zip(context.series.buckets, context.series.values, strict=True)
        if context.is_comparable(bucket) and context.local_date(bucket) not in context.off_days
    ]


def _advance(
    check_type: Anomaly, parameters: AnomalyParameters, context: EvaluationContext
) -> "tuple[AnomalyDetector, list[SeriesState]]":
    """Return the detector after all days before the evaluated one, and its states to store: weekly ones and the newest.

    Without points after the state there is nothing to store.
    """
    series, start = context.series, context.series.state
    detector = _detector(parameters, context)
    if start is not None:
        detector.resume(start.data)
    digests = series.digests or [0] * len(series)
    points = [
        point
        for point in zip(series.buckets, series.values, digests, strict=True)
        if context.is_comparable(point[0]) and point[0] < context.bucket
    ]
    if not points:
        return detector, []
    since = start.since if start else points[0][0]
    others = _digests(context.other_series, context=context, after=start.through if start else None, since=since)
    total, through, states = start.digest if start else 0, start.through if start else None, []

    def state(*, at: dt.datetime, is_weekly: bool) -> SeriesState:
        digest = total + others[bisect_right(others, (at, math.inf)) - 1][1]
        settings = check_type.state_settings(parameters, context, since=since, through=at)
        return SeriesState(series.segment, at.hour, since, at, digest, settings, detector.dump(), is_weekly)

    for bucket, value, digest in points:
        day = context.local_date(bucket)
        if through is not None and _week(through) != _week(bucket) and context.bucket - bucket < SNAPSHOT_PERIOD:
            states.append(state(at=through, is_weekly=True))
        if day not in context.off_days:
            detector.step(day, value, context.other_series.at(bucket))
        total, through = total + digest, bucket
    return detector, [*states, state(at=points[-1][0], is_weekly=False)]


def _digests(
    series: Series, *, context: EvaluationContext, after: dt.datetime | None, since: dt.datetime
) -> list[tuple[dt.datetime, int]]:
    """Return the sums of the digests up to each bucket, oldest first, starting with zero."""
    sums = [(dt.datetime.min.replace(tzinfo=dt.UTC), 0)]
    for bucket, digest in zip(series.buckets, series.digests or [0] * len(series), strict=True):
        if context.is_comparable(bucket) and bucket >= since and (after is None or bucket > after):
            sums.append((bucket, sums[-1][1] + digest))
    return sums


def _week(bucket: dt.datetime) -> int:
    return bucket.toordinal() // 7


def _status(result: "DayResult") -> ResultStatus:
    """Return the status of a day. With too little history, or without an alert left in the budget, an anomaly warns."""
    if result.maturity == "learning":
        return ResultStatus.SKIP
    if result.is_withheld:
        return ResultStatus.WARN
    if not result.is_flagged:
        return ResultStatus.PASS
    return ResultStatus.FAIL if result.maturity == "alerting" else ResultStatus.WARN


def _outcome(result: "DayResult", days: int, value: float) -> CheckOutcome:
    status = _status(result)
    if status == ResultStatus.SKIP:
        return CheckOutcome(status, f"{days} of {MIN_DAYS} days of history.", value)
    return CheckOutcome(status, result.reason or "Within the expected range.", value, result.lower, result.upper)


def _explanation(
    result: "DayResult", *, days: int, value: float, context: EvaluationContext
) -> Iterator[tuple[str, str]]:
    yield "Value", format_number(value)
    if result.expected is None or result.lower is None or result.upper is None:
        yield "Result", f"No forecast: {days} of {MIN_DAYS} days of history."
        return
    yield "Forecast", f"{format_number(result.expected)} for a {result.day:%A}{_distance(value, result.expected)}"
    yield "Expected range", f"{format_number(result.lower)} – {format_number(result.upper)}"
    if abs(result.with_companion) >= MIN_EFFECT:
        side = "raises" if result.with_companion > 0 else "lowers"
        yield "Companion metric", f"{side} the forecast by {abs(result.with_companion):.0%}"
    yield "Result", _why(result, days=days, context=context)


def _distance(value: float, expected: float) -> str:
    """Return the distance of the value from its forecast, as the end of a sentence."""
    if abs(expected) < NEAR_ZERO:
        return ""
    off = value / expected - 1
    if abs(off) < MIN_DISTANCE:
        return "; the value is less than 1% off"
    return f"; the value is {abs(off):.0%} {'above' if off > 0 else 'below'}"


def _why(result: "DayResult", *, days: int, context: EvaluationContext) -> str:
    """Return why a day alerted or did not."""
    event = context.known_events.get(result.day, "")
    if event or context.bucket in context.series.acknowledged:
        return f"No alert: expected ({event or 'marked as expected'}). {result.reason}".rstrip()
    if not result.is_flagged:
        return f"No alert. {result.reason}" if result.reason else "No alert: within the expected range."
    if result.maturity == "evaluating":
        return f"Warning: {result.reason} Alerts start after {MIN_ALERT_DAYS} days of history; there are {days}."
    return f"Alert: {result.reason}"
