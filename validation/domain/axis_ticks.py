"""Round tick values for the axis of a plot."""

import math
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from common.formatting import format_value

MAX_TICKS = 6
ROUND_STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5))
HOUR_MINUTES, DAY_MINUTES = 60, 24 * 60
MAX_DECIMALS = 9  # with more, labels are in scientific notation


def round_ticks(low: float, high: float) -> list[Decimal]:
    """Return three to six round values in a range, or an empty list if the range is empty.

    Round values are multiples of 1, 2, 2.5 or 5 times a power of ten.
    """
    if not 0 < high - low < math.inf:
        return []
    start, end = Decimal(low), Decimal(high)
    power = (end - start).adjusted() - 1
    while True:
        for step in (base.scaleb(power) for base in ROUND_STEPS):
            first = int((start / step).to_integral_value(ROUND_CEILING))
            last = int((end / step).to_integral_value(ROUND_FLOOR))
            if last - first < MAX_TICKS:
                return [index * step for index in range(first, last + 1)]
        power += 1


def labelled_ticks(low: float, high: float, *, unit: str, is_whole: bool = False) -> list[tuple[float, str]]:
    """Return the round values in a range with their labels; only whole ones for whole numbers.

    Durations are rounded to hours or days.
    """
    if unit == "min":
        span = high - low
        scale = next((minutes for minutes in (DAY_MINUTES, HOUR_MINUTES) if span >= 3 * minutes), 1)
        durations = [float(tick * scale) for tick in round_ticks(low / scale, high / scale)]
        return [(minutes, format_value(minutes, unit=unit)) for minutes in durations if _has_exact_label(minutes)]
    ticks = [tick for tick in round_ticks(low, high) if not is_whole or tick == tick.to_integral_value()]
    return [(float(tick), label) for tick, label in zip(ticks, _labels(ticks), strict=True)]


def _has_exact_label(minutes: float) -> bool:
    """Return True if the label of a duration is exact: to the minute, or to the hour from one day on."""
    return minutes % (HOUR_MINUTES if minutes >= DAY_MINUTES else 1) == 0


def _labels(ticks: Sequence[Decimal]) -> list[str]:
    """Return numbers with just enough decimals to tell them apart: "1,000", "0.25"."""
    decimals = max((-int(tick.normalize().as_tuple().exponent) for tick in ticks if tick), default=0)
    if decimals > MAX_DECIMALS:
        return [f"{tick:.2e}" if tick else "0" for tick in ticks]
    return [f"{tick + 0:,.{max(decimals, 0)}f}" for tick in ticks]
