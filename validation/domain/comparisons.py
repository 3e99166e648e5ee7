"""Comparisons that several check types share: a value with its bounds, and with another value."""

from validation.domain.formatting import format_number
from validation.domain.parameters import Bounds, Tolerance
from validation.domain.results import CheckOutcome, ResultStatus

MISSING = CheckOutcome(ResultStatus.UNKNOWN, "No value for this period.")
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
    value: float, reference: float, tolerance: Tolerance, *, reference_name: str, ignore_below: float = 0.0
) -> CheckOutcome:
    """Return the outcome for the difference between two values, in percent of `reference`.

    `reference_name` completes "4 % below …". A difference of at most `ignore_below` passes.
    """
    warn, fail = tolerance.warn_percent, tolerance.fail_percent
    tightest = min((limit for limit in (warn, fail) if limit is not None), default=None)
    margin = None if tightest is None else abs(reference) * tightest / 100
    low, high = (None, None) if margin is None else (reference - margin, reference + margin)
    shown, target = format_number(value), f"{reference_name} ({format_number(reference)})"
    if abs(value - reference) <= ignore_below:
        return CheckOutcome(ResultStatus.PASS, f"{shown} – matches {target}.", value, low, high)
    if reference == 0:
        return CheckOutcome(ResultStatus.UNKNOWN, f"{shown} cannot be compared with {target}.", value)
    percent = 100 * (value - reference) / abs(reference)
    message = f"{shown} – {abs(percent):.1f} % {'above' if percent > 0 else 'below'} {target}."
    for status, limit in ((ResultStatus.FAIL, fail), (ResultStatus.WARN, warn)):
        if limit is not None and abs(percent) > limit:
            return CheckOutcome(status, message, value, low, high)
    return CheckOutcome(ResultStatus.PASS, message, value, low, high)
