"""Anomaly detector for one daily series: evaluates each day against earlier days, then learns from it."""

import datetime as dt
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np

from validation.anomaly.baselines import Baseline, Forecast
from validation.anomaly.budget import GROSS_MULTIPLE, AlertBudget
from validation.anomaly.companion import Companion
from validation.anomaly.history import MIN_ALERT_DAYS, MIN_DAYS
from validation.anomaly.memory import ErrorMemory, ExpectedError
from validation.anomaly.state import State, pack, unpack
from validation.anomaly.stuck_values import WINDOW_VALUES, Repeats
from validation.anomaly.thresholds import Evidence
from validation.anomaly.transforms import Scale, choose_scale

_WEEK = 7  # days between updates of weekday effects and thresholds
_QUIET = 7  # days after an alert in which the same anomaly is not reported again
_WORSE = 1.25  # unless it is worse by this factor
_STILL_BAD = 1.6  # a value this far below is reported every day: the data is still missing
_TURNED = 1.3  # the opposite direction after an alert, which may only be its end
_ACCEPTED_AFTER = 7  # consecutive anomalous days on one side, after which they are the new level
_RETURNS_WITHIN = 40  # days in which a return to the previous level is not reported
_SUSTAINED = 7  # days of a slide or small shift whose report uses the level before it
_BACK = 2.5  # spreads around the previous level
_EARLIER = slice(-21, -7)  # the days whose median is the level of some weeks ago
_NEAR_EARLIER = 2.0  # spreads around that level; after an unnoticed drift, the series may return to it at once
_IMPOSSIBLE = 3.0  # the score of an impossible value


@dataclass(frozen=True, slots=True)
class DayResult:
    """The result of a day.

    `score` is 1 at the threshold; `expected`, `lower` and `upper` are in the metric's unit.

    `is_withheld` days are anomalies without an alert, because the budget is used up. `with_companion` is how much
    another metric changes the forecast, as a fraction. `reason` is a sentence for a flagged day, and for a day beyond
    the range that was not flagged; otherwise empty. `maturity` is "learning" while there is too little history to
    evaluate, "evaluating" while there is too little to alert, then "alerting".
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
    is_withheld: bool = False
    with_companion: float = 0.0


@dataclass(frozen=True, slots=True)
class _Inspection:
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
    def is_deviation(self) -> bool:
        """Return True if the distance from the forecast is the only evidence of an anomaly."""
        return not self.is_repeated and not self.is_impossible

    @property
    def is_gross(self) -> bool:
        """Return True if noise of the series does not explain the value."""
        return self.score >= GROSS_MULTIPLE or not self.is_deviation

    @property
    def is_odd(self) -> bool:
        """Return True if the baseline should not learn from the value."""
        return self.score > 1 or self.is_repeated or self.is_impossible


@dataclass(frozen=True, slots=True)
class _Alert:
    """The last alert for values that were too low or too high: its last day, and its first if people were notified."""

    at: int
    side: int
    score: float
    since: int | None


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
        self._companion = Companion(holidays=holidays)
        self._alert_budget = alert_budget
        self._budget = AlertBudget(alert_budget)
        self._least_deviation = least_deviation
        self._count = 0
        self._last_day: dt.date | None = None
        self._first_days: list[dt.date] = []  # until the baseline starts
        self._values: list[float] = []  # the newest
        self._alert: _Alert | None = None
        self._odd_run: list[float] = []
        self._left: tuple[int, float] | None = None  # when a new level was accepted, and the previous level
        self._least = math.inf
        self._most = -math.inf

    def step(self, day: dt.date, value: float, companion: float | None = None) -> DayResult:
        """Return the result of a day based on earlier days, and learn from it.

        `companion` is the value of another metric that may explain this one, if there is one.
        Raises ValueError for a day that is not after the last one, and for a value that is not finite.
        """
        if self._last_day is not None and day <= self._last_day:
            raise ValueError(f"{day} does not come after {self._last_day}")
        if not math.isfinite(value) or (companion is not None and not math.isfinite(companion)):
            raise ValueError(f"the value of {day} is not a finite number")
        off = self._companion.advance(day, companion)
        if self._count < MIN_DAYS:
            result = DayResult(day, 0.0, None, None, None, False, False, "learning", "")
            self._record_value(day, value)
            self._first_days.append(day)
            if self._count == MIN_DAYS:
                self._start()
            return result
        if self._count % _WEEK == 0:
            self._baseline.learn_weekdays()
            self._evidence.set_thresholds()
        expected = self._memory.expected_error(day, companion=off)
        forecast = self._forecast(day, expected)
        inspection = self._inspect(value, forecast)
        back = self._earlier_level(inspection, forecast) if inspection.is_odd else None
        excuse = self._expected_reason(inspection, returns=back is not None)
        is_flagged, is_withheld = inspection.is_odd and not excuse, False
        if back is not None and not is_flagged:
            self._baseline.move(back - forecast.level)
            self._left = None
            forecast = self._forecast(day, expected)
            inspection = self._inspect(value, forecast)
        if is_flagged:
            own_error = self._baseline_distance(inspection.scaled, forecast) - expected.companion
            excuse, is_withheld = self._withhold_reason(day, inspection, own_error)
            is_flagged = not excuse
        if is_flagged and self.is_alerting and day not in self._known and not self._continues_alert(inspection):
            self._budget.spend(day, is_gross=inspection.is_gross)
        result = self._result(
            day, value, forecast, inspection, is_flagged=is_flagged, excuse=excuse, is_withheld=is_withheld
        )
        self._learn(day, value, forecast, inspection, expected, is_flagged=is_flagged)
        return result

    @property
    def is_alerting(self) -> bool:
        """Return True if the next day may alert."""
        return self._count >= MIN_ALERT_DAYS

    @property
    def days(self) -> int:
        """The days of history so far."""
        return self._count

    def _continues_alert(self, inspection: _Inspection) -> bool:
        """Return True if the deviation was reported in the last few days and continues."""
        alert = self._alert
        return (
            alert is not None
            and alert.since is not None
            and inspection.is_deviation
            and inspection.side == alert.side
            and self._count - alert.since <= _QUIET
        )

    def _withhold_reason(self, day: dt.date, inspection: _Inspection, error: float) -> tuple[str, bool]:
        """Return why a flagged day is withheld, or an empty reason, and whether the used-up budget is the reason.

        `error` is the distance from the baseline, in spreads.
        """
        if inspection.is_deviation and self._memory.happens_every_year(day, error):
            return "as around this date in earlier years", False
        if not self.is_alerting or self._continues_alert(inspection):
            return "", False
        if refusal := self._budget.refusal(day, is_gross=inspection.is_gross):
            return refusal, True
        limit_raise = self._budget.limit_raise(day, days_alerting=self._count - MIN_ALERT_DAYS)
        if inspection.is_deviation and inspection.score <= limit_raise.factor:
            return limit_raise.reason, False
        return "", False

    def _forecast(self, day: dt.date, expected: ExpectedError) -> Forecast:
        """Return the baseline's forecast with its expected errors."""
        forecast = self._baseline.forecast(day)
        spread = forecast.spread
        yearly = 0.0 if forecast.key is not None else expected.yearly  # the baseline knows about holidays
        return replace(
            forecast,
            recent=expected.recent * spread,
            yearly=yearly * spread,
            companion=expected.companion * spread,
        )

    def _baseline_distance(self, scaled: float, forecast: Forecast) -> float:
        """Return the distance from the baseline alone, in spreads."""
        return (scaled - forecast.level - forecast.season - forecast.holiday) / forecast.spread

    def _record_value(self, day: dt.date, value: float) -> None:
        self._count += 1
        self._last_day = day
        self._values.append(value)
        del self._values[:-WINDOW_VALUES]
        self._least = min(self._least, value)
        self._most = max(self._most, value)

    def _start(self) -> None:
        """Initialize the baseline and thresholds from the first weeks."""
        self._scale: Scale = choose_scale(self._values, kind=self._kind)
        scaled = [self._scale.out(value) for value in self._values]
        self._baseline = Baseline(days=self._first_days, values=scaled, holidays=self._holidays)
        self._evidence = Evidence(
            baseline=self._baseline, alert_budget=self._alert_budget, least_deviation=self._least_deviation
        )
        self._repeats = Repeats(self._values)
        self._evidence.set_thresholds()
        self._first_days = []

    def _inspect(self, value: float, forecast: Forecast) -> _Inspection:
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
        return _Inspection(
            scaled,
            scores,
            max(score, _IMPOSSIBLE) if is_impossible else score,
            span,
            side,
            is_stuck,
            is_rare_pair,
            is_impossible,
        )

    def _expected_reason(self, inspection: _Inspection, *, returns: bool) -> str:
        """Return why an anomalous day is not reported: it returns to an earlier level or was already reported."""
        if inspection.is_repeated or inspection.is_impossible or inspection.score <= 1:
            return ""
        if returns:
            return "it returns to an earlier level"
        alert = self._alert
        if alert is None or self._count - alert.at > _QUIET:
            return ""
        if inspection.side != alert.side:
            return "" if inspection.score > _TURNED else "already reported"
        is_worse = inspection.score >= _WORSE * alert.score or (inspection.side < 0 and inspection.score > _STILL_BAD)
        return "" if is_worse else "already reported"

    def _earlier_level(self, inspection: _Inspection, forecast: Forecast) -> float | None:
        """Return the earlier level that the value returns to, if any: the previous one, or that of some weeks ago."""
        value = inspection.scaled - forecast.season - forecast.holiday - forecast.companion
        if self._left is not None and self._count - self._left[0] < _RETURNS_WITHIN:
            before = self._left[1]
            if abs(value - before) < _BACK * forecast.spread:
                return before
        earlier = float(np.median(self._baseline.levels[_EARLIER]))
        lies_there = (earlier - forecast.level) * inspection.side > forecast.spread
        return earlier if lies_there and abs(value - earlier) < _NEAR_EARLIER * forecast.spread else None

    def _result(
        self,
        day: dt.date,
        value: float,
        forecast: Forecast,
        inspection: _Inspection,
        *,
        is_flagged: bool,
        excuse: str,
        is_withheld: bool,
    ) -> DayResult:
        """Return the result in the metric's unit."""
        below, above = (self._evidence.limit(1, side, forecast, self._baseline) * forecast.spread for side in (-1, 1))
        expected = self._scale.back(forecast.expected)
        return DayResult(
            day=day,
            score=inspection.score,
            expected=expected,
            lower=self._scale.back(forecast.expected - below),
            upper=self._scale.back(forecast.expected + above),
            is_flagged=is_flagged,
            is_stuck=inspection.is_stuck,
            is_withheld=is_withheld,
            with_companion=self._companion_effect(forecast, expected),
            maturity="alerting" if self.is_alerting else "evaluating",
            reason=self._reason(day, value, expected, inspection, excuse=excuse) if is_flagged or excuse else "",
        )

    def _companion_effect(self, forecast: Forecast, expected: float) -> float:
        plain = self._scale.back(forecast.expected - forecast.companion)
        return expected / plain - 1 if forecast.companion and plain else 0.0

    def _reason(self, day: dt.date, value: float, expected: float, inspection: _Inspection, *, excuse: str) -> str:
        """Return a sentence that explains the anomaly, or with an `excuse` why it is none."""
        if inspection.is_impossible:
            return f"{value:,.6g} is {'negative' if value < 0 else 'more than 1'}, unlike any earlier value."
        if inspection.is_stuck:
            return f"Stuck at {value:,.6g}: the same value at least three times in a row."
        if inspection.is_rare_pair:
            return f"{value:,.6g} twice in a row: this metric rarely repeats a value."
        side = "below" if inspection.side < 0 else "above"
        off = f"{abs(value / expected - 1):.0%} " if abs(expected) > 1e-9 else ""
        today = f"{value:,.6g} – {off}{side} the expected {expected:,.6g} for a {day:%A}"
        if excuse:
            return f"{today}; no alert: {excuse}."
        if inspection.span == 1:
            return f"{today}."
        return f"{today}; the last {inspection.span} days together are {side} forecast."

    def _learn(
        self,
        day: dt.date,
        value: float,
        forecast: Forecast,
        inspection: _Inspection,
        expected: ExpectedError,
        *,
        is_flagged: bool,
    ) -> None:
        """Learn from the day after it is evaluated."""
        known = day in self._known
        self._memory.learn(
            day, self._baseline_distance(inspection.scaled, forecast), expected, is_odd=known or inspection.is_odd
        )
        at = self._count
        alert = self._alert
        fresh = alert is None or at - alert.at > _QUIET
        if is_flagged and not known and inspection.score > 1:
            worst = (
                inspection.score
                if fresh or alert is None or alert.side != inspection.side
                else max(inspection.score, alert.score)
            )
            since = at if self.is_alerting else None
            if self._continues_alert(inspection) and alert is not None:
                since = alert.since
            self._alert = _Alert(at, inspection.side, worst, since)
            if inspection.span >= _SUSTAINED and since == at:
                self._left = (at, self._baseline.levels[-inspection.span])
        if known or inspection.is_odd:
            self._baseline.pass_over(day, forecast)
            if not known:
                self._learn_odd(forecast, inspection, fresh=fresh)
        else:
            self._baseline.learn(day, inspection.scaled, forecast)
            self._evidence.learn(inspection.scores, self._baseline)
            if forecast.key is None:
                self._odd_run = []
        if not (known or inspection.is_impossible or inspection.is_stuck):
            self._baseline.learn_holiday(inspection.scaled, forecast)
        self._repeats.learn(value, self._values[-1], is_flagged=is_flagged)
        self._record_value(day, value)

    def _learn_odd(self, forecast: Forecast, inspection: _Inspection, *, fresh: bool) -> None:
        """Skip an anomalous day in the baseline, unless enough of them in a row make a new level."""
        if fresh and not inspection.is_repeated and not inspection.is_impossible:
            self._evidence.learn_odd(inspection.scores)
        self._odd_run.append(inspection.scaled - forecast.season - forecast.holiday - forecast.companion)
        del self._odd_run[:-_ACCEPTED_AFTER]
        recent = np.array(self._odd_run) - forecast.level
        if len(recent) == _ACCEPTED_AFTER and ((recent > 0).all() or (recent < 0).all()):
            if self._left is None or self._count - self._left[0] >= _RETURNS_WITHIN:
                self._left = (self._count, forecast.level)
            self._baseline.move(float(np.median(recent)))
            self._odd_run = []

    def dump(self) -> bytes:
        """Return the state, for `resume` with the same settings."""
        state: State = {
            "count": self._count,
            "last_day": self._last_day and self._last_day.toordinal(),
            "first_days": [day.toordinal() for day in self._first_days],
            "values": np.array(self._values),
            "extremes": np.array([self._least, self._most]),
            "alert": self._alert and [self._alert.at, self._alert.side, self._alert.score, self._alert.since],
            "odd_run": self._odd_run,
            "left": self._left,
            "alerts": [[day.toordinal(), is_gross] for day, is_gross in self._budget.alerts],
            "memory": self._memory.state(),
            "companion": self._companion.state(),
        }
        if self._count >= MIN_DAYS:
            state |= {
                "scale": [self._scale.form, self._scale.offset, self._scale.unit],
                "baseline": self._baseline.state(),
                "evidence": self._evidence.state(),
                "repeats": self._repeats.state(),
            }
        return pack(state)

    def resume(self, data: bytes) -> Self:
        """Set the state that `dump` returned, and return the detector, which must have the same settings."""
        state = unpack(data)
        self._count = state["count"]
        self._last_day = state["last_day"] and dt.date.fromordinal(state["last_day"])
        self._first_days = [dt.date.fromordinal(day) for day in state["first_days"]]
        self._values = state["values"].tolist()
        self._least, self._most = state["extremes"].tolist()
        self._alert = _Alert(*state["alert"]) if state["alert"] else None
        self._odd_run = state["odd_run"]
        self._left = tuple(state["left"]) if state["left"] else None
        alerts = tuple((dt.date.fromordinal(day), is_gross) for day, is_gross in state["alerts"])
        self._budget = AlertBudget(self._alert_budget, alerts=alerts)
        self._memory = ErrorMemory.restore(state["memory"])
        self._companion = Companion.restore(state["companion"], holidays=self._holidays)
        if self._count >= MIN_DAYS:
            self._scale = Scale(*state["scale"])
            self._baseline = Baseline.restore(state["baseline"], holidays=self._holidays)
            self._evidence = Evidence.restore(
                state["evidence"], alert_budget=self._alert_budget, least_deviation=self._least_deviation
            )
            self._repeats = Repeats.restore(state["repeats"])
        return self
