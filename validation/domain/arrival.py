"""Checks of data arrival: freshness, run deadline, completeness, volume and schema."""

import datetime as dt
from collections.abc import Mapping
from statistics import median
from typing import Any

from validation.domain.results import CheckOutcome, EvaluationContext, ResultStatus, format_length, number, outside

SHOWN = 10


def freshness(parameters: Mapping[str, Any], facts: EvaluationContext) -> CheckOutcome:
    """Evaluate the age of the newest point. Dates on which no data is expected do not count towards the age."""
    newest = facts.series.buckets[-1] if len(facts.series) else None
    if newest is None:
        return CheckOutcome(ResultStatus.UNKNOWN, "No point has arrived yet.")
    age = _running(facts, facts.ends_at(newest))
    minutes = max(0.0, age.total_seconds() / 60)
    warn, fail = parameters.get("warn_after_minutes"), parameters["fail_after_minutes"]
    for outcome, limit in ((ResultStatus.FAIL, fail), (ResultStatus.WARN, warn)):
        if limit is not None and minutes > limit:
            said = f"The newest point is {format_length(age)} old; at most {format_length(dt.timedelta(minutes=limit))} is expected."
            return CheckOutcome(outcome, said, minutes, None, float(limit))
    return CheckOutcome(
        ResultStatus.PASS,
        f"The newest point is {format_length(max(age, dt.timedelta()))} old.",
        minutes,
        None,
        float(fail),
    )


def _running(facts: EvaluationContext, since: dt.datetime) -> dt.timedelta:
    """Return the time from `since` until now, without the dates on which no data is expected."""
    age = facts.at - since
    day = since.astimezone(facts.zone).date()
    while day <= facts.at.astimezone(facts.zone).date():
        if day in facts.unexpected:
            begin = max(since, dt.datetime.combine(day, dt.time(), facts.zone))
            end = min(facts.at, dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), facts.zone))
            age -= max(end - begin, dt.timedelta())
        day += dt.timedelta(days=1)
    return age


def run_deadline(parameters: Mapping[str, Any], facts: EvaluationContext) -> CheckOutcome:
    """Evaluate whether today's run was reported by the deadline; before the deadline, evaluate the last due day."""
    by = dt.time.fromisoformat(parameters["by"])
    day = facts.at.astimezone(facts.zone).date()
    ahead = dt.timedelta(minutes=parameters.get("warn_minutes_before") or 0)
    for _ in range(15):  # two weeks cover every weekday twice, plus today
        deadline = dt.datetime.combine(day, by, facts.zone)
        if day.weekday() in parameters["weekdays"] and day not in facts.unexpected and facts.at >= deadline - ahead:
            return _met(facts, deadline)
        day -= dt.timedelta(days=1)
    return CheckOutcome(ResultStatus.SKIP, "No run is expected these days.")


def _met(facts: EvaluationContext, deadline: dt.datetime) -> CheckOutcome:
    midnight = deadline.replace(hour=0, minute=0)
    done = [run for run in facts.runs if midnight <= run <= facts.at]
    words = f"{deadline:%a} {deadline.day} {deadline:%b %H:%M %Z}"
    if done and min(done) <= deadline:
        return CheckOutcome(
            ResultStatus.PASS, f"The run due by {words} was done at {min(done).astimezone(facts.zone):%H:%M}."
        )
    if done:
        late = (min(done) - deadline).total_seconds() / 60
        return CheckOutcome(
            ResultStatus.WARN,
            f"The run due by {words} was done {format_length(min(done) - deadline)} late.",
            late,
            None,
            0.0,
        )
    if facts.at < deadline:
        return CheckOutcome(ResultStatus.WARN, f"The run due by {words} is not done yet.")
    late = (facts.at - deadline).total_seconds() / 60
    return CheckOutcome(ResultStatus.FAIL, f"No run was reported by {words}.", late, None, 0.0)


def completeness(parameters: Mapping[str, Any], facts: EvaluationContext) -> CheckOutcome:
    """Return the missing buckets of the look-back period for every required segment."""
    wanted: list[str] = parameters.get("segments") or [""]
    missing = []
    for segment in wanted:
        series = facts.parts.get(segment) if segment else facts.series
        have = set(series.buckets) if series else set()
        for place in range(parameters["look_back"]):
            bucket = facts.bucket - place * facts.step
            if bucket not in have and facts.date_of(bucket) not in facts.unexpected:
                missing.append((bucket, segment))
    if not len(facts.series) and not facts.parts:
        return CheckOutcome(ResultStatus.UNKNOWN, "No point has arrived yet.")
    count = float(len(missing))
    if not missing:
        return CheckOutcome(
            ResultStatus.PASS,
            f"None of the last {parameters['look_back']} {'days' if facts.daily else 'hours'} is missing.",
            0.0,
            None,
            0.0,
        )
    written = "%Y-%m-%d" if facts.daily else "%Y-%m-%d %H:00Z"
    listed = ", ".join(
        f"{bucket:{written}}{f' ({segment})' if segment else ''}" for bucket, segment in sorted(missing)[:SHOWN]
    )
    more = f" and {len(missing) - SHOWN} more" if len(missing) > SHOWN else ""
    allowed = parameters.get("allowed_missing") or 0
    outcome = ResultStatus.WARN if len(missing) <= allowed else ResultStatus.FAIL
    return CheckOutcome(outcome, f"{len(missing)} missing: {listed}{more}.", count, None, float(allowed))


def volume(parameters: Mapping[str, Any], facts: EvaluationContext) -> CheckOutcome:
    """Evaluate the number of rows against its bounds, or as a share of the median for the same weekday."""
    value = facts.series.at(facts.bucket)
    if value is None:
        return CheckOutcome(ResultStatus.UNKNOWN, "The value is missing.")
    fail = [parameters.get("fail_below"), parameters.get("fail_above")]
    shares = [parameters.get("fail_below_percent"), parameters.get("fail_above_percent")]
    if any(share is not None for share in shares):
        weeks = parameters["weeks"]
        usual = facts.baseline(same_weekday=True, most=weeks)
        if len(usual) < weeks:
            return CheckOutcome(ResultStatus.SKIP, f"{len(usual)} of {weeks} weeks of history.", value)
        middle = median(usual)
        low, high = (None if share is None else middle * share / 100 for share in shares)
        fail = [_tighter(fail[0], low, max), _tighter(fail[1], high, min)]
    warn = (parameters.get("warn_below"), parameters.get("warn_above"))
    return outside(value, warn=warn, fail=(fail[0], fail[1]), what="The number of rows")


def _tighter(one: float | None, other: float | None, choose: Any) -> float | None:
    given = [bound for bound in (one, other) if bound is not None]
    return choose(given) if given else None


def schema(parameters: Mapping[str, Any], facts: EvaluationContext) -> CheckOutcome:
    """Compare columns and types with the approved ones. Added columns warn; removed or retyped columns fail."""
    approved = dict(_column(line) for line in parameters["columns"])
    found = dict(_column(" ".join(str(part) for part in row[:2])) for row in facts.rows)
    if not found:
        return CheckOutcome(ResultStatus.FAIL, "The table has no columns, or is not there.")
    removed = sorted(set(approved) - set(found))
    changed = sorted(name for name in set(approved) & set(found) if approved[name] and approved[name] != found[name])
    added = sorted(set(found) - set(approved))
    said = [
        *(f"{name} is gone" for name in removed),
        *(f"{name} was {approved[name]} and is {found[name]}" for name in changed),
        *(f"{name} is new" for name in added),
    ]
    count = float(len(said))
    if removed or changed:
        return CheckOutcome(ResultStatus.FAIL, f"Columns differ: {'; '.join(said)}.", count, None, 0.0)
    if added:
        return CheckOutcome(ResultStatus.WARN, f"Columns differ: {'; '.join(said)}.", count, None, 0.0)
    return CheckOutcome(ResultStatus.PASS, f"All {number(len(found))} columns are as approved.", 0.0, None, 0.0)


def _column(line: str) -> tuple[str, str]:
    name, _, kind = line.strip().lower().partition(" ")
    return name, " ".join(kind.split())
