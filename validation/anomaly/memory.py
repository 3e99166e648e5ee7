"""The part of the forecast's error that can be predicted from the last days, earlier years and another metric."""

import datetime as dt
import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from validation.anomaly.state import State

_YEARS = 4  # earlier years that count
_WEIGHTS = {-2: 1.0, -1: 2.0, 0: 3.0, 1: 2.0, 2: 1.0}  # by days from the same date
_NEAR = 3  # days around the same date within which an earlier anomaly is the same one
_ALIKE = (0.6, 1.6)  # and how large it was, as a part of today's error
_PRIOR = 40.0  # squared spreads of evidence that errors do not repeat
_KEEP = 1 - 1 / 500  # how much of the evidence remains after a day
_CLIP = 3.0  # spreads beyond which an error counts no more
# By feature: yesterday, the last three days, earlier years, the companion's deviation above and below.
_LEAST_WEIGHTS = np.array([-0.5, -0.5, 0.0, -3.0, -3.0])
_MOST_WEIGHTS = np.array([0.9, 0.9, 0.9, 3.0, 3.0])
_FEATURES = len(_MOST_WEIGHTS)
# Keeps the regression from trusting few days, however much of the evidence is forgotten.
_PRIOR_PRODUCTS = np.eye(_FEATURES) * _PRIOR
_KEPT_DAYS = 366 * _YEARS + 10

Grid = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ExpectedError:
    """The expected error of a day in spreads, by source, and the features behind it."""

    recent: float
    yearly: float
    companion: float
    features: Grid


class ErrorMemory:
    """The errors of a baseline so far, in spreads, and a regression that is updated with every normal day."""

    def __init__(self) -> None:
        """Initialize without errors."""
        self._errors: dict[int, float] = {}
        self._recent = [0.0, 0.0, 0.0]
        self._products: Grid = _PRIOR_PRODUCTS
        self._moments: Grid = np.zeros(_FEATURES)
        self._weights: Grid = np.zeros(_FEATURES)

    def expected_error(self, day: dt.date, *, companion: float) -> ExpectedError:
        """Return the expected error; `companion` is the deviation of the other metric from its forecast, in spreads."""
        features = np.array(
            [self._recent[-1], sum(self._recent) / 3, self._yearly(day), max(companion, 0.0), min(companion, 0.0)]
        )
        yesterday, mean, yearly, above, below = (self._weights * features).tolist()
        return ExpectedError(yesterday + mean, yearly, above + below, features)

    def _yearly(self, day: dt.date) -> float:
        """Return the usual error around the date in earlier years, on the same weekday; 0 without any."""
        years = []
        for back in range(1, _YEARS + 1):
            centre = day.toordinal() - 364 * back - (7 if back > 2 else 0)
            seen = [
                (weight, min(max(self._errors[centre + away], -_CLIP), _CLIP))
                for away, weight in _WEIGHTS.items()
                if centre + away in self._errors
            ]
            if seen:
                years.append(sum(weight * error for weight, error in seen) / sum(weight for weight, _ in seen))
        if len(years) > 2:
            return float(np.median(years))
        return sum(years) / (len(years) + 1)

    def learn(self, day: dt.date, error: float, expected: ExpectedError, *, is_odd: bool) -> None:
        """Record the error of a day. Unless the day was unusual, learn how errors repeat."""
        clipped = min(max(error, -_CLIP), _CLIP)
        if not is_odd:
            features = expected.features
            products = features[:, np.newaxis] * features
            self._products = _KEEP * self._products + products + (1 - _KEEP) * _PRIOR_PRODUCTS
            self._moments = _KEEP * self._moments + features * clipped
            weights = np.linalg.solve(self._products, self._moments)
            self._weights = np.clip(weights, _LEAST_WEIGHTS, _MOST_WEIGHTS)
        # What the companion explains says nothing about the next day.
        own = error - expected.companion
        self._recent = [*self._recent[1:], 0.0 if is_odd else min(max(own, -_CLIP), _CLIP)]
        at = day.toordinal()
        self._errors[at] = own
        for old in [one for one in self._errors if one < at - _KEPT_DAYS] if len(self._errors) > _KEPT_DAYS else ():
            del self._errors[old]

    def happens_every_year(self, day: dt.date, error: float) -> bool:
        """Return True if two of the last three years had an error like this one around the same date."""
        low, high = (part * abs(error) for part in _ALIKE)
        alike = 0
        for back in (1, 2, 3):
            centre = _years_before(day, back).toordinal()
            near = (self._errors.get(centre + away, 0.0) for away in range(-_NEAR, _NEAR + 1))
            alike += low <= max(one * math.copysign(1, error) for one in near) <= high
        return alike >= 2

    def state(self) -> State:
        """Return the state that `restore` needs to continue."""
        return {
            "error_days": np.array(list(self._errors), dtype=float),
            "errors": np.array(list(self._errors.values())),
            "recent": self._recent,
            "products": self._products.ravel(),
            "moments": self._moments,
            "weights": self._weights,
        }

    @classmethod
    def restore(cls, state: State) -> Self:
        """Return the memory that had this state."""
        self = cls()
        self._errors = dict(zip(state["error_days"].astype(int).tolist(), state["errors"].tolist(), strict=True))
        self._recent = state["recent"]
        self._products = state["products"].reshape(_FEATURES, _FEATURES)
        self._moments, self._weights = state["moments"], state["weights"]
        return self


def _years_before(day: dt.date, years: int) -> dt.date:
    """Return the same date some years earlier; 28 February for 29 February."""
    return day.replace(year=day.year - years, day=min(day.day, 28) if day.month == 2 else day.day)
