"""The entry point for evaluation: evaluate a check type with its parameters and context, per segment if required."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from common.formatting import format_day
from validation.domain.check_type import CheckType
from validation.domain.parameters import Parameters
from validation.domain.results import ALARMING, WORST_FIRST, CheckOutcome, EvaluationContext, ResultStatus

ACKNOWLEDGED = "marked as expected"
MAX_SEGMENTS_LISTED = 8
# Segments with these results need no attention; those that are missing or broken do.
EXPLAINED = (ResultStatus.PASS, ResultStatus.SKIP)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The outcome of a check, the outcome of each segment, and what explains an unusual value, if anything does."""

    outcome: CheckOutcome
    segments: Mapping[str, CheckOutcome]
    expected: str = ""


def evaluate(check_type: CheckType[Any], *, parameters: Parameters, context: EvaluationContext) -> Evaluation:
    """Return the evaluation of a check type in a context.

    If a known event or an acknowledgement covers the evaluated bucket, `expected` names it.
    """
    if not check_type.is_per_bucket:
        return Evaluation(check_type.evaluate(parameters, context), {})
    day = context.local_date(context.bucket)
    if day in context.off_days:
        return Evaluation(CheckOutcome(ResultStatus.SKIP, f"No data expected on {format_day(day)}."), {})
    if not check_type.is_by_segment(parameters):
        return _explained(check_type.evaluate(parameters, context), {}, context)
    segments = {
        name: check_type.evaluate(parameters, replace(context, series=series))
        for name, series in sorted(context.segments.items())
        if name
    }
    if not segments:
        return _explained(check_type.evaluate(parameters, context), {}, context)
    return _joined(segments, context)


def _explained(
    outcome: CheckOutcome,
    segments: Mapping[str, CheckOutcome],
    context: EvaluationContext,
    *,
    acknowledged: bool = False,
) -> Evaluation:
    """Return an evaluation, with the known event or acknowledgement that explains it if the outcome is alarming."""
    if outcome.status not in ALARMING:
        return Evaluation(outcome, segments)
    acknowledged = acknowledged if segments else context.bucket in context.series.acknowledged
    event = context.known_events.get(context.local_date(context.bucket), "")
    return Evaluation(outcome, segments, event or (ACKNOWLEDGED if acknowledged else ""))


def _joined(segments: Mapping[str, CheckOutcome], context: EvaluationContext) -> Evaluation:
    """Return one evaluation for all segments. Acknowledged segments count only if every other one passed."""
    acknowledged = {name for name in segments if context.bucket in context.segments[name].acknowledged}
    others = {name: outcome for name, outcome in segments.items() if name not in acknowledged}
    if any(outcome.status not in EXPLAINED for outcome in others.values()):
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
