"""Checks of values: range, validity, change over time, ratio, reconciliation, target, anomaly and custom SQL."""

import datetime as dt
from collections.abc import Mapping
from itertools import accumulate, pairwise
from typing import Any

from validation.anomaly.scoring import score_day
from validation.domain.results import CheckOutcome, EvaluationContext, ResultStatus, number, outside

WEEK, YEAR = dt.timedelta(weeks=1), dt.timedelta(weeks=52)
MISSING = CheckOutcome(ResultStatus.UNKNOWN, "The value is missing.")
SPEAKS_AFTER = 28


def value_range(parameters: Mapping[str, Any], facts: EvaluationContext) -> CheckOutcome:
    """Evaluate the value against its bounds."""
    value = facts.series.at(facts.bucket)
    return MISSING if value is None else _bounded(value, parameters, "The value")


def validity(parameters: Mapping[str, Any], facts: EvaluationContext) -> CheckOutcome:
    """Evaluate the share of bad values: null, not allowed, or duplicated."""
    value = facts.series.at(facts.bucket)
    return MISSING if value is None else _bounded(value, parameters, "The share of bad values")


def ratio(parameters: Mapping[str, Any], facts: EvaluationContext) -> CheckOutcome:
    """Evaluate the metric divided by another metric. A zero denominator gives an unknown result."""
    over, under = facts.series.at(facts.bucket), facts.other.at(facts.bucket)
    if over is None or under is None:
        return MISSING
    if under == 0:
        return CheckOutcome(ResultStatus.UNKNOWN, "The denominator is zero.")
    return _bounded(over / under, parameters, "The ratio")


def _bounded(value: float, parameters: Mapping[str, Any], what: str) -> CheckOutcome:
    warn = (parameters.get("warn_below"), parameters.get("warn_above"))
    fail = (parameters.get("fail_below"), parameters.get("fail_above"))
    return outside(value, warn=warn, fail=fail, what=what)


def change_over_time(parameters: Mapping[str, Any], facts: EvaluationContext) -> CheckOutcome:
    """Compare the value with the same weekday, the previous bucket, or the same weekday a year ago."""
    value = facts.series.at(facts.bucket)
    if value is None:
        return MISSING
    against = parameters["against"]
    back = {"weekday": WEEK, "year": YEAR}.get(against, facts.step)
    then = facts.bucket - back
    while not facts.is_ordinary(then):
        then -= facts.step if against == "previous" else WEEK
    earlier = facts.series.at(then)
    if earlier is None:
        return CheckOutcome(ResultStatus.SKIP, f"There is no value of {then:%Y-%m-%d} to compare with.", value)
    return _differs(value, earlier, parameters, what=f"the {number(earlier)} of {then:%Y-%m-%d}")


def _differs(value: float, other: float, parameters: Mapping[str, Any], *, what: str) -> CheckOutcome:
    """Return the outcome for the difference between two values, in percent of `other`."""
    warn, fail = parameters.get("warn_percent"), parameters.get("fail_percent")
    widest = min((limit for limit in (warn, fail) if limit is not None), default=None)
    margin = None if widest is None else abs(other) * widest / 100
    low, high = (None, None) if margin is None else (other - margin, other + margin)
    if abs(value - other) <= (parameters.get("ignore_below") or 0):
        return CheckOutcome(ResultStatus.PASS, f"{number(value)} is close to {what}.", value, low, high)
    if other == 0:
        return CheckOutcome(ResultStatus.UNKNOWN, f"{number(value)} cannot be set against {what}: it is zero.", value)
    percent = 100 * (value - other) / abs(other)
    said = f"{number(value)} is {abs(percent):.1f} % {'above' if percent > 0 else 'below'} {what}."
    for outcome, limit in ((ResultStatus.FAIL, fail), (ResultStatus.WARN, warn)):
        if limit is not None and abs(percent) > limit:
            return CheckOutcome(outcome, said, value, low, high)
    return CheckOutcome(ResultStatus.PASS, said, value, low, high)


def reconciliation(parameters: Mapping[str, Any], facts: EvaluationContext) -> CheckOutcome:
    """Compare two metrics that should agree, or the sum of the segments with the total."""
    total = facts.series.at(facts.bucket)
    if total is None:
        return MISSING
    if parameters["mode"] == "two":
        other = facts.other.at(facts.bucket)
        if other is None:
            return CheckOutcome(ResultStatus.UNKNOWN, "The other metric’s value is missing.", total)
        return _differs(total, other, parameters, what=f"the other metric's {number(other)}")
    parts = {name: series.at(facts.bucket) for name, series in facts.parts.items() if name}
    there = {name: value for name, value in parts.items() if value is not None}
    if not there:
        return CheckOutcome(ResultStatus.UNKNOWN, "No segment has a value for it.", total)
    gone = sorted(set(parts) - set(there))
    verdict = _differs(sum(there.values()), total, parameters, what=f"the total of {number(total)}")
    missing = f" Missing: {', '.join(gone)}." if gone else ""
    said = f"The segments' sum {verdict.message}{missing}"
    return CheckOutcome(verdict.outcome, said, verdict.value, verdict.low, verdict.high)


def target(parameters: Mapping[str, Any], facts: EvaluationContext) -> CheckOutcome:
    """Compare the sum since a date, or the value, with dated targets, interpolated between dates."""
    day, starts_on = facts.date_of(facts.bucket), dt.date.fromisoformat(parameters["starts_on"])
    if day < starts_on:
        return CheckOutcome(ResultStatus.SKIP, f"The target begins on {starts_on}.")
    expected = _due(parameters, day=day, starts_on=starts_on)
    if expected is None:
        return CheckOutcome(ResultStatus.SKIP, "The last target's date is over.")
    if parameters["mode"] == "level":
        value = facts.series.at(facts.bucket)
        if value is None:
            return MISSING
    else:
        sums = [total for bucket, total in sums_since(starts_on, facts) if facts.date_of(bucket) <= day]
        if not sums:
            return CheckOutcome(ResultStatus.UNKNOWN, f"There is no value since {starts_on}.")
        value = sums[-1]
    return _differs(value, expected, parameters, what=f"the {number(expected)} due by {day}")


def sums_since(starts_on: dt.date, facts: EvaluationContext) -> list[tuple[dt.datetime, float]]:
    """Return the cumulative sum of a series since a date, at each bucket that has a value, oldest first."""
    held = zip(facts.series.buckets, facts.series.values, strict=True)
    counted = [(bucket, amount) for bucket, amount in held if facts.date_of(bucket) >= starts_on]
    return list(zip((one for one, _ in counted), accumulate(amount for _, amount in counted), strict=True))


def _due(parameters: Mapping[str, Any], *, day: dt.date, starts_on: dt.date) -> float | None:
    """Return the target for a day, interpolated by days between two dates, or None after the last date."""
    dated = [(dt.date.fromisoformat(text), amount) for text, amount in parameters["targets"].items()]
    first = (starts_on - dt.timedelta(days=1), 0.0 if parameters["mode"] == "sum" else dated[0][1])
    for (begin, have), (end, want) in pairwise([first, *dated]):
        if begin < day <= end:
            return float(have + (want - have) * ((day - begin) / (end - begin)))
    return None


def anomaly(parameters: Mapping[str, Any], facts: EvaluationContext) -> CheckOutcome:
    """Evaluate the value against its weekday pattern and its own threshold; see `validation.anomaly.scoring`."""
    value = facts.series.at(facts.bucket)
    if value is None:
        return MISSING
    history = [
        (facts.date_of(bucket), earlier)
        for bucket, earlier in facts.series.before(facts.bucket)
        if facts.comparable(bucket) and facts.date_of(bucket) not in facts.unexpected
    ]
    judged = score_day(
        history,
        day=facts.date_of(facts.bucket),
        value=value,
        kind="ratio" if facts.kind == "ratio" else "count",
        holidays=facts.holidays,
        known_events=facts.known_days,
        alert_budget=parameters["alert_budget"],
    )
    if judged.enough == "none":
        return CheckOutcome(ResultStatus.SKIP, f"{len(history)} of {SPEAKS_AFTER} days of history.", value)
    if not judged.flagged:
        return CheckOutcome(
            ResultStatus.PASS, judged.why or "As the history has it.", value, judged.lower, judged.upper
        )
    # Without enough history to set a threshold, the check reports a result but raises no alert.
    outcome = ResultStatus.FAIL if judged.enough == "tells" else ResultStatus.WARN
    return CheckOutcome(outcome, judged.why, value, judged.lower, judged.upper)


def custom_sql(parameters: Mapping[str, Any], facts: EvaluationContext) -> CheckOutcome:
    """Evaluate the result of the check's own query: no rows, or one number within its bounds."""
    if parameters["expect"] == "no_rows":
        count = len(facts.rows)
        if not count:
            return CheckOutcome(ResultStatus.PASS, "No failing row.", 0.0, None, 0.0)
        shown = "; ".join(", ".join(str(cell)[:60] for cell in row) for row in facts.rows[:3])
        return CheckOutcome(
            ResultStatus.FAIL, f"{count:,} failing row{'s' if count > 1 else ''}: {shown}", float(count), None, 0.0
        )
    if not facts.rows or not facts.rows[0]:
        return CheckOutcome(ResultStatus.UNKNOWN, "The query returned nothing.")
    cell = facts.rows[0][0]
    if cell is None:
        return CheckOutcome(ResultStatus.UNKNOWN, "The query returned null.")
    try:
        value = float(cell)  # type: ignore[arg-type]  # the query may return any type
    except (TypeError, ValueError):
        return CheckOutcome(ResultStatus.ERROR, f"The query returned “{str(cell)[:60]}”, which is no number.")
    return _bounded(value, parameters, "The number")
