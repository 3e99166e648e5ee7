"""Puts incidents of twelve kinds into daily series and scores the anomaly check on them, event by event."""

import csv
import dataclasses
import datetime as dt
from pathlib import Path

import holidays
import numpy as np

from validation.anomaly.scoring import score_series

WARM_UP = 56  # days before the first incident: the check tells nobody earlier
EVERY = 28  # one incident about every four weeks, thirteen a year
AFTERMATH = 7  # days after an incident in which an alarm is neither right nor wrong
IN_TIME = 3  # an incident counts as caught on one of its first days only


@dataclasses.dataclass(frozen=True)
class Incident:
    kind: str
    start: int
    days: int


@dataclasses.dataclass
class Score:
    caught: int = 0
    incidents: int = 0
    false_alarms: int = 0  # runs of alarms no more than two days apart
    false_days: int = 0
    years: float = 0.0
    kinds: dict = dataclasses.field(default_factory=dict)

    def add(self, other):
        self.caught += other.caught
        self.incidents += other.incidents
        self.false_alarms += other.false_alarms
        self.false_days += other.false_days
        self.years += other.years
        for kind, (caught, of) in other.kinds.items():
            mine = self.kinds.get(kind, (0, 0))
            self.kinds[kind] = (mine[0] + caught, mine[1] + of)

    @property
    def recall(self):
        return self.caught / max(1, self.incidents)

    @property
    def precision(self):
        return self.caught / max(1, self.caught + self.false_alarms)

    @property
    def false_a_year(self):
        return self.false_alarms / max(self.years, 1e-9)


def zero(values, start, rng):
    values[start] = 0
    return 1


def scaled(low, high, most):
    """A kind that multiplies one to `most` days by a factor between low and high."""

    def inject(values, start, rng):
        days = int(rng.integers(1, most + 1))
        values[start : start + days] *= rng.uniform(low, high)
        return days

    return inject


def dip_15(values, start, rng):
    days = int(rng.integers(1, 4))
    values[start : start + days] *= 0.85
    return days


def stuck(values, start, rng):
    days = int(rng.integers(3, 6))
    values[start : start + days] = values[start - 1]
    return days


def level_shift(values, start, rng):
    days = 14
    values[start : start + days] *= rng.choice([0.65, 0.75, 1.4])
    return days


def drift(values, start, rng):
    days = 10
    values[start : start + days] *= 1 - 0.04 * np.arange(1, days + 1)
    return days


def unit_error(values, start, rng):
    values[start] *= rng.choice([0.01, 100.0, -1.0, 0.001])
    return 1


def lost_segment(values, start, rng):
    days = int(rng.integers(3, 8))
    values[start : start + days] *= rng.uniform(0.6, 0.8)
    return days


KINDS = {
    "drop to zero": zero,
    "dip 15 %": dip_15,
    "dip 30 %": scaled(0.7, 0.7, 2),
    "dip 50 %": scaled(0.5, 0.5, 2),
    "spike 60 %": scaled(1.6, 1.6, 2),
    "spike 200 %": scaled(3.0, 3.0, 1),
    "stuck value": stuck,
    "level shift": level_shift,
    "drift": drift,
    "partial load": scaled(0.3, 0.7, 1),
    "loaded twice": scaled(2.0, 2.0, 1),
    "unit or sign error": unit_error,
    "lost segment": lost_segment,
}


def slow_drift(values, start, rng):
    days = 14
    values[start : start + days] *= 0.975 ** np.arange(1, days + 1)
    return days


def small_shift(values, start, rng):
    days = 14
    values[start : start + days] *= rng.choice([0.75, 0.8, 1.2, 1.25])
    return days


# As many kinds, with smaller spikes, drifts and shifts.
SMALLER_KINDS = {
    **{name: inject for name, inject in KINDS.items() if name not in ("loaded twice", "drift", "level shift")},
    "spike 25 %": scaled(1.25, 1.25, 2),
    "drift 2.5 % a day": slow_drift,
    "shift 20 to 25 %": small_shift,
}
LATE = {
    "drift 2.5 % a day": 14,
    "shift 20 to 25 %": 7,
    "drift": 10,
    "stuck value": 5,
    "level shift": 7,
    "lost segment": 5,
}  # days in which a slow kind may be caught


def with_incidents(values, rng, whole, *, kinds=KINDS):
    """A copy of the values with incidents of every kind in turn, and the incidents."""
    values = np.array(values, dtype=float)
    incidents, deck = [], []
    for week in range(WARM_UP, len(values) - EVERY, EVERY):
        if not deck:
            deck = list(rng.permutation(list(kinds)))
        kind = str(deck.pop())
        start = week + int(rng.integers(0, 8))
        incidents.append(Incident(kind, start, kinds[kind](values, start, rng)))
    return (np.round(values) if whole else values), incidents


def scored(flags, incidents):
    """The score of one results series; flags is one truth value a day."""
    score = Score(years=(len(flags) - WARM_UP) / 365.25, incidents=len(incidents))
    excused = np.zeros(len(flags), dtype=bool)
    excused[:WARM_UP] = True
    for incident in incidents:
        excused[incident.start : incident.start + incident.days + AFTERMATH] = True
        late = LATE.get(incident.kind, max(IN_TIME, 0))
        caught = bool(np.any(flags[incident.start : incident.start + min(late, incident.days)]))
        score.caught += caught
        before = score.kinds.get(incident.kind, (0, 0))
        score.kinds[incident.kind] = (before[0] + caught, before[1] + 1)
    wrong = np.flatnonzero(np.asarray(flags) & ~excused)
    score.false_days = len(wrong)
    score.false_alarms = int(len(wrong) and 1 + np.sum(np.diff(wrong) > 2))
    return score


def own_check(points, *, kind, calendar):
    """The check itself, as score_series tells of days."""
    results = score_series(points, kind=kind, holidays=calendar)
    return np.array([one.is_flagged and one.maturity == "alerting" for one in results])


def week_over_week(points, *, kind, calendar):
    """What many begin with: more than 30 % off the same weekday a week ago."""
    values = np.array([value for _, value in points])
    flags = np.zeros(len(values), dtype=bool)
    flags[7:] = np.abs(values[7:] - values[:-7]) > 0.3 * np.abs(values[:-7])
    return flags


def weekday_median(points, *, kind, calendar):
    """A common robust method: 3.5 spreads (MAD) off the median of the last eight same weekdays."""
    values = np.array([value for _, value in points])
    flags = np.zeros(len(values), dtype=bool)
    for n in range(WARM_UP, len(values)):
        past = values[n - 56 : n : 7]
        middle = np.median(past)
        flags[n] = abs(values[n] - middle) > 3.5 * 1.4826 * np.median(np.abs(past - middle))
    return flags


def scored_series(days, values, *, kind, calendar, seed, method=own_check, kinds=KINDS):
    """The score of one series with incidents of the seed put in."""
    rng = np.random.default_rng(seed)
    whole = kind == "count" and bool(np.all(np.asarray(values) == np.round(values)))
    changed, incidents = with_incidents(values, rng, whole, kinds=kinds)
    points = list(zip(days, changed.tolist(), strict=True))
    return scored(method(points, kind=kind, calendar=calendar), incidents)


def read_series(path):
    """The days and the values of a CSV with date and value; a day without a value is left out."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["value"]]
    return [dt.date.fromisoformat(row["date"]) for row in rows], np.array([float(row["value"]) for row in rows])


def us_calendar(days):
    """The public holidays of the United States in the years of the days."""
    return dict(holidays.country_holidays("US", years=range(min(days).year, max(days).year + 1)))


def made_series(name, *, days=730, seed=1):
    """A made daily series by name: its days, values, kind and calendar."""
    rng = np.random.default_rng([seed, *name.encode()])
    dates = [dt.date(2021, 3, 1) + dt.timedelta(days=n) for n in range(days)]
    calendar = us_calendar(dates)
    index = np.arange(days)
    week = np.array([0.05, 0.08, 0.06, 0.04, 0.0, -0.25, -0.2])[[day.weekday() for day in dates]]
    closed = np.array([day in calendar for day in dates])
    noise = np.zeros(days)
    shocks = rng.standard_normal(days)
    for n in range(1, days):
        noise[n] = 0.4 * noise[n - 1] + shocks[n]
    if name == "steady":  # daily users of a grown product
        log = np.log(50_000) + week + 0.0004 * index + 0.03 * noise - 0.3 * closed
    elif name == "seasonal":  # sales with a year's season and a heavy tail
        log = np.log(2_000) + 1.5 * week + 0.35 * np.sin(index * 2 * np.pi / 365.25)
        log += 0.07 * rng.standard_t(4, days) - 0.5 * closed
    elif name == "wandering":  # page views: a random walk with bursts
        walk = np.cumsum(0.03 * rng.standard_normal(days))
        bursts = np.zeros(days)
        for start in rng.choice(days - 10, size=days // 120, replace=False):
            bursts[start : start + 6] += rng.uniform(0.4, 1.2) * 0.5 ** np.arange(6)
        log = np.log(1_500) + week + 0.9 * (walk - walk.mean()) + bursts + 0.06 * shocks
    elif name == "rare":  # few events a day
        return dates, rng.poisson(25 * np.exp(week)).astype(float), "count", calendar
    elif name == "ratio":  # daily over monthly users
        return dates, 1 / (1 + np.exp(-(-1.2 + 0.4 * week + 0.04 * noise))), "ratio", calendar
    else:
        raise ValueError(name)
    return dates, np.round(np.exp(log)), "count", calendar


MADE = ("steady", "seasonal", "wandering", "rare", "ratio")
