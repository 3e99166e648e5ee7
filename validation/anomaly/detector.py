"""Anomaly detector for one daily series: evaluates each day against earlier days, then learns from it."""

import datetime as dt
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from validation.anomaly.baselines import Baseline, Forecast
from validation.anomaly.memory import ErrorMemory
from validation.anomaly.stuck_values import Repeats
from validation.anomaly.thresholds import Evidence
from validation.anomaly.transforms import Scale, fitting_scale

MIN_DAYS = 28  # days of history needed for a result (docs/validation.md)
MIN_ALERT_DAYS = 56  # and for an alert

_WEEK = 7  # days between updates of weekday effects and thresholds
_QUIET = 7  # days after an alert in which the same anomaly is not reported again
_WORSE = 1.25  # unless it is worse by this factor
_STILL_BAD = 1.6  # a value this far below is reported every day: the data is still missing
_TURNED = 1.3  # the opposite direction after an alert, which may only be its end
_ACCEPTED_AFTER = 7  # consecutive anomalous days on one side, after which they are the new level
_RETURNS_WITHIN = 40  # days in which a return to the previous level is not reported
_BACK = 2.5  # spreads around the previous level
_EARLIER = slice(-21, -7)  # the days whose median is the level of some weeks ago
_NEAR_EARLIER = 2.0  # spreads around that level; after an unnoticed drift, the series may return to it at once
_IMPOSSIBLE = 3.0  # the score of an impossible value


@dataclass(frozen=True, slots=True)
class DayResult:
    """The result of a day. `score` is 1 at the threshold; `expected`, `lower` and `upper` are in the metric's unit.

    `reason` is a sentence for a flagged day, and for a day beyond the range that was not flagged; otherwise empty. `maturity` is "learning" while there is too little history
    to evaluate, "evaluating" while there is too little to alert, then "alerting".
    """

    day: dt.date
    score: float
    expected: float | None
    lower: float | None
    upper: float | None
    is_flagged: bool
    is_stuck: bool
    maturity: Literal["learning", "evaluating", "alerting"]
    reason: str


@dataclass(frozen=True, slots=True)
class _Look:
    """The observations about a day, before the decision to flag it."""

    scaled: float
    scores: dict[int, float]
    score: float
    span: int
    side: int
    is_stuck: bool
    is_rare_pair: bool
    is_impossible: bool

    @property
    def is_repeated(self) -> bool:
        """Return True if the value is stuck."""
        return self.is_stuck or self.is_rare_pair

    @property
    def is_odd(self) -> bool:
        """Return True if the baseline should not learn from the value."""
        return self.score > 1 or self.is_repeated or self.is_impossible


@dataclass(frozen=True, slots=True)
class _Alert:
    """The last alert for a value that was too low or too high."""

    at: int
    side: int
    score: float


class AnomalyDetector:
    """The detector of one series. Call `step` once for every day that has a value, oldest first."""

    def __init__(
        self,
        *,
        kind: str,
        holidays: Mapping[dt.date, str],
        known_events: Collection[dt.date],
        alert_budget: float,
        least_deviation: float,
    ) -> None:
        """Initialize without history."""
        self._kind = kind
        self._holidays = holidays
        self._known = known_events
        self._memory = ErrorMemory()
        self._budget = alert_budget
        self._least_deviation = least_deviation
        self._days: list[dt.date] = []
        self._values: list[float] = []
        self._alert: _Alert | None = None
        self._odd_run: list[float] = []
        self._left: tuple[int, float] | None = None  # when a new level was accepted, and the previous level
        self._least = math.inf
        self._most = -math.inf

    def step(self, day: dt.date, value: float) -> DayResult:
        """Return the result of a day based on earlier days, and learn from it.

        Raises ValueError for a day that is not after the last one, and for a value that is not finite.
        """
        if self._days and day <= self._days[-1]:
            raise ValueError(f"{day} does not come after {self._days[-1]}")
        if not math.isfinite(value):
            raise ValueError(f"the value of {day} is not a finite number")
        if len(self._days) < MIN_DAYS:
            result = DayResult(day, 0.0, None, None, None, False, False, "learning", "")
            self._note(day, value)
            if len(self._days) == MIN_DAYS:
                self._start()
            return result
        if len(self._days) % _WEEK == 0:
            self._baseline.learn_weekdays()
            self._evidence.set_thresholds()
        forecast = self._forecast(day)
        look = self._look(value, forecast)
        back = self._level_returned_to(look, forecast) if look.is_odd else None
        is_flagged = self._is_reportable(look, returns=back is not None)
        excuse = (
            "" if is_flagged or look.score <= 1 else "it returns to an earlier level" if back else "already reported"
        )
        if back is not None and not is_flagged:
            self._baseline.move(back - forecast.level)
            self._left = None
            forecast = self._forecast(day)
            look = self._look(value, forecast)
        is_deviation = not look.is_repeated and not look.is_impossible
        if is_flagged and is_deviation and self._memory.happens_every_year(day, self._error(look.scaled, forecast)):
            is_flagged, excuse = False, "as around this date in earlier years"
        result = self._result(day, value, forecast, look, is_flagged=is_flagged, excuse=excuse)
        self._learn(day, value, forecast, look, is_flagged=is_flagged)
        return result

    def _forecast(self, day: dt.date) -> Forecast:
        """Return the baseline's forecast with what the last days and earlier years add to it."""
        forecast = self._baseline.forecast(day)
        recent, yearly = self._memory.expected_error(day)
        if forecast.key is not None:  # the baseline knows about holidays
            yearly = 0.0
        return replace(forecast, recent=recent * forecast.spread, yearly=yearly * forecast.spread)

    def _error(self, scaled: float, forecast: Forecast) -> float:
        """Return the distance from the baseline alone, in spreads."""
        return (scaled - forecast.level - forecast.season - forecast.holiday) / forecast.spread

    def _note(self, day: dt.date, value: float) -> None:
        self._days.append(day)
        self._values.append(value)
        self._least = min(self._least, value)
        self._most = max(self._most, value)

    def _start(self) -> None:
        """Initialize the baseline and thresholds from the first weeks."""
        self._scale: Scale = fitting_scale(self._values, kind=self._kind)
        scaled = [self._scale.out(value) for value in self._values]
        self._baseline = Baseline(days=self._days, values=scaled, holidays=self._holidays)
        self._evidence = Evidence(
            baseline=self._baseline, alert_budget=self._budget, least_deviation=self._least_deviation
        )
        self._repeats = Repeats(self._values)
        self._evidence.set_thresholds()

    def _look(self, value: float, forecast: Forecast) -> _Look:
        """Return the observations about a value."""
        scaled = self._scale.out(value)
        scores = self._evidence.scores(scaled, forecast, self._baseline)
        score, span, side = max(
            (abs(distance) / self._evidence.limit(span, side, forecast, self._baseline), span, side)
            for span, distance in scores.items()
            for side in (1 if distance > 0 else -1,)
        )
        is_impossible = (value < 0 <= self._least) or (self._scale.form == "log-odds" and value > 1 >= self._most)
        is_stuck, is_rare_pair = self._repeats.observe(value, self._values)
        return _Look(
            scaled,
            scores,
            max(score, _IMPOSSIBLE) if is_impossible else score,
            span,
            side,
            is_stuck,
            is_rare_pair,
            is_impossible,
        )

    def _is_reportable(self, look: _Look, *, returns: bool) -> bool:
        """Return True if the day should be flagged.

        It is anomalous, does not return to an earlier level, and was not reported in the last few days.
        """
        if look.is_repeated or look.is_impossible:
            return True
        if look.score <= 1 or returns:
            return False
        alert = self._alert
        if alert is None or len(self._days) - alert.at > _QUIET:
            return True
        if look.side != alert.side:
            return look.score > _TURNED
        return look.score >= _WORSE * alert.score or (look.side < 0 and look.score > _STILL_BAD)

    def _level_returned_to(self, look: _Look, forecast: Forecast) -> float | None:
        """Return the earlier level that the value returns to, if any: the previous one, or that of some weeks ago."""
        value = look.scaled - forecast.season - forecast.holiday
        if self._left is not None and len(self._days) - self._left[0] < _RETURNS_WITHIN:
            before = self._left[1]
            if abs(value - before) < _BACK * forecast.spread:
                return before
        earlier = float(np.median(self._baseline.levels[_EARLIER]))
        lies_there = (earlier - forecast.level) * look.side > forecast.spread
        return earlier if lies_there and abs(value - earlier) < _NEAR_EARLIER * forecast.spread else None

    def _result(
        self, day: dt.date, value: float, forecast: Forecast, look: _Look, *, is_flagged: bool, excuse: str
    ) -> DayResult:
        """Return the result in the metric's unit."""
        below, above = (self._evidence.limit(1, side, forecast, self._baseline) * forecast.spread for side in (-1, 1))
        expected = self._scale.back(forecast.expected)
        return DayResult(
            day=day,
            score=look.score,
            expected=expected,
            lower=self._scale.back(forecast.expected - below),
            upper=self._scale.back(forecast.expected + above),
            is_flagged=is_flagged,
            is_stuck=look.is_stuck,
            maturity="alerting" if len(self._days) >= MIN_ALERT_DAYS else "evaluating",
            reason=self._reason(day, value, expected, look, excuse=excuse) if is_flagged or excuse else "",
        )

    def _reason(self, day: dt.date, value: float, expected: float, look: _Look, *, excuse: str) -> str:
        """Return a sentence that explains the anomaly, or with an `excuse` why it is none."""
        if look.is_impossible:
            return f"{value:,.6g} is {'negative' if value < 0 else 'more than 1'}, unlike any earlier value."
        if look.is_stuck:
            return f"Stuck at {value:,.6g}: the same value at least three times in a row."
        if look.is_rare_pair:
            return f"{value:,.6g} twice in a row: this metric rarely repeats a value."
        side = "below" if look.side < 0 else "above"
        off = f"{abs(value / expected - 1):.0%} " if abs(expected) > 1e-9 else ""
        today = f"{value:,.6g} – {off}{side} the expected {expected:,.6g} for a {day:%A}"
        if excuse:
            return f"{today}; not an anomaly: {excuse}."
        if look.span == 1:
            return f"{today}."
        return f"{today}; the last {look.span} days together are {side} forecast."

    def _learn(self, day: dt.date, value: float, forecast: Forecast, look: _Look, *, is_flagged: bool) -> None:
        """Learn from the day after it is evaluated."""
        known = day in self._known
        self._memory.learn(day, self._error(look.scaled, forecast), is_odd=known or look.is_odd)
        at = len(self._days)
        alert = self._alert
        fresh = alert is None or at - alert.at > _QUIET
        if is_flagged and not known and look.score > 1:
            worst = look.score if fresh or alert is None or alert.side != look.side else max(look.score, alert.score)
            self._alert = _Alert(at, look.side, worst)
        if known or look.is_odd:
            self._baseline.pass_over(day, forecast)
            if not known:
                self._learn_odd(forecast, look, fresh=fresh)
        else:
            self._baseline.learn(day, look.scaled, forecast)
            self._evidence.learn(look.scores, self._baseline)
            if forecast.key is None:
                self._odd_run = []
        if not (known or look.is_impossible or look.is_stuck):
            self._baseline.learn_holiday(look.scaled, forecast)
        self._repeats.learn(value, self._values[-1], is_flagged=is_flagged)
        self._note(day, value)

    def _learn_odd(self, forecast: Forecast, look: _Look, *, fresh: bool) -> None:
        """Skip an anomalous day in the baseline, unless enough of them in a row make a new level."""
        if fresh and not look.is_repeated and not look.is_impossible:
            self._evidence.learn_odd(look.scores)
        self._odd_run.append(look.scaled - forecast.season - forecast.holiday)
        recent = np.array(self._odd_run[-_ACCEPTED_AFTER:]) - forecast.level
        if len(recent) == _ACCEPTED_AFTER and ((recent > 0).all() or (recent < 0).all()):
            self._left = (len(self._days), forecast.level)
            self._baseline.move(float(np.median(recent)))
            self._odd_run = []
