"""The base of check types, and their evaluation. Each type is one file in `validation/check_types/`; see CONTRIBUTING.md."""

import datetime as dt
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, ClassVar, Generic, TypeVar

from common.formatting import format_day
from validation.domain.parameters import (
    InvalidParametersError,
    Parameter,
    Parameters,
    declared,
    read_parameters,
    stored_parameters,
)
from validation.domain.results import (
    PROBLEM_STATUSES,
    WORST_FIRST,
    CheckOutcome,
    EvaluationContext,
    ResultStatus,
    SeriesState,
)

EXPECTED_TEXT = "marked as expected"
MAX_SEGMENTS_LISTED = 8
# Segments with these results need no attention; those that are missing or broken do.
CALM_STATUSES = (ResultStatus.PASS, ResultStatus.SKIP)

P = TypeVar("P", bound=Parameters)


class Chart(StrEnum):
    """What a check's plot shows."""

    POINTS = "points"  # the data points of the metric
    RUNNING_SUM = "running_sum"  # their sum since a date
    BUCKET_RESULTS = "bucket_results"  # the value of the newest result of each bucket
    RUNS = "runs"  # the value of each run


class CheckType(ABC, Generic[P]):
    """A type of check: its parameters, what data it needs, and how it evaluates them.

    `summary` completes "Passes if …". `failure` names the problem in the title of an incident.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    summary: ClassVar[str]
    failure: ClassVar[str]
    parameters_class: type[P]
    # Parameters that are valid; needed only if the defaults are not.
    example: ClassVar[Mapping[str, object]] = {}

    needs_metric: ClassVar[bool] = True
    needs_query: ClassVar[bool] = False
    # A query of its own may take the place of the metric.
    accepts_query: ClassVar[bool] = False
    # Missing data is what it reports; the incident is a delay.
    is_about_absence: ClassVar[bool] = False
    # Each result belongs to a bucket, is skipped on days without expected data, and is repeated when the data changes.
    is_per_bucket: ClassVar[bool] = True
    needs_runs: ClassVar[bool] = False
    needs_newest_point_only: ClassVar[bool] = False
    # The expected range of any day can be evaluated for a plot; otherwise the plot shows those of stored results.
    has_quick_range: ClassVar[bool] = True
    # True if the check's page explains past days; see `explain`.
    explains_days: ClassVar[bool] = False
    # True if what the check learns is stored, so that the next evaluation reads only newer points; see
    # `state_settings`.
    keeps_state: ClassVar[bool] = False
    # The label and help of another metric that it can use but does not need.
    other_metric_label: ClassVar[str] = ""
    other_metric_help: ClassVar[str] = ""
    # The most rows of its own query that it reads.
    max_rows: ClassVar[int] = 1000

    @abstractmethod
    def evaluate(self, parameters: P, context: EvaluationContext) -> CheckOutcome:
        """Return the outcome for the bucket of a context."""

    def unit(self, parameters: P | None, *, metric_unit: str) -> str:
        """Return the unit of the value: "min" for durations, by default the metric's."""
        return metric_unit

    def chart(self, parameters: P | None) -> Chart:
        """Return what the plot shows."""
        return Chart.POINTS if self.is_per_bucket else Chart.RUNS

    def history(self, parameters: P, *, bucket: dt.datetime, step: dt.timedelta) -> dt.timedelta:
        """Return how much history an evaluation of `bucket` reads; two weeks find the segments."""
        return dt.timedelta(days=14)

    def backtest_history(self, parameters: P, *, bucket: dt.datetime, step: dt.timedelta) -> dt.timedelta:
        """Return how much history a backtest reads before its first bucket."""
        return self.history(parameters, bucket=bucket, step=step)

    def statement(self, parameters: P, query: str) -> str:
        """Return the SELECT to run for the check's own query, which has no final semicolon."""
        return query

    def uses_segments(self, parameters: P) -> bool:
        """Return True if the check reads the segments of its metric."""
        return self.is_by_segment(parameters)

    def is_by_segment(self, parameters: P) -> bool:
        """Return True if each segment is evaluated by itself."""
        return bool(getattr(parameters, "by_segment", False))

    def other_metric_problem(self, parameters: P | None) -> str:
        """Return why the check needs another metric, or an empty string if it does not."""
        return ""

    def state_settings(
        self, parameters: P, context: EvaluationContext, *, since: dt.datetime, through: dt.datetime
    ) -> str:
        """Return a hash of what a state depends on besides the points, from `since` to `through`. Reads no series."""
        return ""

    def data_problem(self, parameters: P | None, *, has_metric: bool, has_query: bool) -> dict[str, str]:
        """Return what must be chosen before the check can be enabled, by field."""
        if self.needs_query and not has_query:
            return {"query": "Choose a data source and enter SQL."}
        if self.needs_metric and not has_metric:
            return {"metric": "Choose the metric to evaluate."}
        return {}

    def backtest(self, parameters: P, context: EvaluationContext) -> Callable[[dt.datetime], ResultStatus] | None:
        """Return a function from a bucket to its status if one pass over the history is faster; else None."""
        return None

    def explain(self, parameters: P, context: EvaluationContext) -> Sequence[tuple[str, str]]:
        """Return why the evaluated bucket has its result, as labels and texts."""
        return []

    def chart_values(self, parameters: P, context: EvaluationContext) -> Sequence[tuple[dt.datetime, float]]:
        """Return the plotted value of each bucket, oldest first, for a running sum."""
        return list(zip(context.series.buckets, context.series.values, strict=True))

    @property
    def declared_parameters(self) -> tuple[Parameter, ...]:
        """The declarations of the parameters, in the order of the form."""
        return declared(self.parameters_class)

    def read(self, values: Mapping[str, object]) -> P:
        """Return typed parameters from JSON values or form input; raise InvalidParametersError by name."""
        return read_parameters(self.parameters_class, values)

    def load(self, stored: Mapping[str, object]) -> P:
        """Return typed parameters as they are stored; raise InvalidParametersError if some are missing."""
        return read_parameters(self.parameters_class, stored, ignore_unknown=True)

    def load_draft(self, stored: Mapping[str, object]) -> P | None:
        """Return typed parameters as they are stored, or None while they are incomplete."""
        try:
            return self.load(stored)
        except InvalidParametersError:
            return None

    def dump(self, parameters: P) -> dict[str, object]:
        """Return parameters as JSON values."""
        return stored_parameters(parameters)


def describe_parameters(check_types: Iterable[CheckType[Any]]) -> str:
    """Return what check types do and their parameters as a Markdown list, for the API documentation."""
    lines = ["Types and their parameters; empty ones have their default:"]
    for check_type in check_types:
        listed = ", ".join(
            f"`{parameter.name}` ({parameter.kind}{'' if not parameter.required else ', required'})"
            for parameter in check_type.declared_parameters
        )
        lines.append(f"- `{check_type.name}` passes if {check_type.summary}. Parameters: {listed}.")
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The outcome of a check, the outcome of each segment, and what explains an unusual value, if anything does."""

    outcome: CheckOutcome
    segments: Mapping[str, CheckOutcome]
    expected: str = ""

    @property
    def states(self) -> list[SeriesState]:
        """The states to store for the next evaluation."""
        return [state for outcome in (self.outcome, *self.segments.values()) for state in outcome.states]


def evaluate(check_type: CheckType[Any], *, parameters: Parameters, context: EvaluationContext) -> Evaluation:
    """Return the evaluation of a check type in a context.

    If a known event or an acknowledgement covers the evaluated bucket, `expected` names it. Raises OverflowError if values are so large
    that a bound is not a finite number.
    """
    if not check_type.is_per_bucket:
        return Evaluation(_outcome(check_type, parameters, context), {})
    day = context.local_date(context.bucket)
    if day in context.off_days:
        return Evaluation(CheckOutcome(ResultStatus.SKIP, f"No data expected on {format_day(day)}."), {})
    if not check_type.is_by_segment(parameters):
        return _explained(_outcome(check_type, parameters, context), {}, context)
    segments = {
        name: _outcome(check_type, parameters, replace(context, series=series))
        for name, series in sorted(context.segments.items())
        if name
    }
    if not segments:
        return _explained(_outcome(check_type, parameters, context), {}, context)
    return _joined(segments, context)


def _outcome(check_type: CheckType[Any], parameters: Parameters, context: EvaluationContext) -> CheckOutcome:
    outcome = check_type.evaluate(parameters, context)
    numbers = (outcome.value, outcome.low, outcome.high)
    if not all(number is None or math.isfinite(number) for number in numbers):
        raise OverflowError(f"the outcome {numbers} is not finite")
    return outcome


def _explained(
    outcome: CheckOutcome,
    segments: Mapping[str, CheckOutcome],
    context: EvaluationContext,
    *,
    acknowledged: bool = False,
) -> Evaluation:
    """Return an evaluation, with the known event or acknowledgement that explains it if the outcome is alarming."""
    if outcome.status not in PROBLEM_STATUSES:
        return Evaluation(outcome, segments)
    acknowledged = acknowledged if segments else context.bucket in context.series.acknowledged
    event = context.known_events.get(context.local_date(context.bucket), "")
    return Evaluation(outcome, segments, event or (EXPECTED_TEXT if acknowledged else ""))


def _joined(segments: Mapping[str, CheckOutcome], context: EvaluationContext) -> Evaluation:
    """Return one evaluation for all segments. Acknowledged segments count only if every other one passed."""
    acknowledged = {name for name in segments if context.bucket in context.segments[name].acknowledged}
    others = {name: outcome for name, outcome in segments.items() if name not in acknowledged}
    if any(outcome.status not in CALM_STATUSES for outcome in others.values()):
        return _explained(_worst(others, total=len(segments)), segments, context)
    outcome = _worst(segments, total=len(segments))
    return _explained(outcome, segments, context, acknowledged=bool(acknowledged))


def _worst(segments: Mapping[str, CheckOutcome], *, total: int) -> CheckOutcome:
    """Return one outcome for segments: the worst, with a list of the segments that share it."""
    worst = next(status for status in WORST_FIRST if any(one.status is status for one in segments.values()))
    if worst is ResultStatus.PASS:
        return CheckOutcome(worst, f"All {total} segments are within range.")
    sharing = {name: outcome for name, outcome in segments.items() if outcome.status is worst}
    listed = "; ".join(f"{name}: {outcome.message}" for name, outcome in list(sharing.items())[:MAX_SEGMENTS_LISTED])
    rest = f" And {len(sharing) - MAX_SEGMENTS_LISTED} more." if len(sharing) > MAX_SEGMENTS_LISTED else ""
    return CheckOutcome(worst, f"{len(sharing)} of {total} segments. {listed}{rest}")
