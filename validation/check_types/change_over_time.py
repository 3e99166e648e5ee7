"""Change over time: the value is close enough to an earlier one."""

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

from common.formatting import format_day
from validation.domain.check_type import CheckType
from validation.domain.comparisons import MISSING_VALUE, compare_with_value
from validation.domain.parameters import BySegment, Tolerance, choice, number
from validation.domain.results import CheckOutcome, EvaluationContext, ResultStatus

WEEK, YEAR = dt.timedelta(weeks=1), dt.timedelta(weeks=52)


@dataclass(frozen=True, kw_only=True)
class ChangeOverTimeParameters(BySegment, Tolerance):
    """The earlier value, and how far the value may be from it."""

    DEFAULT_PERCENT: ClassVar[dict[str, float]] = {"warn_percent": 20.0, "fail_percent": 40.0}

    against: str = choice(
        "Compare with",
        choices=(
            ("weekday", "Same weekday, a week before"),
            ("previous", "Previous day or hour"),
            ("year", "Same weekday, a year before"),
        ),
        default="weekday",
    )
    ignore_below: float = number("Ignore changes up to", "In the metric’s unit.", default=0.0, least=0)


class ChangeOverTime(CheckType[ChangeOverTimeParameters]):
    """Compare the value with the same weekday, the previous bucket, or the same weekday a year ago."""

    name = "change_over_time"
    label = "Change over time"
    summary = "the value is close enough to the same weekday, the previous value or a year ago"
    failure = "Unexpected change"
    parameters_class = ChangeOverTimeParameters

    def history(self, parameters: ChangeOverTimeParameters, *, bucket: dt.datetime, step: dt.timedelta) -> dt.timedelta:
        """Return a year and some weeks, for reference days that are not ordinary."""
        return dt.timedelta(weeks=60)

    def evaluate(self, parameters: ChangeOverTimeParameters, context: EvaluationContext) -> CheckOutcome:
        """Return the outcome for the value of the bucket; reference days that are not ordinary are passed over."""
        value = context.series.at(context.bucket)
        if value is None:
            return MISSING_VALUE
        reference = context.bucket - {"weekday": WEEK, "year": YEAR}.get(parameters.against, context.step)
        while not context.is_ordinary(reference):
            reference -= context.step if parameters.against == "previous" else WEEK
        day = format_day(context.local_date(reference))
        earlier = context.series.at(reference)
        if earlier is None:
            return CheckOutcome(ResultStatus.SKIP, f"No value on {day} to compare with.", value)
        return compare_with_value(value, earlier, parameters, reference_name=day, ignore_below=parameters.ignore_below)
