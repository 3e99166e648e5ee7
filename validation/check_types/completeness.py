"""Completeness: no day or hour of the look-back period is missing."""

import datetime as dt
from dataclasses import dataclass

from common.formatting import format_count, format_day, format_list
from validation.domain.check_type import CheckType
from validation.domain.parameters import Parameters, integer, lines
from validation.domain.results import CheckOutcome, EvaluationContext, ResultStatus

MAX_LISTED = 10


@dataclass(frozen=True, kw_only=True)
class CompletenessParameters(Parameters):
    """The look-back period, in days or hours of the metric, and the segments that it must hold."""

    look_back: int = integer(
        "Look back", "Days to check, or hours for an hourly metric.", default=28, required=True, least=1, most=2000
    )
    allowed_missing: int = integer("Tolerated", "Missing values tolerated as a warning.", default=0, least=0)
    segments: tuple[str, ...] = lines("Segments", "Segments that must never be missing, one per line.")


class Completeness(CheckType[CompletenessParameters]):
    """Evaluate the number of missing buckets of the look-back period, for every required segment."""

    name = "completeness"
    label = "Completeness"
    summary = "no day or hour of the look-back period is missing, for each segment that you list"
    failure = "Missing data"
    parameters_class = CompletenessParameters
    is_about_absence = True
    is_per_bucket = False

    def unit(self, parameters: CompletenessParameters | None, *, metric_unit: str) -> str:
        """Return missing buckets."""
        return "missing"

    def history(self, parameters: CompletenessParameters, *, bucket: dt.datetime, step: dt.timedelta) -> dt.timedelta:
        """Return the look-back period."""
        return step * parameters.look_back + dt.timedelta(days=1)

    def uses_segments(self, parameters: CompletenessParameters) -> bool:
        """Return True if segments are listed."""
        return bool(parameters.segments)

    def evaluate(self, parameters: CompletenessParameters, context: EvaluationContext) -> CheckOutcome:
        """Return the outcome for the look-back period that ends with the bucket."""
        missing = _missing(parameters, context)
        unit = "day" if context.is_daily else "hour"
        if not missing:
            period = format_count(parameters.look_back, unit)
            return CheckOutcome(ResultStatus.PASS, f"No gaps in the last {period}.", 0.0, None, 0.0)
        allowed = parameters.allowed_missing
        status = ResultStatus.WARN if len(missing) <= allowed else ResultStatus.FAIL
        names = format_list([_named(context, bucket, segment) for bucket, segment in missing], limit=MAX_LISTED)
        counted = (
            f"{len(missing)} values" if parameters.segments and len(missing) > 1 else format_count(len(missing), unit)
        )
        message = f"{counted} missing: {names}."
        return CheckOutcome(status, message, float(len(missing)), None, float(allowed))


def _missing(parameters: CompletenessParameters, context: EvaluationContext) -> list[tuple[dt.datetime, str]]:
    """Return the missing buckets with their segment, oldest first."""
    expected = [context.bucket - index * context.step for index in range(parameters.look_back)]
    expected = [bucket for bucket in expected if context.local_date(bucket) not in context.off_days]
    missing = []
    for segment in parameters.segments or ("",):
        series = context.segments.get(segment) if segment else context.series
        present = set(series.buckets) if series else set()
        missing += [(bucket, segment) for bucket in expected if bucket not in present]
    return sorted(missing)


def _named(context: EvaluationContext, bucket: dt.datetime, segment: str) -> str:
    time = format_day(bucket.date()) if context.is_daily else f"{format_day(bucket.date())}, {bucket:%H:%M} UTC"
    return f"{time} ({segment})" if segment else time
