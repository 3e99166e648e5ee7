"""Freshness: the newest data point is recent enough."""

import datetime as dt
from dataclasses import dataclass

from common.formatting import format_duration
from validation.domain.check_type import CheckType
from validation.domain.parameters import Parameters, minutes
from validation.domain.results import CheckOutcome, EvaluationContext, ResultStatus


@dataclass(frozen=True, kw_only=True)
class FreshnessParameters(Parameters):
    """The age of the newest data point, in minutes after the end of its day or hour, at which to warn and fail."""

    warn_after_minutes: int | None = minutes("Warn after", "Age of the newest data point, such as 6 h.", least=1)
    fail_after_minutes: int = minutes(
        "Fail after", "Age of the newest data point, such as 1 d 2 h.", default=1560, required=True, least=1
    )


class Freshness(CheckType[FreshnessParameters]):
    """Evaluate the age of the newest data point, without the days on which no data is expected."""

    name = "freshness"
    label = "Freshness"
    summary = "the newest data point is recent enough; days without expected data do not count"
    failure = "Late data"
    parameters_class = FreshnessParameters
    is_about_absence = True
    is_per_bucket = False
    needs_newest_point_only = True

    def unit(self, parameters: FreshnessParameters | None, *, metric_unit: str) -> str:
        """Return minutes."""
        return "min"

    def evaluate(self, parameters: FreshnessParameters, context: EvaluationContext) -> CheckOutcome:
        """Return the outcome for the newest data point, of any segment."""
        if not context.series:
            return CheckOutcome(ResultStatus.FAIL, "No data points yet.")
        age = _expected_time(context, context.bucket_end(context.series.buckets[-1]))
        minutes = max(0.0, age.total_seconds() / 60)
        limits = (
            (ResultStatus.FAIL, parameters.fail_after_minutes),
            (ResultStatus.WARN, parameters.warn_after_minutes),
        )
        message = f"Newest data point is {format_duration(age)} old"
        for status, limit in limits:
            if limit is not None and minutes > limit:
                allowed = format_duration(dt.timedelta(minutes=limit))
                return CheckOutcome(status, f"{message} (limit {allowed}).", minutes, None, float(limit))
        return CheckOutcome(ResultStatus.PASS, f"{message}.", minutes, None, float(parameters.fail_after_minutes))


def _expected_time(context: EvaluationContext, since: dt.datetime) -> dt.timedelta:
    """Return the time from `since` until now, without the dates on which no data is expected."""
    elapsed = context.at - since
    day = since.astimezone(context.zone).date()
    while day <= context.at.astimezone(context.zone).date():
        if day in context.off_days:
            start = max(since, dt.datetime.combine(day, dt.time(), context.zone))
            end = min(context.at, dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), context.zone))
            elapsed -= max(end - start, dt.timedelta())
        day += dt.timedelta(days=1)
    return elapsed
