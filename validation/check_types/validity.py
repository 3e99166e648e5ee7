"""Validity: the share of null, not allowed or duplicate values is small enough."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from common.formatting import format_count
from validation.domain.check_type import CheckType
from validation.domain.comparisons import MISSING_VALUE, compare_with_ranges
from validation.domain.parameters import BySegment, flag, lines, number
from validation.domain.results import CheckOutcome, EvaluationContext, ResultStatus

MAX_VALUES_NAMED = 5
MAX_VALUE_LENGTH = 60


@dataclass(frozen=True, kw_only=True)
class ValidityParameters(BySegment):
    """What is valid in the values of a query, and the largest shares of invalid values."""

    allowed_values: tuple[str, ...] = lines("Allowed values", "One per line. Default: any value. For SQL only.")
    allow_null: bool = flag("Allow null", "For SQL only.")
    is_unique: bool = flag("No duplicates", "Count repeated values as invalid. For SQL only.")
    warn_above: float | None = number("Warn above", "Share of invalid values, from 0 to 1.", least=0, most=1)
    fail_above: float = number(
        "Fail above", "Share of invalid values, from 0 to 1.", default=0.0, required=True, least=0, most=1
    )


class Validity(CheckType[ValidityParameters]):
    """Evaluate the share of invalid values: of the check's own query, or a share that a metric has.

    The query returns a value per row, and optionally how many rows of the table have it.
    """

    name = "validity"
    label = "Validity"
    summary = "the share of null, not allowed or duplicate values, of a query or a metric, is small enough"
    failure = "Invalid values"
    parameters_class = ValidityParameters
    needs_metric = False
    accepts_query = True
    max_rows = 100_000

    def data_problem(
        self, parameters: ValidityParameters | None, *, has_metric: bool, has_query: bool
    ) -> dict[str, str]:
        """Return an error without a metric and without a query."""
        return {} if has_metric or has_query else {"metric": "Choose a metric, or a data source and SQL."}

    def evaluate(self, parameters: ValidityParameters, context: EvaluationContext) -> CheckOutcome:
        """Return the outcome for the rows of the query, or for the share of the bucket."""
        if context.rows:
            return _evaluate_rows(parameters, context.rows)
        value = context.series.at(context.bucket)
        return MISSING_VALUE if value is None else _compare(parameters, value)


def _compare(parameters: ValidityParameters, share: float) -> CheckOutcome:
    warn, fail = (None, parameters.warn_above), (None, parameters.fail_above)
    return compare_with_ranges(share, warn=warn, fail=fail, name="Share of invalid values")


def _evaluate_rows(parameters: ValidityParameters, rows: Sequence[Sequence[object]]) -> CheckOutcome:
    counts: Counter[str | None] = Counter()
    for row in rows:
        value, count = (None if row[0] is None else str(row[0])), row[1] if len(row) > 1 else 1
        if not isinstance(count, int | float) or isinstance(count, bool) or count < 0:
            return CheckOutcome(ResultStatus.ERROR, "The second column of the query is not a number of rows.")
        counts[value] += int(count)
    total = sum(counts.values())
    if not total:
        return MISSING_VALUE
    nulls = 0 if parameters.allow_null else counts[None]
    allowed = set(parameters.allowed_values)
    foreign = {
        value: count for value, count in counts.items() if value is not None and allowed and value not in allowed
    }
    repeated = {
        value: count - 1
        for value, count in counts.items()
        if parameters.is_unique and value is not None and value not in foreign and count > 1
    }
    kinds = [
        format_count(nulls, "null") if nulls else "",
        f"{sum(foreign.values()):,} not allowed" if foreign else "",
        format_count(sum(repeated.values()), "duplicate") if repeated else "",
    ]
    invalid = nulls + sum(foreign.values()) + sum(repeated.values())
    listed = "; ".join(kind for kind in kinds if kind)
    message = f"{invalid:,} of {format_count(total, 'value')} invalid{f': {listed}' if listed else ''}."
    details = "; ".join(part for part in (_named("Not allowed", foreign), _named("Duplicate", repeated)) if part)
    return replace(_compare(parameters, invalid / total), message=message, details=details)


def _named(problem: str, counts: Mapping[str, int]) -> str:
    """Return the most frequent of the values with a problem: "Not allowed: x, y"."""
    if not counts:
        return ""
    most_frequent = sorted(counts, key=lambda value: (-counts[value], value))
    named = ", ".join(value[:MAX_VALUE_LENGTH] for value in most_frequent[:MAX_VALUES_NAMED])
    return f"{problem}: {named}{' …' if len(counts) > MAX_VALUES_NAMED else ''}"
