"""Range: the value is within bounds."""

from dataclasses import dataclass

from validation.domain.check_type import CheckType
from validation.domain.comparisons import MISSING_VALUE, compare_with_bounds
from validation.domain.parameters import Bounds, BySegment
from validation.domain.results import CheckOutcome, EvaluationContext


@dataclass(frozen=True, kw_only=True)
class RangeParameters(BySegment, Bounds):
    """Bounds of the value."""

    def problems(self) -> dict[str, list[str]]:
        """Return an error without any bound, or for a minimum above its maximum."""
        return Bounds.problems(self) if self.has_bounds else {"fail_below": ["Set at least one threshold."]}


class Range(CheckType[RangeParameters]):
    """Evaluate the value against its bounds."""

    name = "range"
    label = "Range"
    summary = "the value is within bounds"
    failure = "Value out of range"
    parameters_class = RangeParameters
    example = {"fail_below": -5, "fail_above": 5}

    def evaluate(self, parameters: RangeParameters, context: EvaluationContext) -> CheckOutcome:
        """Return the outcome for the value of the bucket."""
        value = context.series.at(context.bucket)
        return MISSING_VALUE if value is None else compare_with_bounds(value, parameters)
