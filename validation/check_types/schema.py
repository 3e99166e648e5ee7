"""Schema: the columns and types of a table match an approved list."""

from dataclasses import dataclass

from common.formatting import format_count
from validation.domain.check_type import CheckType
from validation.domain.parameters import Parameters, lines
from validation.domain.results import CheckOutcome, EvaluationContext, ResultStatus


@dataclass(frozen=True, kw_only=True)
class SchemaParameters(Parameters):
    """The approved columns."""

    columns: tuple[str, ...] = lines("Approved columns", "One per line: name, then type.", required=True)


class Schema(CheckType[SchemaParameters]):
    """Compare columns and types with the approved ones: added columns warn, removed or retyped columns fail."""

    name = "schema"
    label = "Schema"
    summary = "columns and types match an approved list; an added column warns, a removed or changed one fails"
    failure = "Schema change"
    parameters_class = SchemaParameters
    example = {"columns": ["day text"]}
    needs_metric = False
    needs_query = True
    is_per_bucket = False
    max_rows = 2000

    def unit(self, parameters: SchemaParameters | None, *, metric_unit: str) -> str:
        """Return differing columns."""
        return "differing"

    def evaluate(self, parameters: SchemaParameters, context: EvaluationContext) -> CheckOutcome:
        """Return the outcome for the rows of the query: a name and a type each."""
        approved = dict(_column(line) for line in parameters.columns)
        actual = dict(_column(" ".join(str(cell) for cell in row[:2])) for row in context.rows)
        if not actual:
            return CheckOutcome(ResultStatus.FAIL, "The table does not exist or has no columns.")
        removed = sorted(set(approved) - set(actual))
        added = sorted(set(actual) - set(approved))
        retyped = sorted(
            name for name in set(approved) & set(actual) if approved[name] and approved[name] != actual[name]
        )
        differences = [
            *(f"{name} was removed" for name in removed),
            *(f"{name} changed from {approved[name]} to {actual[name]}" for name in retyped),
            *(f"{name} was added" for name in added),
        ]
        if not differences:
            message = f"All {format_count(len(actual), 'column')} match."
            return CheckOutcome(ResultStatus.PASS, message, 0.0, None, 0.0)
        status = ResultStatus.FAIL if removed or retyped else ResultStatus.WARN
        return CheckOutcome(status, f"{'; '.join(differences)}.", float(len(differences)), None, 0.0)


def _column(line: str) -> tuple[str, str]:
    name, _, kind = line.strip().lower().partition(" ")
    return name, " ".join(kind.split())
