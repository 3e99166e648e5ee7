"""Scales on which a series is evaluated, so that equal steps are equally unusual at every level."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

_FARTHEST = 1e6  # on a linear scale, the maximum distance of a value, in spreads


@dataclass(frozen=True, slots=True)
class Scale:
    """Logarithms for counts and amounts, log-odds for shares, and linear if a value may be negative.

    `offset` makes zero finite; `unit` is the spread by which a linear value is divided.
    """

    form: Literal["log", "log-odds", "plain"]
    offset: float
    unit: float

    def out(self, value: float) -> float:
        if self.form == "plain":
            return min(max(value / self.unit, -_FARTHEST), _FARTHEST)
        if self.form == "log-odds":
            share = min(max(value, 0.0), 1.0)
            return math.log((share + self.offset) / (1.0 - share + self.offset))
        return math.log(max(value, 0.0) + self.offset)

    def back(self, scaled: float) -> float:
        """Return the value in the metric's unit for a value on this scale."""
        if self.form == "plain":
            return scaled * self.unit
        grown = math.exp(min(max(scaled, -300.0), 300.0))
        if self.form == "log-odds":
            return min(1.0, max(0.0, (grown * (1.0 + self.offset) - self.offset) / (1.0 + grown)))
        return max(0.0, grown - self.offset)


def choose_scale(values: Sequence[float], *, kind: str) -> Scale:
    """Return the scale that fits the first weeks of a series; `kind` is "ratio" or any kind of count or sum."""
    numbers = np.asarray(values, dtype=float)
    positive = numbers[numbers > 0]
    middle = float(np.median(positive)) if positive.size else 1.0
    if numbers.min() < 0:
        centre = float(np.median(numbers))
        spread = float(np.median(np.abs(numbers - centre)))
        return Scale("plain", 0.0, max(spread, 1e-3 * abs(centre), 1e-9))
    if kind == "ratio" and numbers.max() <= 1:
        return Scale("log-odds", max(1e-4, 0.02 * min(middle, 1.0 - middle)), 1.0)
    # Counts move by whole numbers, so one more or less at zero is a small step; an amount has no such unit.
    is_integral = bool((numbers == np.round(numbers)).all())
    return Scale("log", 1.0 if is_integral else 0.01 * middle, 1.0)
