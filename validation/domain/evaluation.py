"""The entry point for evaluation: evaluate a check type with its parameters and context, per segment if required."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from validation.domain import arrival, values
from validation.domain.results import WORST_FIRST, CheckOutcome, EvaluationContext, ResultStatus

JUDGES: dict[str, Callable[[Mapping[str, Any], EvaluationContext], CheckOutcome]] = {
    "freshness": arrival.freshness,
    "run_deadline": arrival.run_deadline,
    "completeness": arrival.completeness,
    "volume": arrival.volume,
    "range": values.value_range,
    "validity": values.validity,
    "schema": arrival.schema,
    "change_over_time": values.change_over_time,
    "anomaly": values.anomaly,
    "ratio": values.ratio,
    "reconciliation": values.reconciliation,
    "target": values.target,
    "custom_sql": values.custom_sql,
}
# Only these check types evaluate a bucket or a date on which no data is expected.
ABSENCE_TYPES = {"freshness", "completeness", "run_deadline", "schema", "custom_sql"}
WRONG = (ResultStatus.FAIL, ResultStatus.WARN)
ACKNOWLEDGED = "acknowledged as expected"
SHOWN = 8


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The result of a check, the result of each segment, and whether a known event explains it."""

    verdict: CheckOutcome
    segments: Mapping[str, CheckOutcome]
    expected: str = ""


def evaluate(check_type: str, *, parameters: Mapping[str, Any], facts: EvaluationContext) -> Evaluation:
    """Return the evaluation of a check type in a context.

    If a known event falls on the evaluated bucket, the result includes its description.
    """
    day = facts.date_of(facts.bucket)
    if check_type not in ABSENCE_TYPES and day in facts.unexpected:
        return Evaluation(CheckOutcome(ResultStatus.SKIP, f"Nothing is expected on {day}."), {})
    segments: dict[str, CheckOutcome] = {}
    if parameters.get("by_segment"):
        segments = {
            name: JUDGES[check_type](parameters, replace(facts, series=series))
            for name, series in sorted(facts.parts.items())
            if name
        }
    excused = {name for name in segments if facts.bucket in facts.parts[name].excused}
    if any(one.outcome in WRONG for name, one in segments.items() if name not in excused):
        # Report only the segments that no known event explains.
        verdict = _joined({name: one for name, one in segments.items() if name not in excused}, of=len(segments))
        excused = set()
    else:
        verdict = _joined(segments, of=len(segments)) if segments else JUDGES[check_type](parameters, facts)
    if check_type in ABSENCE_TYPES or verdict.outcome not in WRONG:
        return Evaluation(verdict, segments)
    acknowledged = bool(excused) if segments else facts.bucket in facts.series.excused
    return Evaluation(verdict, segments, facts.known.get(day, "") or (ACKNOWLEDGED if acknowledged else ""))


def _joined(segments: Mapping[str, CheckOutcome], *, of: int) -> CheckOutcome:
    """Return one outcome for `of` segments: the worst, with a list of the segments that share it."""
    worst = next(outcome for outcome in WORST_FIRST if any(one.outcome is outcome for one in segments.values()))
    those = {name: one for name, one in segments.items() if one.outcome is worst}
    if worst is ResultStatus.PASS:
        return CheckOutcome(worst, f"All {of} segments are as expected.")
    listed = "; ".join(f"{name}: {one.message}" for name, one in list(those.items())[:SHOWN])
    more = f" And {len(those) - SHOWN} more." if len(those) > SHOWN else ""
    return CheckOutcome(worst, f"{len(those)} of {of} segments. {listed}{more}")
