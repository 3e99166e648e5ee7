"""The anomaly check (validation.md): a day against its weekday pattern, its holidays, and a threshold of the metric's own.

Values are compared on a logarithmic scale (shares: on the logit scale). The level is a mixture of exponential averages, those
weighing most that missed least of late; weekday effects are medians; spread is a median absolute deviation. Both tails have
thresholds of their own, set so that the metric raises about `alert_budget` alerts a year.
"""

import datetime as dt
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SPEAKS_AFTER, TELLS_AFTER = 28, 56
HALF_LIVES = np.array([1.0, 2.5, 6.0, 15.0])  # days
LEVEL_DAYS, EFFECT_DAYS, ERROR_DAYS = 45, 70, 120
SPREAD_DAYS, RECENT_DAYS, TAIL_DAYS = 84, 21, 730
WEEKDAYS = 7
# A MAD of a normal distribution times this is its standard deviation.
MAD_TO_SIGMA = 1.4826
LEAST_SPREAD = 0.004
# How far a value may draw the level, in spreads; so many days on one side make a new level.
CLIP, NEW_LEVEL_DAYS = 2.5, 6
# Of the budget: low and high days, low and high runs of three days.
SHARES = (0.36, 0.24, 0.25, 0.15)
FLOORS = (2.4, 2.4, 1.3, 1.3)
# Besides the budget, a year may hold so many real incidents, whose scores must not raise the thresholds.
INCIDENTS_A_YEAR = 14
TAIL_FROM, TAIL_TO = 0.6, 0.85
RUN_DAYS = 3
STUCK_DAYS = 3
# Where more than this share of values repeats the one before, repeating is the metric's nature.
NATURAL_REPEATS = 0.08
SAME_HOLIDAY, ANY_HOLIDAY, NEW_HOLIDAY, BESIDE_HOLIDAY = 1.6, 2.2, 2.5, 1.3


@dataclass(frozen=True, slots=True)
class Judged:
    """What the check says of a day: its score in spreads, the value expected and its band, whether it is flagged, and why.

    `enough` says whether there is history to say anything (28 days: speaks) and to tell anybody (56 days: tells).
    """

    day: dt.date
    score: float
    expected: float | None
    lower: float | None
    upper: float | None
    flagged: bool
    stuck: bool
    enough: Literal["none", "speaks", "tells"]
    why: str


@dataclass(frozen=True, slots=True)
class _Forecast:
    """What a day was expected to be on the scale of comparison, by each half-life and in all, and its spread."""

    parts: Floats
    plain: float
    value: float
    spread: float


def judge_day(
    history: Sequence[tuple[dt.date, float]],
    *,
    day: dt.date,
    value: float,
    kind: str = "count",
    holidays: Mapping[dt.date, str] | None = None,
    known_events: Collection[dt.date] = (),
    alert_budget: float = 4.0,
) -> Judged:
    """Return what the check says of a day by the days before it alone; `kind` is count, amount or ratio.

    `holidays` gives public holidays by date; the dates of `known_events` are left out of the baseline.
    """
    points = [*history, (day, value)]
    return judge_series(points, kind=kind, holidays=holidays, known_events=known_events, alert_budget=alert_budget)[-1]


def judge_series(
    points: Iterable[tuple[dt.date, float]],
    *,
    kind: str = "count",
    holidays: Mapping[dt.date, str] | None = None,
    known_events: Collection[dt.date] = (),
    alert_budget: float = 4.0,
) -> list[Judged]:
    """Return what the check says of each day, oldest first, each by the days before it alone; missing days are gaps."""
    walker = _Walker(kind=kind, holidays=holidays or {}, known=frozenset(known_events), budget=max(alert_budget, 0.1))
    return [walker.step(day, value) for day, value in points]


@dataclass(slots=True)
class _Walker:
    """Walks along a series, judging each day before it learns from it."""

    kind: str
    holidays: Mapping[dt.date, str]
    known: frozenset[dt.date]
    budget: float
    unit: float = 1.0
    days: list[dt.date] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    scaled: list[float] = field(default_factory=list)
    clean: list[float] = field(default_factory=list)
    residuals: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    runs: list[float] = field(default_factory=list)
    flags: list[bool] = field(default_factory=list)
    errors: list[Floats] = field(default_factory=list)
    holiday_effects: dict[str, list[float]] = field(default_factory=dict)
    repeats: int = 0

    def step(self, day: dt.date, value: float) -> Judged:
        """Return what is said of a day, and learn from it where it is no known event."""
        self._set_unit(value)
        scaled = self._scale(value)
        forecast = self._forecast(day)
        told = self._judge(day, value, scaled, forecast)
        if day not in self.known:
            self._learn(day, value, scaled, forecast, told)
        return told

    def _set_unit(self, value: float) -> None:
        """Set, at the first value and once there is history, what is small for this metric; what is above it is logarithmic."""
        seen = len(self.values)
        if seen not in (0, SPEAKS_AFTER):
            return
        usual = float(np.median(np.abs(self.values))) if seen else abs(value)
        self.unit = max(usual * 0.01, 0.5 if usual > 5 else 1e-9)  # counts are whole: half of one is no difference
        self.scaled = [self._scale(one) for one in self.values]
        self.clean = list(self.scaled)

    def _scale(self, value: float) -> float:
        if self.kind != "ratio":
            return math.asinh(value / self.unit)
        if not 0 <= value <= 1:
            return math.copysign(10 + math.log1p(abs(value)), value)
        inside = min(max(value, 1e-4), 1 - 1e-4)
        return math.log(inside / (1 - inside))

    def _unscale(self, scaled: float) -> float:
        if self.kind != "ratio":
            return math.sinh(max(-700.0, min(700.0, scaled))) * self.unit
        return 1 / (1 + math.exp(-max(-700.0, min(700.0, scaled))))

    def _forecast(self, day: dt.date) -> _Forecast:
        seen = len(self.days)
        if seen < 2 * WEEKDAYS:
            middle = float(np.median(self.scaled)) if seen else 0.0
            return _Forecast(np.full(len(HALF_LIVES), middle), middle, middle, 1.0)
        effects = self._effects()
        recent = self.days[-LEVEL_DAYS:]
        levels = np.array(self.clean[-LEVEL_DAYS:]) - effects[[one.weekday() for one in recent]]
        ages = np.array([(day - one).days for one in recent], dtype=np.float64)
        weights = 0.5 ** (ages[:, None] / HALF_LIVES[None, :])
        parts = (weights * levels[:, None]).sum(axis=0) / np.maximum(weights.sum(axis=0), 1e-300) + effects[
            day.weekday()
        ]
        plain = float(parts @ self._trust())
        shift, wider = self._holiday(day)
        return _Forecast(parts, plain, plain + shift, self._spread(day) * wider)

    def _effects(self) -> Floats:
        """Return how far each weekday lies from the week around it: medians over ten weeks."""
        values = np.array(self.clean[-EFFECT_DAYS:])
        around = np.convolve(values, np.ones(WEEKDAYS) / WEEKDAYS, "valid")
        apart = values[3:-3] - around
        weekdays = np.array([one.weekday() for one in self.days[-len(values) :]])[3:-3]
        return np.array(
            [np.median(apart[weekdays == one]) if (weekdays == one).any() else 0.0 for one in range(WEEKDAYS)]
        )

    def _trust(self) -> Floats:
        """Return the weight of each half-life: the less it missed of late, the more."""
        errors = np.array(self.errors[2 * WEEKDAYS :][-ERROR_DAYS:])
        if len(errors) <= WEEKDAYS:
            return np.full(len(HALF_LIVES), 1 / len(HALF_LIVES))
        weights = 1 / (errors.mean(axis=0) + 1e-9) ** 3
        return np.asarray(weights / weights.sum())

    def _holiday(self, day: dt.date) -> tuple[float, float]:
        """Return how far a public holiday is expected to shift the value, and how much wider the spread is about it."""
        name, one = self.holidays.get(day), dt.timedelta(days=1)
        if name is None:
            beside = day - one in self.holidays or day + one in self.holidays
            return 0.0, BESIDE_HOLIDAY if beside else 1.0
        own = self.holiday_effects.get(name)
        if own:
            return 0.75 * float(np.median(own)), SAME_HOLIDAY
        others = [effect for effects in self.holiday_effects.values() for effect in effects]
        return (0.5 * float(np.median(others)), ANY_HOLIDAY) if len(others) > 1 else (0.0, NEW_HOLIDAY)

    def _spread(self, day: dt.date) -> float:
        """Return the robust standard deviation of the forecast's errors, wider of late or on such a weekday where it was."""
        misses = np.abs(np.array(self.residuals[2 * WEEKDAYS :][-SPREAD_DAYS:]))
        if len(misses) < WEEKDAYS:
            return 1.0
        whole = MAD_TO_SIGMA * float(np.median(misses))
        spread = max(whole, 0.9 * MAD_TO_SIGMA * float(np.median(misses[-RECENT_DAYS:])))
        weekdays = np.array([one.weekday() for one in self.days[-len(misses) :]])
        same = misses[weekdays == day.weekday()]
        if len(same) >= WEEKDAYS - 1 and whole > 0:
            ratio = MAD_TO_SIGMA * float(np.median(same)) / whole
            spread *= min(1.6, max(0.75, ratio**0.5))
        return max(spread, LEAST_SPREAD)

    def _judge(self, day: dt.date, value: float, scaled: float, forecast: _Forecast) -> Judged:
        seen = len(self.days)
        if seen < SPEAKS_AFTER:
            return Judged(day, 0.0, None, None, None, flagged=False, stuck=False, enough="none", why="")
        score = (scaled - forecast.value) / forecast.spread
        run = self._run(day, scaled, forecast.spread)
        low, high, low_run, high_run = self._thresholds()
        stuck = self._is_stuck(value)
        beyond = score < -low or score > high or run < -low_run or run > high_run
        if beyond and any(self.flags[-RUN_DAYS:]):
            # What was told is not told again unless today is as far from yesterday as it was.
            apart = self._apart(day, scaled) / forecast.spread
            beyond = abs(apart) >= (low if score < 0 else high) and apart * score > 0
        band = [self._unscale(forecast.value + bound * forecast.spread) for bound in (0, -low, high)]
        why = ""
        if stuck:
            why = f"The value {value:g} is the same {STUCK_DAYS} days running."
        elif beyond:
            side = "below" if score < 0 else "above"
            run_words = "" if score < -low or score > high else f" {RUN_DAYS} days running"
            why = f"{value:g} is {side} what is usual{run_words}: {band[1]:.4g} to {band[2]:.4g}."
        enough: Literal["speaks", "tells"] = "tells" if seen >= TELLS_AFTER else "speaks"
        return Judged(
            day, score, band[0], band[1], band[2], flagged=stuck or beyond, stuck=stuck, enough=enough, why=why
        )

    def _run(self, day: dt.date, scaled: float, spread: float) -> float:
        """Return how far the last three days lie on one side of the level before them, in spreads; 0 where they do not."""
        days = [*self.days[-(RUN_DAYS - 1) :], day]
        if any(one in self.holidays for one in days):
            return 0.0
        effects = self._effects()
        place = slice(-(RUN_DAYS - 1) - 2 * WEEKDAYS, -(RUN_DAYS - 1))
        levels = np.array(self.clean[place]) - effects[[one.weekday() for one in self.days[place]]]
        weights = 0.5 ** (np.arange(len(levels))[::-1] / 4.0)
        level = float((weights * levels).sum() / weights.sum())
        apart = np.array([*self.scaled[-(RUN_DAYS - 1) :], scaled]) - effects[[one.weekday() for one in days]] - level
        if not (np.all(apart < 0) or np.all(apart > 0)):
            return 0.0
        return float(np.sign(apart[-1]) * np.min(np.abs(apart)) + apart.mean()) / 2 / spread

    def _apart(self, day: dt.date, scaled: float) -> float:
        effects = self._effects()
        return float(scaled - effects[day.weekday()] - self.scaled[-1] + effects[self.days[-1].weekday()])

    def _thresholds(self) -> tuple[float, float, float, float]:
        scores = np.array(self.scores[SPEAKS_AFTER:][-TAIL_DAYS:])
        runs = np.array(self.runs[SPEAKS_AFTER:][-TAIL_DAYS:])
        sides = (-scores, scores, -runs, runs)
        low, high, low_run, high_run = (
            max(floor, self._tail(side, share)) for side, share, floor in zip(sides, SHARES, FLOORS, strict=True)
        )
        return low, high, low_run, high_run

    def _tail(self, side: Floats, share: float) -> float:
        """Return the score beyond which a share of the budget falls: an exponential tail drawn on from the bulk.

        Not less than what would, beside the budget, let through more than the real incidents of a year.
        """
        if len(side) < SPEAKS_AFTER:
            return 4.0  # with no tail to look at yet, only what nobody could overlook
        rate = self.budget * share / 365
        start, end = np.quantile(side, [TAIL_FROM, TAIL_TO])
        slope = max((end - start) / math.log((1 - TAIL_FROM) / (1 - TAIL_TO)), 0.05)
        drawn = float(end + slope * math.log((1 - TAIL_TO) / rate))
        allowed = round((INCIDENTS_A_YEAR + self.budget) * share * len(side) / 365)
        seen = float(np.sort(side)[-allowed - 1]) if allowed < len(side) else 0.0
        return max(drawn, seen)

    def _is_stuck(self, value: float) -> bool:
        """Tell whether a value is the same for the third day, in a metric that does not repeat itself by nature."""
        last = self.values[-(STUCK_DAYS - 1) :]
        if any(one != value for one in last) or self.repeats / len(self.values) >= NATURAL_REPEATS:
            return False
        return self.values[-STUCK_DAYS] != value

    def _learn(self, day: dt.date, value: float, scaled: float, forecast: _Forecast, told: Judged) -> None:
        residual = scaled - forecast.value
        clean = scaled
        if len(self.days) >= SPEAKS_AFTER:
            most = CLIP * forecast.spread
            clean = forecast.value + max(-most, min(most, residual))
            lately = self.residuals[-(NEW_LEVEL_DAYS - 1) :]
            if abs(residual) > most and all(abs(one) > 0.8 * most and one * residual > 0 for one in lately):
                clean = scaled
        if day in self.holidays and len(self.days) >= 2 * WEEKDAYS:
            self.holiday_effects.setdefault(self.holidays[day], []).append(scaled - forecast.plain)
            clean = forecast.plain
        self.repeats += bool(self.values) and value == self.values[-1]
        self.errors.append(np.minimum(np.abs(scaled - forecast.parts), 4 * forecast.spread))
        self.runs.append(self._run(day, scaled, forecast.spread) if len(self.days) >= SPEAKS_AFTER else 0.0)
        self.days.append(day)
        self.values.append(value)
        self.scaled.append(scaled)
        self.clean.append(clean)
        self.residuals.append(residual)
        self.scores.append(told.score)
        self.flags.append(told.flagged)
