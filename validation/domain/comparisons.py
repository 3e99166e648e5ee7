"""Comparisons that several check types share: a value with its bounds, and with another value."""

from common.formatting import format_number
from validation.domain.parameters import Bounds, Tolerance
from validation.domain.results import CheckOutcome, ResultStatus

MISSING_VALUE = CheckOutcome(ResultStatus.UNKNOWN, "No value for this period.")
Range = tuple[float | None, float | None]


def compare_with_bounds(value: float, bounds: Bounds, *, name: str = "") -> CheckOutcome:
    """Return the outcome for a value by its warn and fail bounds; `name` precedes the number in the message."""
    warn, fail = (bounds.warn_below, bounds.warn_above), (bounds.fail_below, bounds.fail_above)
    return compare_with_ranges(value, warn=warn, fail=fail, name=name)


def compare_with_ranges(value: float, *, warn: Range, fail: Range, name: str = "") -> CheckOutcome:
    """Return the outcome for a value by its warn and fail bounds, each a minimum and a maximum."""
    low = fail[0] if warn[0] is None else warn[0]
    high = fail[1] if warn[1] is None else warn[1]
    shown = f"{name} {format_number(value)}".lstrip()
    for status, (least, most) in ((ResultStatus.FAIL, fail), (ResultStatus.WARN, warn)):
        if least is not None and value < least:
            return CheckOutcome(status, f"{shown} is below the limit of {format_number(least)}.", value, low, high)
        if most is not None and value > most:
            return CheckOutcome(status, f"{shown} is above the limit of {format_number(most)}.", value, low, high)
    return CheckOutcome(ResultStatus.PASS, f"{shown} – within range.", value, low, high)


def compare_with_value(
    value: float,
    reference: float,
    tolerance: Tolerance,
    *,
    reference_name: str,
    ignore_below: float = 0.0,
    is_symmetric: bool = False,
) -> CheckOutcome:
    """Return the outcome for the difference between two values.

    `reference_name` completes "4 % below …". A difference of at most `ignore_below` passes. Percentages are of
    `reference`, or of the larger of both if the comparison is symmetric. Without an absolute limit, nothing but zero can
    be compared with a reference of zero.
    """
    difference = abs(value - reference)
    base = max(abs(value), abs(reference)) if is_symmetric else abs(reference)
    percent = 100 * difference / base if base else None
    limits = {
        ResultStatus.FAIL: (tolerance.fail_percent, tolerance.fail_difference),
        ResultStatus.WARN: (tolerance.warn_percent, tolerance.warn_difference),
    }
    low, high = _expected_range(reference, tolerance, is_symmetric=is_symmetric)
    shown, target = format_number(value), f"{reference_name} ({format_number(reference)})"
    if difference <= ignore_below:
        return CheckOutcome(ResultStatus.PASS, f"{shown} – matches {target}.", value, low, high)
    has_absolute_limit = tolerance.warn_difference is not None or tolerance.fail_difference is not None
    if percent is None and not has_absolute_limit:
        return CheckOutcome(ResultStatus.UNKNOWN, f"{shown} cannot be compared with {target}.", value)
    shares = [f"{percent:.1f} %"] if percent is not None else []
    distance = [format_number(float(f"{difference:.10g}"))] if has_absolute_limit else []
    off = " or ".join([*distance, *shares])
    message = f"{shown} – {off} {'above' if value > reference else 'below'} {target}."
    # A difference such as 100.01 – 100 is slightly more than 0.01 in binary.
    rounding = 1e-9 * max(abs(value), abs(reference))
    for status, (most_percent, most_difference) in limits.items():
        exceeds_percent = most_percent is not None and percent is not None and percent > most_percent + 1e-9
        if exceeds_percent or (most_difference is not None and difference > most_difference + rounding):
            return CheckOutcome(status, message, value, low, high)
    return CheckOutcome(ResultStatus.PASS, message, value, low, high)


def _expected_range(reference: float, tolerance: Tolerance, *, is_symmetric: bool) -> Range:
    """Return the values that pass without a warning, for the plot."""
    percents = [limit for limit in (tolerance.warn_percent, tolerance.fail_percent) if limit is not None]
    margins = [limit for limit in (tolerance.warn_difference, tolerance.fail_difference) if limit is not None]
    below, above = list(margins), list(margins)
    if percents:
        share = min(percents) / 100
        inner = abs(reference) * share
        # Of the larger value, a share below it is more than the same share of the smaller one.
        outer = abs(reference) * share / (1 - share) if is_symmetric and share < 1 else inner
        below.append(outer if reference < 0 else inner)
        above.append(inner if reference < 0 else outer)
    return (reference - min(below), reference + min(above)) if below else (None, None)
