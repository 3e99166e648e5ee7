"""Baseline of a daily series, learned from earlier days: level, weekday, public holiday and spread."""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from validation.anomaly.state import State

# The level is tracked at several speeds, weighted by recent forecast accuracy: a stable series is averaged over
# weeks, and a drifting one follows the previous day.
_SPEEDS = np.array([0.04, 0.1, 0.2, 0.35, 0.55, 0.8])
_WEEKDAY_WINDOWS = (12 * 7, 26 * 7)  # days of history for the weekday effect: one fast, one steady
_TRUST = 6.0  # how strongly the more accurate speeds are preferred
_MEMORY = 0.03  # weight of the newest error in each speed's record, about a month
_SPREAD_MEMORY = 1 / 45
_WEEKDAY_SPREAD_MEMORY = 1 / 12  # occurrences of the weekday
_TO_SIGMA = (
    1.28  # mean absolute deviation to standard deviation, slightly above the normal 1.25 because of the clipping
)
_CLIP = 2.5  # spreads beyond which a value moves the baseline no further
_FEWEST = 21  # minimum days before weekdays are distinguished
_FIRST_HOLIDAY = 0.3  # prior deviation, in logarithms, of an unseen holiday and of the days next to it
_FIRST_NEIGHBOUR = 0.1
_LEAST_SPREAD = 1e-3
_REMEMBERED = 15  # length in days of the evidence windows
_KEPT_CLEAN = _WEEKDAY_WINDOWS[-1] + 6  # past days that later days read
_KEPT_LEVELS = 30

Grid = NDArray[np.float64]
HolidayKey = tuple[str, int]


def mean(values: Grid) -> float:
    """Return the mean of some values; numpy's own takes twice as long for few of them."""
    return float(values.sum()) / len(values)


@dataclass(frozen=True, slots=True)
class Forecast:
    """The forecast of a day on the series' scale: level + season + holiday, with its spread.

    `recent` and `yearly` are the corrections from the errors of the last days and of earlier years, and `companion`
    that from another metric.
    """

    level: float
    season: float
    holiday: float
    spread: float
    key: HolidayKey | None
    shares: Grid
    recent: float = 0.0
    yearly: float = 0.0
    companion: float = 0.0

    @property
    def expected(self) -> float:
        """The center of the expected range."""
        return self.level + self.season + self.holiday + self.recent + self.yearly + self.companion


class Baseline:
    """The state learned from the days so far. `forecast` reads it; the other methods advance it by one day."""

    def __init__(self, *, days: Sequence[dt.date], values: Sequence[float], holidays: Mapping[dt.date, str]) -> None:
        """Initialize from the values of the first weeks, on the series' scale."""
        self._holidays = holidays
        weekdays = np.array([day.weekday() for day in days])
        self._effects: dict[HolidayKey, list[float]] = {}
        self._effect = np.zeros((len(_WEEKDAY_WINDOWS), 7))
        self._errors = np.full((len(_WEEKDAY_WINDOWS), len(_SPEEDS)), 0.1)
        self._weekday_spread = np.ones(7)
        raw = np.asarray(values, dtype=float)
        middles = np.array(
            [np.median(raw[weekdays == n]) if (weekdays == n).any() else np.median(raw) for n in range(7)]
        )[weekdays]
        spread = max(1.4826 * float(np.median(np.abs(raw - middles))), _LEAST_SPREAD)
        clean = middles + np.clip(raw - middles, -3 * spread, 3 * spread)
        self._clean: list[float] = clean.tolist()
        self._seen: list[int] = weekdays.tolist()
        self.learn_weekdays()
        self._levels = np.full_like(self._errors, np.median(clean[:7] - self._effect[0][weekdays[:7]]))
        self.spread = spread
        self.unseasoned: list[float] = []  # each day's value without its season, with outliers removed
        self.levels: list[float] = []  # the level after each day
        self._replay(clean)

    def _replay(self, clean: Grid) -> None:
        """Replay the first weeks day by day to get the record of each speed and the initial spread."""
        misses = []
        for n, value in enumerate(clean.tolist()):
            weekday = self._seen[n]
            error = value - (self._levels + self._effect[:, weekday : weekday + 1])
            self._errors += 0.1 * (np.abs(error) - self._errors)
            shares = self._shares()
            season = float((shares * self._effect[:, weekday : weekday + 1]).sum())
            if n >= 7:
                misses.append(value - season - float((shares * self._levels).sum()))
            self._levels += _SPEEDS * error
            self.unseasoned.append(value - season)
            self.levels.append(float((shares * self._levels).sum()))
        self.spread = max(1.1 * _TO_SIGMA * float(np.mean(np.abs(misses))), _LEAST_SPREAD)

    def _shares(self) -> Grid:
        weights: Grid = (self._errors + 1e-9) ** -_TRUST
        shares: Grid = weights / weights.sum()
        return shares

    def learn_weekdays(self) -> None:
        """Update each weekday's effect: the interquartile mean of its distances from the surrounding week."""
        recent = np.array(self._clean[-_WEEKDAY_WINDOWS[-1] - 6 :])
        if len(recent) < _FEWEST:
            return
        total = np.concatenate([[0.0], np.cumsum(recent)])
        distances = recent[3:-3] - (total[7:] - total[:-7]) / 7
        weekdays = np.array(self._seen[-len(recent) :])[3:-3]
        for row, window in enumerate(_WEEKDAY_WINDOWS):
            for weekday in range(7):
                own = np.sort(distances[-window:][weekdays[-window:] == weekday])
                cut = len(own) // 4
                self._effect[row, weekday] = mean(own[cut : len(own) - cut]) if len(own) else 0.0
            self._effect[row] -= mean(self._effect[row])

    def _key(self, day: dt.date) -> HolidayKey | None:
        """Return the holiday on the day, the day before or the day after, by name and distance."""
        for away in (0, -1, 1):
            name = self._holidays.get(day + dt.timedelta(days=away))
            if name:
                return name.removesuffix(" (observed)"), away
        return None

    def forecast(self, day: dt.date) -> Forecast:
        shares = self._shares()
        weekday = day.weekday()
        season = float((shares * self._effect[:, weekday : weekday + 1]).sum())
        spread = self.spread * (0.5 + 0.5 * float(self._weekday_spread[weekday]))
        key = self._key(day)
        effect = 0.0
        if key is not None:
            effect, doubt = self._holiday(key)
            spread = math.hypot(spread, doubt)
        return Forecast(float((shares * self._levels).sum()), season, effect, spread, key, shares)

    def _holiday(self, key: HolidayKey) -> tuple[float, float]:
        """Return a holiday's effect and its uncertainty, from its own history or else from that of other holidays."""
        alike = [abs(one) for other, past in self._effects.items() if (other[1] == 0) == (key[1] == 0) for one in past]
        usual = sum(alike) / len(alike) if alike else (_FIRST_NEIGHBOUR if key[1] else _FIRST_HOLIDAY)
        past = self._effects.get(key, [])
        return (sum(past) / (len(past) + 0.3), 0.5 * usual) if past else (0.0, usual)

    def learn(self, day: dt.date, value: float, forecast: Forecast) -> None:
        """Update the baseline with a normal or nearly normal day; it moves by at most a few spreads."""
        weekday = day.weekday()
        # A holiday says little about ordinary days, and even less when its effect is uncertain.
        limit = _CLIP * forecast.spread if forecast.key is None else self.spread
        # The level follows what the last days' errors explain, but not what happens every year.
        miss = min(max(value - forecast.expected + forecast.recent, -limit), limit)
        cleaned = forecast.level + forecast.season + miss
        weight = 0.25 if forecast.key else 1.0
        error = cleaned - (self._levels + self._effect[:, weekday : weekday + 1])
        self._errors += weight * _MEMORY * (np.minimum(np.abs(error), 3 * self.spread) - self._errors)
        self._levels += weight * _SPEEDS * np.clip(error, -1.5 * limit, 1.5 * limit)
        if forecast.key is None:
            ratio = abs(miss) / self.spread * _TO_SIGMA
            own = self._weekday_spread[weekday] + _WEEKDAY_SPREAD_MEMORY * (ratio - self._weekday_spread[weekday])
            self._weekday_spread[weekday] = min(2.5, max(0.5, own))
            self.spread = max(_LEAST_SPREAD, self.spread + _SPREAD_MEMORY * (abs(miss) * _TO_SIGMA - self.spread))
        self._store_day(weekday, cleaned, cleaned - forecast.season, forecast)

    def pass_over(self, day: dt.date, forecast: Forecast) -> None:
        """Skip a day's value: the baseline advances as if the day had matched the forecast."""
        self._store_day(day.weekday(), forecast.level + forecast.season, forecast.level, forecast)

    def _store_day(self, weekday: int, cleaned: float, unseasoned: float, forecast: Forecast) -> None:
        self._clean.append(cleaned)
        self._seen.append(weekday)
        self.unseasoned.append(unseasoned)
        self.levels.append(float((forecast.shares * self._levels).sum()))
        del self._clean[:-_KEPT_CLEAN], self._seen[:-_KEPT_CLEAN]
        del self.unseasoned[:-_KEPT_LEVELS], self.levels[:-_KEPT_LEVELS]

    def learn_holiday(self, value: float, forecast: Forecast) -> None:
        """Record a holiday's distance from an ordinary day, even if it was unusual: the next one will be similar."""
        if forecast.key is not None:
            effect = min(max(value - forecast.level - forecast.season, -3.0), 3.0)
            self._effects.setdefault(forecast.key, []).append(effect)

    def move(self, by: float) -> None:
        """Shift the level at once, and the last days with it, so that they are not evidence against later days."""
        self._levels += by
        for past in (self.unseasoned, self.levels):
            past[-_REMEMBERED:] = [one + by for one in past[-_REMEMBERED:]]

    def state(self) -> State:
        """Return the state that `restore` needs to continue."""
        return {
            "spread": self.spread,
            "effects": [[name, away, past] for (name, away), past in self._effects.items()],
            "weekday_effect": self._effect.ravel(),
            "errors": self._errors.ravel(),
            "speed_levels": self._levels.ravel(),
            "weekday_spread": self._weekday_spread,
            "clean": np.array(self._clean),
            "weekdays": np.array(self._seen, dtype=float),
            "unseasoned": np.array(self.unseasoned),
            "levels": np.array(self.levels),
        }

    @classmethod
    def restore(cls, state: State, *, holidays: Mapping[dt.date, str]) -> Self:
        """Return the baseline that had this state."""
        self = cls.__new__(cls)
        self._holidays = holidays
        self.spread = state["spread"]
        self._effects = {(name, away): past for name, away, past in state["effects"]}
        shape = (len(_WEEKDAY_WINDOWS), len(_SPEEDS))
        self._effect = state["weekday_effect"].reshape(len(_WEEKDAY_WINDOWS), 7)
        self._errors = state["errors"].reshape(shape)
        self._levels = state["speed_levels"].reshape(shape)
        self._weekday_spread = state["weekday_spread"]
        self._clean = state["clean"].tolist()
        self._seen = state["weekdays"].astype(int).tolist()
        self.unseasoned = state["unseasoned"].tolist()
        self.levels = state["levels"].tolist()
        return self
