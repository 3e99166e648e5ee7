"""Detection of stuck values: an exact repeat may be a stalled load or normal for the series."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Self

import numpy as np

from validation.anomaly.state import State

_STUCK_AFTER = 3  # a value repeated on three expected days in a row is stuck (docs/validation.md)
_STUCK_A_YEAR = 0.5  # above this rate by chance, repeats are normal for the series
_PAIR_A_YEAR = 0.35
WINDOW_VALUES = 200  # earlier values from which the typical distance is estimated


class Repeats:
    """How often a series has repeated a value, and the length of the current repeat."""

    def __init__(self, values: Sequence[float]) -> None:
        """Initialize from the first weeks."""
        self._count = sum(a == b for a, b in pairwise(values))
        self._days = len(values)
        self._whole = all(value == round(value) for value in values)
        self._run = 1

    def observe(self, value: float, earlier: Sequence[float]) -> tuple[bool, bool]:
        """Return whether the value is stuck, and whether it is a first repeat that is unlikely by chance."""
        run = self._run + 1 if value == earlier[-1] else 1
        often = (self._count + 0.3) / self._days
        is_stuck = run >= _STUCK_AFTER and often ** (run - 1) * 365 < _STUCK_A_YEAR
        return is_stuck, run == _STUCK_AFTER - 1 and self._count <= self._days / 300 and self._pair_is_rare(earlier)

    def _pair_is_rare(self, earlier: Sequence[float]) -> bool:
        """Return True if a repeat is expected less than once in some years, by how often close values occur."""
        if not self._whole:
            return True
        steps = np.abs(np.diff(np.asarray(earlier[-WINDOW_VALUES:])))
        near = max(3.0, 0.05 * float(np.median(steps)))
        # Of the values within `near` of each other, about one in 2 x near + 1 is equal; with few of them, use a floor.
        chance = max(float(np.mean(steps <= near)), 0.0175) / (2 * math.floor(near) + 1)
        return chance * 365 < _PAIR_A_YEAR

    def learn(self, value: float, last: float, *, is_flagged: bool) -> None:
        """Learn from a day. A repeat that raised an alert is not normal for the series."""
        self._run = self._run + 1 if value == last else 1
        self._count += self._run > 1 and not is_flagged
        self._days += 1

    def state(self) -> State:
        """Return the state that `restore` needs to continue."""
        return {"count": self._count, "days": self._days, "whole": self._whole, "run": self._run}

    @classmethod
    def restore(cls, state: State) -> Self:
        """Return the repeats that had this state."""
        self = cls(())
        self._count, self._days = state["count"], state["days"]
        self._whole, self._run = state["whole"], state["run"]
        return self
