"""Evaluations of stored history: the alerts that a check would have raised, and the expected range of each day."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from validation.domain.buckets import DAY, bucket_time
from validation.domain.check_type import CheckType, evaluate
from validation.domain.parameters import Parameters
from validation.domain.results import (
    COUNTED_STATUSES,
    CheckOutcome,
    Confirmation,
    EvaluationContext,
    ResultStatus,
    Series,
    alert_starts,
    yearly_rate,
)


@dataclass(frozen=True, slots=True)
class Backtest:
    """The result of a backtest: evaluated and skipped buckets, buckets that would have started an alert, and their rate."""

    evaluated: int
    skipped: int
    alerts: tuple[dt.date | dt.datetime, ...]
    alerts_per_year: float


def run_backtest(
    check_type: CheckType[Any],
    *,
    parameters: Parameters,
    context: EvaluationContext,
    buckets: Sequence[dt.datetime],
    confirmation: Confirmation,
) -> Backtest:
    """Return the result for each bucket, oldest first, based only on earlier data.

    Known events raise no alerts.
    """
    status = check_type.backtest(parameters, context) or _bucket_status(check_type, parameters, context)
    statuses = [status(bucket) for bucket in buckets]
    starts = alert_starts(statuses, confirmation=confirmation)
    evaluated = sum(status in COUNTED_STATUSES for status in statuses)
    return Backtest(
        evaluated=evaluated,
        skipped=len(statuses) - evaluated,
        alerts=tuple(bucket_time(buckets[index], step=context.step) for index in starts),
        alerts_per_year=yearly_rate(len(starts), days=evaluated * (context.step / DAY)),
    )


def history_outcomes(
    check_type: CheckType[Any], *, parameters: Parameters, context: EvaluationContext, buckets: Sequence[dt.datetime]
) -> Mapping[dt.datetime, CheckOutcome]:
    """Return the outcome of each bucket with these parameters, without regard to days off and known events."""
    return {bucket: check_type.evaluate(parameters, _at_bucket(context, bucket)) for bucket in buckets}


def _bucket_status(
    check_type: CheckType[Any], parameters: Parameters, context: EvaluationContext
) -> Callable[[dt.datetime], ResultStatus]:
    def status(bucket: dt.datetime) -> ResultStatus:
        try:
            evaluation = evaluate(check_type, parameters=parameters, context=_at_bucket(context, bucket))
        except ArithmeticError:
            return ResultStatus.ERROR
        return ResultStatus.PASS if evaluation.expected else evaluation.outcome.status

    return status


def _at_bucket(context: EvaluationContext, bucket: dt.datetime) -> EvaluationContext:
    """Return the context in which a bucket was evaluated when it ended."""
    return replace(context, bucket=bucket, at=context.bucket_end(bucket), series=_series_until(context.series, bucket))


def _series_until(series: Series, bucket: dt.datetime) -> Series:
    count = len(series.before(bucket)) + (series.at(bucket) is not None)
    return replace(series, buckets=series.buckets[:count], values=series.values[:count])
