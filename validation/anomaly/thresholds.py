"""How far is odd: thresholds of a series' own, set from its past so that about `alert_budget` alerts a year are raised."""

import math

import numpy as np
from numpy.typing import NDArray

from validation.anomaly.baselines import Baseline, Forecast

SPANS = (1, 2, 3, 7)  # days over which evidence is gathered: one bad day, or several slightly bad ones
FloatArray = NDArray[np.float64]
Tail = tuple[int, int]  # span, side: -1 below, 1 above

# Expected alerts a year of each kind of evidence, for a budget of four. Fewer are spent above than below over several days,
# because interest in a thing comes in waves of its own while lost data does not.
_SHARES: dict[Tail, float] = {
    (1, -1): 1.3, (1, 1): 1.0, (2, -1): 0.3, (2, 1): 0.1, (3, -1): 0.4, (3, 1): 0.1, (7, -1): 0.3, (7, 1): 0.1,
}  # fmt: skip
_WINDOW = 800  # days of past scores a threshold is set from
_TAIL_FROM, _TAIL_TO = 0.80, 0.97  # the past scores the tail is drawn on from; farther out there may be incidents
_NEAR, _FAR = (0.86, 0.94), (0.955, 0.985)  # two parts of it, whose distances tell how heavy it is
_MATCHED_AT = 0.06  # where tails of all shapes are taken to be equally far out
_BEFORE_SEEN = 4.5  # the threshold, in spreads, while there is no past
_PAST_COUNTS_FROM = 60  # scores after which the past counts as much as that
_LEAST = 3.0  # spreads
_SHRINK = 0.84  # the past of a series holds incidents too, which make its tail look heavier than it is
_GROSS = 8.0  # spreads beyond which a value is an incident and says nothing of the series' own tail
_SPREAD_MEMORY = 1 / 45
_TO_SIGMA = 1.28


def _growth(shape: FloatArray, ratio: float) -> FloatArray:
    """Return how far out, in its scale, a generalised Pareto tail is where it is `ratio` times rarer than at its start."""
    curved = np.maximum(shape, 1e-9)
    grown: FloatArray = np.where(shape > 0, np.expm1(curved * math.log(ratio)) / curved, math.log(ratio))
    return grown


# Shape 0 is an exponential tail. The estimate of the shape from one series is halved: most of what it shows is chance.
_SHAPES: FloatArray = np.linspace(0.0, 0.6, 13)
_SHAPE_TRUST = 0.5
_APART: FloatArray = _growth(_SHAPES, (1 - _TAIL_FROM) / (1 - _TAIL_TO)) / _growth(_SHAPES, 2.0)


def _tail(ordered: FloatArray, a_day: float) -> float:
    """Return the score that is passed with the chance `a_day`, as the bulk of the ordered scores has it."""
    count = len(ordered)
    upper = ordered[int(_TAIL_FROM * count) :]
    start = float(upper[0])
    # The mean of an exponential tail cut off at its end, made whole again.
    mean = max(1e-3, float(np.minimum(upper, ordered[int(_TAIL_TO * count)]).mean()) - start)
    fall = mean / (1 - (1 - _TAIL_TO) / (1 - _TAIL_FROM))
    near, far = (
        max(1e-3, float(ordered[int(low * count) : int(high * count) + 1].mean()) - start)
        for low, high in (_NEAR, _FAR)
    )
    shape = np.array(_SHAPE_TRUST * np.interp(far / near, _APART, _SHAPES))
    matched = (1 - _TAIL_FROM) / _MATCHED_AT
    stretch = _growth(shape, (1 - _TAIL_FROM) / a_day) / _growth(shape, matched)
    return start + fall * math.log(matched) * float(stretch)


class Evidence:
    """Scores of the days so far, by span, and the thresholds drawn from them."""

    def __init__(self, *, baseline: Baseline, alert_budget: float) -> None:
        """Start from the first weeks, which the baseline has been through."""
        self._budget = alert_budget
        self.thresholds: dict[Tail, float] = {}
        self._scores: dict[int, list[float]] = {}
        self._spreads: dict[int, float] = {}
        for span in SPANS:
            levels, seen = baseline.levels, baseline.unseasoned
            misses = [sum(seen[n - span + 1 : n + 1]) / span - levels[n - span] for n in range(span + 6, len(seen))]
            self._spreads[span] = max(_TO_SIGMA * float(np.mean(np.abs(misses))), 1e-6)
            self._scores[span] = [miss / self._spreads[span] for miss in misses]

    def set_thresholds(self) -> None:
        """Draw the thresholds anew: past the bulk of the scores the tail is taken to fall off as it does within it."""
        for span in SPANS:
            scores = np.array(self._scores[span][-_WINDOW:])
            for side in (-1, 1):
                ordered = np.sort(scores * side)
                count = len(ordered)
                a_day = min(0.1, _SHARES[span, side] * self._budget / 4 / 365.25)
                own = _tail(ordered, a_day)
                trust = count / (count + _PAST_COUNTS_FROM)
                self.thresholds[span, side] = max(_LEAST, _SHRINK * (trust * own + (1 - trust) * _BEFORE_SEEN))

    def scores(self, value: float, forecast: Forecast, baseline: Baseline) -> dict[int, float]:
        """Return how many spreads the day, and the days up to it, lie off what was foretold before them."""
        found = {1: (value - forecast.expected) / forecast.spread}
        today = value - forecast.season - forecast.holiday
        for span in SPANS[1:]:
            miss = (sum(baseline.unseasoned[1 - span :]) + today) / span - baseline.levels[-span]
            found[span] = miss / (self._spreads[span] * forecast.spread / baseline.spread)
        return found

    def learn(self, scores: dict[int, float], baseline: Baseline) -> None:
        """Keep the scores of a day that was as expected."""
        for span, score in scores.items():
            self._scores[span].append(score)
            if span > 1:
                miss = abs(sum(baseline.unseasoned[-span:]) / span - baseline.levels[-span - 1])
                spread = self._spreads[span]
                self._spreads[span] = max(1e-6, spread + _SPREAD_MEMORY * (min(miss, 3 * spread) * _TO_SIGMA - spread))

    def learn_odd(self, scores: dict[int, float]) -> None:
        """Keep that a day went past the threshold, not how far: unless it is too far off to be the series' own way."""
        score = scores[1]
        if abs(score) < _GROSS:
            most = self.thresholds[1, 1 if score > 0 else -1]
            self._scores[1].append(min(max(score, -most), most))
