"""Volume: the number of rows is within bounds, or within a share of the usual number."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

from validation.domain.check_type import CheckType
from validation.domain.comparisons import MISSING, Range, compare_with_ranges
from validation.domain.parameters import Bounds, BySegment, crossed, integer, number
from validation.domain.results import CheckOutcome, EvaluationContext, ResultStatus

MAX_WEEKS = 26


@dataclass(frozen=True, kw_only=True)
class VolumeParameters(BySegment, Bounds):
    """Bounds of the number of rows, and of its share of the usual number."""

    fail_below_percent: float | None = number("Fail below (% of usual)", "Percentage of the usual number.", least=0)
    fail_above_percent: float | None = number("Fail above (% of usual)", "Percentage of the usual number.", least=0)
    weeks: int = integer(
        "Weeks", "The usual number is the median of this weekday over these weeks.", default=4, least=2, most=MAX_WEEKS
    )

    @property
    def has_shares(self) -> bool:
        """Return True if a share of the usual number is set."""
        return self.fail_below_percent is not None or self.fail_above_percent is not None

    def problems(self) -> dict[str, list[str]]:
        """Return an error without any bound, or for a minimum above its maximum."""
        if not self.has_bounds and not self.has_shares:
            return {"fail_below": ["Set a threshold or a percentage of the usual."]}
        return Bounds.problems(self) or crossed(self, "fail_below_percent", "fail_above_percent")


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
            return MISSING
        fail: Range = (parameters.fail_below, parameters.fail_above)
        if parameters.has_shares:
            usual = context.baseline(same_weekday=True, newest=parameters.weeks)
            if len(usual) < parameters.weeks:
                return CheckOutcome(ResultStatus.SKIP, f"{len(usual)} of {parameters.weeks} weeks of history.", value)
            fail = (
                _tighter(fail[0], _share(median(usual), parameters.fail_below_percent), max),
                _tighter(fail[1], _share(median(usual), parameters.fail_above_percent), min),
            )
        return compare_with_ranges(value, warn=(parameters.warn_below, parameters.warn_above), fail=fail)


def _share(usual: float, percent: float | None) -> float | None:
    return None if percent is None else usual * percent / 100


def _tighter(first: float | None, second: float | None, choose: Callable[[list[float]], float]) -> float | None:
    bounds = [bound for bound in (first, second) if bound is not None]
    return choose(bounds) if bounds else None
