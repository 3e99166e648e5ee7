"""Round tick values for the axis of a plot."""

import math
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from validation.domain.formatting import format_value

MOST = 6
STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5))
HOUR, DAY = 60, 24 * 60


def round_ticks(low: float, high: float) -> list[Decimal]:
    """Return three to six round values in a range, or an empty list if the range is empty.

    Round values are multiples of 1, 2, 2.5 or 5 times a power of ten.
    """
    if not 0 < high - low < math.inf:
        return []
    begin, end = Decimal(low), Decimal(high)
    power = (end - begin).adjusted() - 1
    while True:
        for step in (one.scaleb(power) for one in STEPS):
            first = int((begin / step).to_integral_value(ROUND_CEILING))
            last = int((end / step).to_integral_value(ROUND_FLOOR))
            if last - first < MOST:
                return [place * step for place in range(first, last + 1)]
        power += 1


def labelled_ticks(low: float, high: float, *, unit: str) -> list[tuple[float, str]]:
    """Return the round values in a range with their labels. Durations are rounded to hours or days."""
    if unit == "min":
        scale = _scale(high - low)
        minutes = [float(tick * scale) for tick in round_ticks(low / scale, high / scale)]
        return [(one, format_value(one, unit=unit)) for one in minutes if _said_whole(one)]
    ticks = round_ticks(low, high)
    return [(float(tick), text) for tick, text in zip(ticks, _written(ticks), strict=True)]


def _said_whole(minutes: float) -> bool:
    """Return True if the text of a duration is exact: to the minute, or to the hour from two days on."""
    return minutes % (HOUR if minutes >= 2 * DAY else 1) == 0


def _scale(minutes: float) -> int:
    """Return the minutes in one unit of the axis: a day for ranges of days, an hour for ranges of hours."""
    return next((unit for unit in (DAY, HOUR) if minutes >= 3 * unit), 1)


def _written(ticks: Sequence[Decimal]) -> list[str]:
    """Return numbers with just enough decimals to tell them apart: "1,000", "0.25"."""
    decimals = max((-int(tick.normalize().as_tuple().exponent) for tick in ticks if tick), default=0)
    if decimals > 9:
        return [f"{tick:.2e}" if tick else "0" for tick in ticks]
    return [f"{tick + 0:,.{max(decimals, 0)}f}" for tick in ticks]
