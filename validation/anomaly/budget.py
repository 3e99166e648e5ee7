"""The alert budget of a metric: limits rise with the alerts of the last year, of the last weeks, and for a new metric."""

import datetime as dt
import math
from dataclasses import dataclass

YEAR_DAYS = 365
GROSS_MULTIPLE = 1.6  # a deviation is gross from this multiple of its limit: noise of the series hardly explains it
_MOST = 1.5  # most ordinary alerts in a year, as a multiple of the budget
_MOST_WITH_GROSS = 6.0  # most alerts in a year including gross ones, as a multiple of the budget
_RISES_FROM = 1.0  # ordinary alerts from which limits rise, up to double, as a multiple of the budget
_AFTER_ALERT = 0.5  # how much an alert raises limits, decaying as exp(-days / 10)
_FADES_IN_DAYS = 10.0
_FORGOTTEN_AFTER_DAYS = 60
_NEW_METRIC = 0.4  # how much the limits of a new metric are raised at first, decreasing linearly
_NEW_FOR_DAYS = 60


@dataclass(frozen=True, slots=True)
class LimitRaise:
    """The factor, at least 1, by which limits are raised on a day, and the main reason as part of a sentence."""

    factor: float
    reason: str


class AlertBudget:
    """The alerts of the last year by their first day, and the limits that follow for the next one."""

    def __init__(self, budget: float, *, alerts: tuple[tuple[dt.date, bool], ...] = ()) -> None:
        """Initialize with a budget of alerts per year, and earlier alerts, True if gross."""
        self._budget = budget
        self._alerts = list(alerts)

    @property
    def alerts(self) -> tuple[tuple[dt.date, bool], ...]:
        """The alerts of the last year, oldest first, True if gross."""
        return tuple(self._alerts)

    @property
    def most_ordinary(self) -> int:
        """The most ordinary alerts in any 365 days."""
        return max(1, math.floor(_MOST * self._budget))

    @property
    def most(self) -> int:
        """The most alerts in any 365 days, gross ones included."""
        return max(2, math.floor(_MOST_WITH_GROSS * self._budget))

    def limit_raise(self, day: dt.date, *, days_alerting: int) -> LimitRaise:
        """Return how much limits are raised; `days_alerting` counts the days since the metric could first alert."""
        self._drop_old_alerts(day)
        new = _NEW_METRIC * max(0.0, 1 - days_alerting / _NEW_FOR_DAYS)
        ages = [(day - at).days for at, _ in self._alerts]
        recent = sum(_AFTER_ALERT * math.exp(-age / _FADES_IN_DAYS) for age in ages if 1 < age < _FORGOTTEN_AFTER_DAYS)
        used = self._ordinary() / self._budget
        year = min(1.0, max(0.0, (used - _RISES_FROM) / (_MOST - _RISES_FROM)))
        reason = max(
            (new, f"limits are wider in the first {_NEW_FOR_DAYS + 56} days of a metric"),
            (recent, "limits are wider for some weeks after an alert"),
            (year, f"the alert budget of {self._budget:g} a year is used up"),
        )[1]
        return LimitRaise((1 + new) * (1 + recent) * (1 + year), reason)

    def refusal(self, day: dt.date, *, is_gross: bool) -> str:
        """Return why the budget permits no alert on the day, as part of a sentence; empty if it permits one."""
        self._drop_old_alerts(day)
        if len(self._alerts) >= self.most or (not is_gross and self._ordinary() >= self.most_ordinary):
            return (
                f"the alert budget of {self._budget:g} a year is used up; alerts in the last year: {len(self._alerts)}"
            )
        return ""

    def spend(self, day: dt.date, *, is_gross: bool) -> None:
        """Record an alert."""
        self._alerts.append((day, is_gross))

    def _ordinary(self) -> int:
        return sum(not is_gross for _, is_gross in self._alerts)

    def _drop_old_alerts(self, day: dt.date) -> None:
        self._alerts = [one for one in self._alerts if (day - one[0]).days < YEAR_DAYS]
