"""Volume: the number of rows is within bounds, or within a share of the usual number."""

import datetime as dt
from dataclasses import dataclass
from statistics import median

from validation.domain.check_type import CheckType
from validation.domain.comparisons import MISSING_VALUE, Range, compare_with_ranges
from validation.domain.parameters import Bounds, BySegment, crossed, integer, number
from validation.domain.results import CheckOutcome, EvaluationContext, ResultStatus

MAX_WEEKS = 26


@dataclass(frozen=True, kw_only=True)
class VolumeParameters(BySegment, Bounds):
    """Bounds of the number of rows: absolute, in percent of the usual number, and as a difference from it."""

    warn_below_percent: float | None = number("Warn below (% of usual)", "Percentage of the usual number.", least=0)
    warn_above_percent: float | None = number("Warn above (% of usual)", "Percentage of the usual number.", least=0)
    fail_below_percent: float | None = number("Fail below (% of usual)", "Percentage of the usual number.", least=0)
    fail_above_percent: float | None = number("Fail above (% of usual)", "Percentage of the usual number.", least=0)
    warn_difference: float | None = number("Warn above this difference", "Rows more or less than usual.", least=0)
    fail_difference: float | None = number("Fail above this difference", "Rows more or less than usual.", least=0)
    weeks: int = integer(
        "Weeks", "The usual number is the median of this weekday over these weeks.", default=4, least=2, most=MAX_WEEKS
    )

    @property
    def needs_usual(self) -> bool:
        """Return True if a limit depends on the usual number."""
        limits = (
            self.warn_below_percent,
            self.warn_above_percent,
            self.fail_below_percent,
            self.fail_above_percent,
            self.warn_difference,
            self.fail_difference,
        )
        return any(limit is not None for limit in limits)

    def problems(self) -> dict[str, list[str]]:
        """Return an error without any bound, or for a minimum above its maximum."""
        if not self.has_bounds and not self.needs_usual:
            return {"fail_below": ["Set a threshold or a percentage of the usual."]}
        return (
            Bounds.problems(self)
            or crossed(self, "fail_below_percent", "fail_above_percent")
            or crossed(self, "warn_below_percent", "warn_above_percent")
        )


class Volume(CheckType[VolumeParameters]):
    """Evaluate the number of rows against its bounds, or as a share of the median for the same weekday."""

    name = "volume"
    label = "Volume"
    summary = "the number of rows is within bounds, or within a percentage of the median of the same weekday"
    failure = "Unexpected volume"
    parameters_class = VolumeParameters
    example = {"fail_below_percent": 50}

    def history(self, parameters: VolumeParameters, *, bucket: dt.datetime, step: dt.timedelta) -> dt.timedelta:
        """Return enough weeks for the longest baseline."""
        return dt.timedelta(weeks=MAX_WEEKS + 1)

    def evaluate(self, parameters: VolumeParameters, context: EvaluationContext) -> CheckOutcome:
        """Return the outcome for the number of rows of the bucket."""
        value = context.series.at(context.bucket)
        if value is None:
            return MISSING_VALUE
        warn: Range = (parameters.warn_below, parameters.warn_above)
        fail: Range = (parameters.fail_below, parameters.fail_above)
        if parameters.needs_usual:
            values = context.baseline(same_weekday=True, newest=parameters.weeks)
            if len(values) < parameters.weeks:
                return CheckOutcome(ResultStatus.SKIP, f"{len(values)} of {parameters.weeks} weeks of history.", value)
            usual = median(values)
            warn = _tightened(
                warn, usual, (parameters.warn_below_percent, parameters.warn_above_percent), parameters.warn_difference
            )
            fail = _tightened(
                fail, usual, (parameters.fail_below_percent, parameters.fail_above_percent), parameters.fail_difference
            )
        return compare_with_ranges(value, warn=warn, fail=fail)


def _tightened(bounds: Range, usual: float, percents: Range, difference: float | None) -> Range:
    """Return the tightest of absolute bounds, percentages of the usual number, and a difference from it."""
    shares = [None if percent is None else usual * percent / 100 for percent in percents]
    distances = [None, None] if difference is None else [usual - difference, usual + difference]
    low = [bound for bound in (bounds[0], shares[0], distances[0]) if bound is not None]
    high = [bound for bound in (bounds[1], shares[1], distances[1]) if bound is not None]
    return max(low, default=None), min(high, default=None)
