"""Reconciliation: two metrics agree, or segments add up to the total."""

from dataclasses import dataclass, replace
from typing import ClassVar

from validation.domain.check_type import CheckType
from validation.domain.comparisons import MISSING_VALUE, compare_with_value
from validation.domain.parameters import Tolerance, choice
from validation.domain.results import CheckOutcome, EvaluationContext, ResultStatus


@dataclass(frozen=True, kw_only=True)
class ReconciliationParameters(Tolerance):
    """What is compared, and how far the values may differ: in percent of the larger, or absolutely."""

    DEFAULT_PERCENT: ClassVar[dict[str, float]] = {"warn_percent": 0.5, "fail_percent": 1.0}

    mode: str = choice(
        "Compare",
        choices=(("two", "Two metrics"), ("parts", "The sum of the segments with the total")),
        default="two",
    )


class Reconciliation(CheckType[ReconciliationParameters]):
    """Compare two metrics that should agree, or the sum of the segments with the total."""

    name = "reconciliation"
    label = "Reconciliation"
    summary = "two metrics agree, or segments add up to the total, within a tolerance"
    failure = "Figures disagree"
    parameters_class = ReconciliationParameters

    def uses_segments(self, parameters: ReconciliationParameters) -> bool:
        """Return True if segments are added up."""
        return parameters.mode == "parts"

    def other_metric_problem(self, parameters: ReconciliationParameters | None) -> str:
        """Return that it needs a second metric, unless segments are added up."""
        return "" if parameters and parameters.mode == "parts" else "Choose the metric to compare with."

    def evaluate(self, parameters: ReconciliationParameters, context: EvaluationContext) -> CheckOutcome:
        """Return the outcome for the difference of the bucket."""
        total = context.series.at(context.bucket)
        if total is None:
            return MISSING_VALUE
        if parameters.mode == "parts":
            return _compare_parts(parameters, context, total)
        other = context.other_series.at(context.bucket)
        if other is None:
            return CheckOutcome(ResultStatus.UNKNOWN, "The other metric has no value for this period.", total)
        return compare_with_value(total, other, parameters, reference_name="the other metric", is_symmetric=True)


def _compare_parts(parameters: ReconciliationParameters, context: EvaluationContext, total: float) -> CheckOutcome:
    values = {name: series.at(context.bucket) for name, series in context.segments.items() if name}
    present = [value for value in values.values() if value is not None]
    if not present:
        return CheckOutcome(ResultStatus.UNKNOWN, "No segment has a value for this period.", total)
    missing = sorted(name for name, value in values.items() if value is None)
    outcome = compare_with_value(sum(present), total, parameters, reference_name="the total", is_symmetric=True)
    listed = f" Missing: {', '.join(missing)}." if missing else ""
    # A sum that fits without a segment says nothing about that segment.
    status = ResultStatus.UNKNOWN if missing and outcome.status == ResultStatus.PASS else outcome.status
    return replace(outcome, status=status, message=f"Sum of segments: {outcome.message}{listed}")
