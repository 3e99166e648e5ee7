"""Target: the sum to date, or the value, is close enough to dated targets."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import ClassVar

from common.formatting import format_day
from validation.domain.check_type import Chart, CheckType
from validation.domain.comparisons import MISSING_VALUE, compare_with_value
from validation.domain.parameters import Tolerance, amounts, choice, date
from validation.domain.results import CheckOutcome, EvaluationContext, ResultStatus

MAX_DAYS = 3700


@dataclass(frozen=True, kw_only=True)
class TargetParameters(Tolerance):
    """Dated targets, and how far the value may be from them."""

    DEFAULT_PERCENT: ClassVar[dict[str, float]] = {"warn_percent": 5.0, "fail_percent": 10.0}

    targets: dict[dt.date, float] = amounts(
        "Targets", "Dated amounts, one per line, such as 2026-12-31 1200000. Pro rata between dates."
    )
    starts_on: dt.date = date("Starts on", "First day of the sum.")
    mode: str = choice("Compare", choices=(("sum", "The sum to date"), ("level", "The value")), default="sum")


class Target(CheckType[TargetParameters]):
    """Compare the sum since a date, or the value, with dated targets, interpolated between dates."""

    name = "target"
    label = "Target"
    summary = "the sum to date, or the value, is close enough to dated targets, pro rata between them"
    failure = "Off target"
    parameters_class = TargetParameters
    example = {"targets": {"2026-12-31": 100}, "starts_on": "2026-10-01"}

    def chart(self, parameters: TargetParameters | None) -> Chart:
        """Return the running sum, if the sum is what is compared."""
        return Chart.RUNNING_SUM if parameters and parameters.mode == "sum" else Chart.POINTS

    def history(self, parameters: TargetParameters, *, bucket: dt.datetime, step: dt.timedelta) -> dt.timedelta:
        """Return the time since the first day of the sum."""
        days = max((bucket.date() - parameters.starts_on).days, 0) + 1
        return dt.timedelta(days=min(days, MAX_DAYS))

    def chart_values(
        self, parameters: TargetParameters, context: EvaluationContext
    ) -> Sequence[tuple[dt.datetime, float]]:
        """Return the sum since the first day, at each bucket that has a value, oldest first."""
        counted = [
            (bucket, amount)
            for bucket, amount in zip(context.series.buckets, context.series.values, strict=True)
            if context.local_date(bucket) >= parameters.starts_on
        ]
        sums = accumulate(amount for _, amount in counted)
        return [(bucket, total) for (bucket, _), total in zip(counted, sums, strict=True)]

    def evaluate(self, parameters: TargetParameters, context: EvaluationContext) -> CheckOutcome:
        """Return the outcome for the bucket."""
        day = context.local_date(context.bucket)
        if day < parameters.starts_on:
            return CheckOutcome(ResultStatus.SKIP, f"Starts on {format_day(parameters.starts_on)}.")
        expected = _target_on(day, parameters)
        if expected is None:
            return CheckOutcome(ResultStatus.SKIP, f"The last target was for {format_day(max(parameters.targets))}.")
        if parameters.mode == "level":
            value = context.series.at(context.bucket)
        else:
            sums = [
                total for bucket, total in self.chart_values(parameters, context) if context.local_date(bucket) <= day
            ]
            value = sums[-1] if sums else None
        if value is None:
            return MISSING_VALUE
        return compare_with_value(value, expected, parameters, reference_name=f"target for {format_day(day)}")


def _target_on(day: dt.date, parameters: TargetParameters) -> float | None:
    """Return the target for a day, interpolated by days between two dates, or None after the last date."""
    dated = list(parameters.targets.items())
    start = (parameters.starts_on - dt.timedelta(days=1), 0.0 if parameters.mode == "sum" else dated[0][1])
    for (first, from_amount), (last, to_amount) in pairwise([start, *dated]):
        if first < day <= last:
            return float(from_amount + (to_amount - from_amount) * ((day - first) / (last - first)))
    return None
