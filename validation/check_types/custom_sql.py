"""Custom SQL: a query returns no rows, or one number within bounds."""

from dataclasses import dataclass

from common.formatting import format_count
from validation.domain.check_type import CheckType
from validation.domain.comparisons import compare_with_bounds
from validation.domain.parameters import Bounds, choice
from validation.domain.results import CheckOutcome, EvaluationContext, ResultStatus

MAX_ROWS_SHOWN = 3
MAX_CELL_LENGTH = 60


@dataclass(frozen=True, kw_only=True)
class CustomSqlParameters(Bounds):
    """What the query should return."""

    expect: str = choice(
        "Expected result", choices=(("no_rows", "No rows"), ("number", "One number within bounds")), default="no_rows"
    )

    def problems(self) -> dict[str, list[str]]:
        """Return an error for a number without bounds, or for a minimum above its maximum."""
        if self.expect == "number" and not self.has_bounds:
            return {"fail_below": ["Set at least one threshold."]}
        return Bounds.problems(self)


class CustomSql(CheckType[CustomSqlParameters]):
    """Evaluate the result of the check's own query: no rows, or one number within its bounds."""

    name = "custom_sql"
    label = "Custom SQL"
    summary = "a query returns no rows, or one number within bounds"
    failure = "Query check failed"
    parameters_class = CustomSqlParameters
    needs_metric = False
    needs_query = True
    is_per_bucket = False

    def unit(self, parameters: CustomSqlParameters | None, *, metric_unit: str) -> str:
        """Return failing rows, or no unit for a number."""
        return "failing" if parameters and parameters.expect == "no_rows" else ""

    def evaluate(self, parameters: CustomSqlParameters, context: EvaluationContext) -> CheckOutcome:
        """Return the outcome for the rows of the query."""
        if parameters.expect == "no_rows":
            return _expect_no_rows(context)
        cell = context.rows[0][0] if context.rows and context.rows[0] else None
        if cell is None:
            return CheckOutcome(ResultStatus.UNKNOWN, "The query returned no value.")
        try:
            value = float(cell)  # type: ignore[arg-type]  # the query may return any type
        except (TypeError, ValueError):
            details = f"It returned “{str(cell)[:MAX_CELL_LENGTH]}”."
            return CheckOutcome(ResultStatus.ERROR, "The query did not return a number.", details=details)
        return compare_with_bounds(value, parameters)


def _expect_no_rows(context: EvaluationContext) -> CheckOutcome:
    count = len(context.rows)
    if not count:
        return CheckOutcome(ResultStatus.PASS, "No failing rows.", 0.0, None, 0.0)
    rows = "; ".join(", ".join(str(cell)[:MAX_CELL_LENGTH] for cell in row) for row in context.rows[:MAX_ROWS_SHOWN])
    message = f"{format_count(count, 'failing row')}."
    return CheckOutcome(ResultStatus.FAIL, message, float(count), None, 0.0, details=rows)
