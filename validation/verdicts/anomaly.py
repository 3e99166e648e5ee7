"""Whether a day's value is unusual for its weekday: median and spread of the days before it, and a value that is stuck.

The plain method of validation.md's table, until the one with a threshold of the metric's own takes this file's place.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

SPEAKS_AFTER, TELLS_AFTER = 28, 56
LOOKED_BACK = 16 * 7
STUCK_DAYS = 3
TO_SIGMA = 1.4826  # of a median absolute deviation, for normal values
LEAST_SPREAD = 0.01


@dataclass(frozen=True, slots=True)
class Judged:
    """What is said of a day: its score in spreads, the band, whether it is flagged or stuck, whether history is enough, and why."""

    day: dt.date
    score: float
    expected: float
    lower: float
    upper: float
    flagged: bool
    stuck: bool
    enough: str
    why: str


def judge_day(
    history: Sequence[tuple[dt.date, float]],
    *,
    day: dt.date,
    value: float,
    kind: str = "count",
    holidays: Mapping[dt.date, str] = {},
    known_events: Collection[dt.date] = (),
    alert_budget: float = 4.0,
) -> Judged:
    """Return what the days before it say of a day's value."""
    earlier = [
        (when, amount) for when, amount in history if when < day and when not in known_events and when not in holidays
    ]
    usual = [amount for when, amount in earlier[-LOOKED_BACK:] if when.weekday() == day.weekday()]
    enough = "none" if len(earlier) < SPEAKS_AFTER else "speaks" if len(earlier) < TELLS_AFTER else "tells"
    if enough == "none" or not usual:
        return Judged(day, 0.0, value, value, value, False, False, "none", "Too little history.")
    middle = median(usual)
    residuals = [
        abs(amount - median([v for w, v in earlier[-LOOKED_BACK:] if w.weekday() == when.weekday()]))
        for when, amount in earlier[-4 * 7 :]
    ]
    spread = max(TO_SIGMA * median(residuals), LEAST_SPREAD * abs(middle), 1e-12)
    # The fewer alerts a year, the wider the band.
    width = 3.0 + 1.5 * max(0.0, 1 - alert_budget / 50)
    lower, upper = middle - width * spread, middle + width * spread
    score = (value - middle) / spread
    recent = [amount for _, amount in earlier[-(STUCK_DAYS - 1) :]]
    stuck = value != 0 and len(recent) == STUCK_DAYS - 1 and all(amount == value for amount in recent)
    outside = not lower <= value <= upper
    if stuck:
        why = f"The same value on {STUCK_DAYS} days running."
    elif outside:
        why = f"{value:,.4g} lies {'above' if value > upper else 'below'} the {lower:,.4g} to {upper:,.4g} usual for the weekday."
    else:
        why = f"{value:,.4g} is usual for the weekday."
    return Judged(day, score, middle, lower, upper, outside or stuck, stuck, enough, why)
