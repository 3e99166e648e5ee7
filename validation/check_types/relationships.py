"""Relationships: every key of one query exists in another."""

from dataclasses import dataclass

from common.formatting import format_count
from validation.domain.check_type import CheckType
from validation.domain.parameters import Parameters, integer, sql
from validation.domain.results import CheckOutcome, EvaluationContext, ResultStatus
from validation.domain.sql import bare_query

MAX_KEYS_NAMED = 5
MAX_KEY_LENGTH = 60


@dataclass(frozen=True, kw_only=True)
class RelationshipsParameters(Parameters):
    """The keys that must exist, and how many of the check's keys may be missing among them."""

    reference_query: str = sql("Reference query", "One SELECT that returns the keys that exist.")
    allowed_missing: int = integer("Tolerated", "Orphan keys tolerated as a warning.", default=0, least=0)


class Relationships(CheckType[RelationshipsParameters]):
    """Evaluate the number of orphan keys: keys of the check's query that its reference query does not return."""

    name = "relationships"
    label = "Relationships"
    summary = "every key of one query exists in another, such as the customer of every order"
    failure = "Orphan keys"
    parameters_class = RelationshipsParameters
    example = {"reference_query": "SELECT id FROM customers"}
    needs_metric = False
    needs_query = True
    is_per_bucket = False

    def unit(self, parameters: RelationshipsParameters | None, *, metric_unit: str) -> str:
        """Return orphan keys."""
        return "orphan"

    def statement(self, parameters: RelationshipsParameters, query: str) -> str:
        """Return the SELECT of the orphan keys. Line breaks end a comment at the end of a query."""
        reference = bare_query(parameters.reference_query)
        return f"SELECT * FROM (\n{query}\n) AS keys_to_check EXCEPT SELECT * FROM (\n{reference}\n) AS existing_keys"  # noqa: S608  # nosec B608  # an admin's own SELECTs

    def evaluate(self, parameters: RelationshipsParameters, context: EvaluationContext) -> CheckOutcome:
        """Return the outcome for the orphan keys. A null key refers to nothing, so it is no orphan."""
        orphans = sorted(
            ", ".join(str(cell)[:MAX_KEY_LENGTH] for cell in row)
            for row in context.rows
            if all(cell is not None for cell in row)
        )
        if not orphans:
            return CheckOutcome(ResultStatus.PASS, "Every key exists.", 0.0, None, float(parameters.allowed_missing))
        status = ResultStatus.WARN if len(orphans) <= parameters.allowed_missing else ResultStatus.FAIL
        rest = f" and {len(orphans) - MAX_KEYS_NAMED:,} more" if len(orphans) > MAX_KEYS_NAMED else ""
        at_least = "At least " if len(context.rows) >= self.max_rows else ""
        return CheckOutcome(
            status,
            f"{at_least}{format_count(len(orphans), 'key')} missing.",
            float(len(orphans)),
            None,
            float(parameters.allowed_missing),
            details=f"{'; '.join(orphans[:MAX_KEYS_NAMED])}{rest}",
        )
