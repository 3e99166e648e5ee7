"""Another metric that explains a series, such as the weather, by its deviation from its own forecast."""

import datetime as dt
from collections.abc import Mapping
from typing import Self

import numpy as np

from validation.anomaly.baselines import Baseline
from validation.anomaly.state import State
from validation.anomaly.transforms import Scale

_LEAST_UNIT = 1e-9
_FIRST_DAYS = 28
_WEEK = 7  # days between updates of weekday effects
_FARTHEST = 4.0  # deviation in spreads beyond which it explains nothing further


class Companion:
    """The baseline of the other metric. On a day without a value it explains nothing."""

    def __init__(self, *, holidays: Mapping[dt.date, str]) -> None:
        """Initialize without history."""
        self._holidays = holidays
        self._days: list[dt.date] = []  # of the first weeks
        self._values: list[float] = []
        self._count = 0
        self._baseline: Baseline | None = None
        self._scale = Scale("plain", 0.0, 1.0)

    def advance(self, day: dt.date, value: float | None) -> float:
        """Learn from the day's value; return its deviation from its forecast in spreads, 0 if unknown."""
        if value is None:
            return 0.0
        self._count += 1
        if self._baseline is None:
            self._days.append(day)
            self._values.append(value)
            if self._count == _FIRST_DAYS:
                # For temperature, rain and traffic alike: no logarithms, which fail for zeros and negative values.
                self._scale = Scale("plain", 0.0, max(float(np.std(self._values)), _LEAST_UNIT))
                scaled = [self._scale.out(one) for one in self._values]
                self._baseline = Baseline(days=self._days, values=scaled, holidays=self._holidays)
            return 0.0
        if self._count % _WEEK == 0:
            self._baseline.learn_weekdays()
        forecast = self._baseline.forecast(day)
        scaled_value = self._scale.out(value)
        self._baseline.learn(day, scaled_value, forecast)
        self._baseline.learn_holiday(scaled_value, forecast)
        off = (scaled_value - forecast.expected) / forecast.spread
        return min(max(off, -_FARTHEST), _FARTHEST)

    def state(self) -> State:
        """Return the state that `restore` needs to continue."""
        return {
            "count": self._count,
            "days": [day.toordinal() for day in self._days] if self._baseline is None else [],
            "values": self._values if self._baseline is None else [],
            "scale": [self._scale.form, self._scale.offset, self._scale.unit],
            "baseline": self._baseline.state() if self._baseline else {},
        }

    @classmethod
    def restore(cls, state: State, *, holidays: Mapping[dt.date, str]) -> Self:
        """Return the companion that had this state."""
        self = cls(holidays=holidays)
        self._count = state["count"]
        self._days = [dt.date.fromordinal(day) for day in state["days"]]
        self._values = state["values"]
        self._scale = Scale(*state["scale"])
        if state["baseline"]:
            self._baseline = Baseline.restore(state["baseline"], holidays=holidays)
        return self
