"""Ratio: one metric divided by another is within bounds."""

from dataclasses import dataclass

from validation.domain.check_type import Chart, CheckType
from validation.domain.comparisons import MISSING_VALUE, compare_with_bounds
from validation.domain.parameters import Bounds
from validation.domain.results import CheckOutcome, EvaluationContext, ResultStatus


@dataclass(frozen=True, kw_only=True)
class RatioParameters(Bounds):
    """Bounds of the ratio."""

    def problems(self) -> dict[str, list[str]]:
        """Return an error without any bound, or for a minimum above its maximum."""
        return Bounds.problems(self) if self.has_bounds else {"fail_below": ["Set at least one threshold."]}


class Ratio(CheckType[RatioParameters]):
    """Evaluate the metric divided by another metric. A zero denominator gives an unknown result."""

    name = "ratio"
    label = "Ratio"
    summary = "one metric divided by another is within bounds; a zero denominator is unknown"
    failure = "Ratio out of range"
    parameters_class = RatioParameters
    example = {"fail_below": 0, "fail_above": 1}

    def unit(self, parameters: RatioParameters | None, *, metric_unit: str) -> str:
        """Return no unit: the value comes from two metrics."""
        return ""

    def chart(self, parameters: RatioParameters | None) -> Chart:
        """Return the results: no data point has the value."""
        return Chart.BUCKET_RESULTS

    def other_metric_problem(self, parameters: RatioParameters | None) -> str:
        """Return that it needs a denominator."""
        return "Choose the metric to divide by."

    def evaluate(self, parameters: RatioParameters, context: EvaluationContext) -> CheckOutcome:
        """Return the outcome for the ratio of the bucket."""
        numerator, denominator = context.series.at(context.bucket), context.other_series.at(context.bucket)
        if numerator is None or denominator is None:
            return MISSING_VALUE
        if denominator == 0:
            return CheckOutcome(ResultStatus.UNKNOWN, "The denominator is zero.")
        return compare_with_bounds(numerator / denominator, parameters, name="Ratio")
