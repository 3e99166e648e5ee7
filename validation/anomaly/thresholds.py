"""Alert thresholds of a series, set from its history to raise about `alert_budget` alerts per year."""

import math
from typing import Self

import numpy as np
from numpy.typing import NDArray

from validation.anomaly.baselines import Baseline, Forecast, mean
from validation.anomaly.state import State

# Windows in days over which evidence is combined: one bad day, or several slightly bad ones.
SPAN_DAYS = (1, 2, 3, 7, 14)
FloatArray = NDArray[np.float64]
Tail = tuple[int, int]  # span, side: -1 below, 1 above

# Expected alerts per year for each kind of evidence, for a budget of four. Over several days, fewer are allowed above
# than below, because demand comes in waves and lost data does not.
_SHARES: dict[Tail, float] = {
    (1, -1): 1.3, (1, 1): 1.0, (2, -1): 0.3, (2, 1): 0.1, (3, -1): 0.4, (3, 1): 0.1, (7, -1): 0.3, (7, 1): 0.1,
    (14, -1): 0.3, (14, 1): 0.1,
}  # fmt: skip
# Over several days together, a smaller deviation is worth an alert than on one day.
_LEAST_PARTS = {1: 1.0, 2: 0.9, 3: 0.8, 7: 0.6, 14: 0.6}
_WINDOW = 800  # days of past scores that set a threshold
_TAIL_FROM, _TAIL_TO = 0.80, 0.97  # quantiles of past scores that fit the tail; beyond them there may be incidents
_NEAR, _FAR = (0.86, 0.94), (0.955, 0.985)  # two parts of the tail, whose distances give its shape
_MATCHED_AT = 0.06  # probability at which tails of all shapes are equal
_BEFORE_SEEN = 4.5  # the threshold, in spreads, without history
_PAST_COUNTS_FROM = 60  # scores after which history has as much weight as the default
_LEAST = 3.0  # minimum threshold, in spreads
_SHRINK = 0.84  # history includes incidents, which make the tail look heavier than it is
_GROSS = 8.0  # spreads beyond which a value is an incident and is left out of the tail
_SPREAD_MEMORY = 1 / 45
_TO_SIGMA = 1.28


def _growth(shape: float, ratio: float) -> float:
    """Return the scaled distance at which a generalized Pareto tail is `ratio` times rarer than at its start."""
    return math.expm1(shape * math.log(ratio)) / shape if shape > 0 else math.log(ratio)


# Shape 0 is an exponential tail. The shape estimate from one series is halved because most of it is chance.
_SHAPES: FloatArray = np.linspace(0.0, 0.6, 13)
_SHAPE_TRUST = 0.5
_APART: FloatArray = np.array(
    [_growth(shape, (1 - _TAIL_FROM) / (1 - _TAIL_TO)) / _growth(shape, 2.0) for shape in _SHAPES.tolist()]
)


def _tail(ordered: FloatArray, a_day: float) -> float:
    """Return the score that is exceeded with probability `a_day`, extrapolated from the bulk of the ordered scores."""
    count = len(ordered)
    upper = ordered[int(_TAIL_FROM * count) :]
    start = float(upper[0])
    # Correct the mean of a truncated exponential tail.
    distance = max(1e-3, mean(np.minimum(upper, ordered[int(_TAIL_TO * count)])) - start)
    fall = distance / (1 - (1 - _TAIL_TO) / (1 - _TAIL_FROM))
    near, far = (
        max(1e-3, mean(ordered[int(low * count) : int(high * count) + 1]) - start) for low, high in (_NEAR, _FAR)
    )
    shape = _SHAPE_TRUST * float(np.interp(far / near, _APART, _SHAPES))
    matched = (1 - _TAIL_FROM) / _MATCHED_AT
    stretch = _growth(shape, (1 - _TAIL_FROM) / a_day) / _growth(shape, matched)
    return start + fall * math.log(matched) * stretch


class Evidence:
    """Scores of the days so far, by span, and the thresholds derived from them."""

    def __init__(self, *, baseline: Baseline, alert_budget: float, least_deviation: float) -> None:
        """Initialize from the first weeks, which the baseline has already learned."""
        self._set_limits(alert_budget, least_deviation)
        self.thresholds: dict[Tail, float] = {}
        self._scores: dict[int, list[float]] = {}
        self._spreads: dict[int, float] = {}
        for span in SPAN_DAYS:
            levels, unseasoned = baseline.levels, baseline.unseasoned
            misses = [
                sum(unseasoned[n - span + 1 : n + 1]) / span - levels[n - span]
                for n in range(span + 6, len(unseasoned))
            ]
            self._spreads[span] = max(_TO_SIGMA * float(np.mean(np.abs(misses))), 1e-6)
            self._scores[span] = [miss / self._spreads[span] for miss in misses]

    def _set_limits(self, alert_budget: float, least_deviation: float) -> None:
        self._budget = alert_budget
        self._least: dict[Tail, float] = {}
        for span, part in _LEAST_PARTS.items():
            self._least[span, -1] = -math.log1p(-part * least_deviation)
            self._least[span, 1] = math.log1p(part * least_deviation)

    def set_thresholds(self) -> None:
        """Update the thresholds. The tail is assumed to fall off beyond the bulk of the scores as it does within it."""
        for span in SPAN_DAYS:
            above = np.sort(self._scores[span])
            count = len(above)
            for side, ordered in ((-1, -above[::-1]), (1, above)):
                a_day = min(0.1, _SHARES[span, side] * self._budget / 4 / 365.25)
                own = _tail(ordered, a_day)
                trust = count / (count + _PAST_COUNTS_FROM)
                self.thresholds[span, side] = max(_LEAST, _SHRINK * (trust * own + (1 - trust) * _BEFORE_SEEN))

    def limit(self, span: int, side: int, forecast: Forecast, baseline: Baseline) -> float:
        """Return the distance from the forecast, in spreads, beyond which the last `span` days are anomalous."""
        spread = forecast.spread if span == 1 else self._spreads[span] * forecast.spread / baseline.spread
        return max(self.thresholds[span, side], self._least[span, side] / spread)

    def scores(self, value: float, forecast: Forecast, baseline: Baseline) -> dict[int, float]:
        """Return the distance from the forecast, in spreads, of the day and of the days up to it, by span."""
        scores = {1: (value - forecast.expected) / forecast.spread}
        today = value - forecast.season - forecast.holiday - forecast.companion
        for span in SPAN_DAYS[1:]:
            miss = (sum(baseline.unseasoned[1 - span :]) + today) / span - baseline.levels[-span]
            scores[span] = miss / (self._spreads[span] * forecast.spread / baseline.spread)
        return scores

    def learn(self, scores: dict[int, float], baseline: Baseline) -> None:
        """Record the scores of a normal day."""
        for span, score in scores.items():
            self._append(span, score)
            if span > 1:
                miss = abs(sum(baseline.unseasoned[-span:]) / span - baseline.levels[-span - 1])
                spread = self._spreads[span]
                self._spreads[span] = max(1e-6, spread + _SPREAD_MEMORY * (min(miss, 3 * spread) * _TO_SIGMA - spread))

    def learn_odd(self, scores: dict[int, float]) -> None:
        """Record that a day exceeded the threshold, but not by how much, unless it is too far off to be normal."""
        score = scores[1]
        if abs(score) < _GROSS:
            most = self.thresholds[1, 1 if score > 0 else -1]
            self._append(1, min(max(score, -most), most))

    def _append(self, span: int, score: float) -> None:
        self._scores[span].append(score)
        del self._scores[span][:-_WINDOW]

    def state(self) -> State:
        """Return the state that `restore` needs to continue."""
        return {
            "spreads": [self._spreads[span] for span in SPAN_DAYS],
            "thresholds": [self.thresholds[span, side] for span in SPAN_DAYS for side in (-1, 1)],
            "scores": {str(span): np.array(self._scores[span]) for span in SPAN_DAYS},
        }

    @classmethod
    def restore(cls, state: State, *, alert_budget: float, least_deviation: float) -> Self:
        """Return the evidence that had this state."""
        self = cls.__new__(cls)
        self._set_limits(alert_budget, least_deviation)
        self._spreads = dict(zip(SPAN_DAYS, state["spreads"], strict=True))
        tails = [(span, side) for span in SPAN_DAYS for side in (-1, 1)]
        self.thresholds = dict(zip(tails, state["thresholds"], strict=True))
        self._scores = {span: state["scores"][str(span)].tolist() for span in SPAN_DAYS}
        return self
