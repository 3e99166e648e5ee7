"""Validity: the share of null, not allowed or duplicate values is small enough."""

from dataclasses import dataclass

from validation.domain.check_type import CheckType
from validation.domain.comparisons import MISSING, compare_with_ranges
from validation.domain.parameters import BySegment, number
from validation.domain.results import CheckOutcome, EvaluationContext


@dataclass(frozen=True, kw_only=True)
class ValidityParameters(BySegment):
    """The largest shares of invalid values."""

    warn_above: float | None = number("Warn above", "Share of invalid values, from 0 to 1.", least=0, most=1)
    fail_above: float = number(
        "Fail above", "Share of invalid values, from 0 to 1.", default=0.0, required=True, least=0, most=1
    )


class Validity(CheckType[ValidityParameters]):
    """Evaluate the share of invalid values: null, not allowed, or duplicated."""

    name = "validity"
    label = "Validity"
    summary = "the share of null, not allowed or duplicate values is small enough"
    failure = "Invalid values"
    parameters_class = ValidityParameters

    def evaluate(self, parameters: ValidityParameters, context: EvaluationContext) -> CheckOutcome:
        """Return the outcome for the share of the bucket."""
        value = context.series.at(context.bucket)
        if value is None:
            return MISSING
        warn, fail = (None, parameters.warn_above), (None, parameters.fail_above)
        return compare_with_ranges(value, warn=warn, fail=fail, name="Share of invalid values")
