"""How much of the forecast's error repeats: from the last days, and from the same dates of earlier years."""

import datetime as dt
import math

import numpy as np
from numpy.typing import NDArray

_YEARS = 4  # earlier years that count
_WEIGHTS = {-2: 1.0, -1: 2.0, 0: 3.0, 1: 2.0, 2: 1.0}  # by days from the same date
_NEAR = 3  # days around the same date within which an earlier anomaly is the same one
_ALIKE = (0.6, 1.6)  # and how large it was, as a part of today's error
_PRIOR = 40.0  # squared spreads of evidence that errors do not repeat
_KEEP = 1 - 1 / 500  # how much of the evidence remains after a day
_CLIP = 3.0  # spreads beyond which an error counts no more
_LEAST_WEIGHTS, _MOST_WEIGHT = np.array([-0.5, -0.5, 0.0]), 0.9

Grid = NDArray[np.float64]


class ErrorMemory:
    """The errors of a baseline so far, in spreads, and a regression that is updated with every normal day."""

    def __init__(self) -> None:
        """Initialize without errors."""
        self._errors: dict[int, float] = {}
        self._recent = [0.0, 0.0, 0.0]
        self._products: Grid = np.eye(3) * _PRIOR
        self._moments: Grid = np.zeros(3)
        self._weights: Grid = np.zeros(3)

    def expected_error(self, day: dt.date) -> tuple[float, float]:
        """Return the error to expect on the day, in spreads: from the last days, and from earlier years."""
        yesterday, mean, yearly = self._weights * self._features(day)
        return float(yesterday + mean), float(yearly)

    def _features(self, day: dt.date) -> Grid:
        return np.array([self._recent[-1], sum(self._recent) / 3, self._yearly(day)])

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

    def learn(self, day: dt.date, error: float, *, is_odd: bool) -> None:
        """Remember a day's error; learn from it how much could be expected, unless the day was odd."""
        clipped = min(max(error, -_CLIP), _CLIP)
        if not is_odd:
            features = self._features(day)
            forgotten = (1 - _KEEP) * _PRIOR * np.eye(3)
            self._products = _KEEP * self._products + np.outer(features, features) + forgotten
            self._moments = _KEEP * self._moments + features * clipped
            weights = np.linalg.solve(self._products, self._moments)
            self._weights = np.clip(weights, _LEAST_WEIGHTS, _MOST_WEIGHT)
        self._recent = [*self._recent[1:], 0.0 if is_odd else clipped]
        self._errors[day.toordinal()] = error

    def happens_every_year(self, day: dt.date, error: float) -> bool:
        """Return True if two of the last three years had an error like this one around the same date."""
        low, high = (part * abs(error) for part in _ALIKE)
        alike = 0
        for back in (1, 2, 3):
            centre = _years_before(day, back).toordinal()
            near = (self._errors.get(centre + away, 0.0) for away in range(-_NEAR, _NEAR + 1))
            alike += low <= max(one * math.copysign(1, error) for one in near) <= high
        return alike >= 2


def _years_before(day: dt.date, years: int) -> dt.date:
    """Return the same date some years earlier; 28 February for 29 February."""
    return day.replace(year=day.year - years, day=min(day.day, 28) if day.month == 2 else day.day)
