"""The parameters of each check type, read from form input or from JSON."""

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass


class ParameterErrors(Exception):  # noqa: N818  # it carries several errors
    """Invalid parameters of a check type, by name."""

    def __init__(self, problems: dict[str, list[str]]) -> None:
        super().__init__("; ".join(f"{name}: {' '.join(why)}" for name, why in problems.items()))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter: its name, kind, default, bounds and help text.

    Kinds: number, whole, hour ("06:30"), days (weekdays, 0 for Monday), choice, date, words (text by text), flag,
    amounts (a number by date).
    """

    name: str
    kind: str
    help: str
    default: object = None
    required: bool = False
    least: float | None = None
    most: float | None = None
    choices: tuple[str, ...] = ()


def _bounds(what: str) -> tuple[Parameter, ...]:
    return (
        Parameter("warn_below", "number", f"Warn when {what} is lower."),
        Parameter("warn_above", "number", f"Warn when {what} is higher."),
        Parameter("fail_below", "number", f"Fail when {what} is lower."),
        Parameter("fail_above", "number", f"Fail when {what} is higher."),
    )


def _change(warn: float | None, fail: float | None) -> tuple[Parameter, ...]:
    return (
        Parameter("warn_percent", "number", "Warn when it differs by more than this many per cent.", warn, least=0),
        Parameter("fail_percent", "number", "Fail when it differs by more than this many per cent.", fail, least=0),
    )


SEGMENTS = Parameter("by_segment", "flag", "Judge each segment; the alert is one, with the segments listed.", False)
TYPES: dict[str, tuple[Parameter, ...]] = {
    "freshness": (
        Parameter("warn_after_minutes", "whole", "Warn when the newest point is older.", None, least=1),
        Parameter("fail_after_minutes", "whole", "Fail when the newest point is older.", 1560, True, least=1),
    ),
    "run_deadline": (
        Parameter("by", "hour", "The local hour by which a run has to be reported.", "06:00", True),
        Parameter("weekdays", "days", "On which weekdays, 0 for Monday.", (0, 1, 2, 3, 4, 5, 6)),
        Parameter("warn_minutes_before", "whole", "Warn this long before the deadline.", 0, least=0, most=1440),
    ),
    "completeness": (
        Parameter(
            "look_back",
            "whole",
            "How many days (of an hourly metric: hours) back to look.",
            28,
            True,
            least=1,
            most=2000,
        ),
        Parameter("allowed_missing", "whole", "So many missing ones only warn.", 0, least=0),
        Parameter("segments", "words", "Segments that must never be missing, one a line."),
    ),
    "volume": (
        *_bounds("the number of rows"),
        Parameter("fail_below_percent", "number", "Fail below this share of the usual, in per cent.", None, least=0),
        Parameter("fail_above_percent", "number", "Fail above this share of the usual, in per cent.", None, least=0),
        Parameter(
            "weeks", "whole", "The usual is the median of the same weekday in so many weeks.", 4, least=2, most=26
        ),
        SEGMENTS,
    ),
    "range": (*_bounds("the value"), SEGMENTS),
    "validity": (
        Parameter(
            "warn_above", "number", "Warn when the share of bad values is higher (0 to 1).", None, least=0, most=1
        ),
        Parameter(
            "fail_above", "number", "Fail when the share of bad values is higher (0 to 1).", 0.0, True, least=0, most=1
        ),
        SEGMENTS,
    ),
    "schema": (Parameter("columns", "words", "The approved columns, one a line: name type.", None, True),),
    "change_over_time": (
        Parameter(
            "against", "choice", "What it is compared with.", "weekday", True, choices=("weekday", "previous", "year")
        ),
        *_change(20.0, 40.0),
        Parameter(
            "ignore_below", "number", "Ignore differences smaller than this, in the metric's unit.", 0.0, least=0
        ),
        SEGMENTS,
    ),
    "anomaly": (
        Parameter("alert_budget", "number", "About so many alerts a year.", 4.0, least=0.5, most=365),
        SEGMENTS,
    ),
    "ratio": _bounds("the ratio"),
    "reconciliation": (
        Parameter(
            "mode", "choice", "Two metrics, or segments against the total.", "two", True, choices=("two", "parts")
        ),
        Parameter("warn_percent", "number", "Warn when they differ by more per cent.", 0.5, least=0),
        Parameter("fail_percent", "number", "Fail when they differ by more per cent.", 1.0, True, least=0),
    ),
    "target": (
        Parameter("targets", "amounts", "Dated amounts, one a line: 2026-12-31 1200000.", None, True),
        Parameter("starts_on", "date", "From which date the amount is gathered.", None, True),
        Parameter("mode", "choice", "The sum to date, or the value itself.", "sum", choices=("sum", "level")),
        Parameter("warn_percent", "number", "Warn when it is off by more per cent.", 5.0, least=0),
        Parameter("fail_percent", "number", "Fail when it is off by more per cent.", 10.0, True, least=0),
    ),
    "custom_sql": (
        Parameter(
            "expect", "choice", "One number with bounds, or no rows.", "no_rows", True, choices=("no_rows", "number")
        ),
        *_bounds("the number"),
    ),
}
BOUNDED = {"range": 1, "ratio": 1}
DAYS_A_WEEK = 7
MOST_WORDS, LONGEST_WORD = 500, 200


def read_parameters(check_type: str, given: Mapping[str, object]) -> dict[str, object]:
    """Return the parameters of a check type as JSON values, with defaults filled in; raise ParameterErrors by name.

    Text is parsed as form input; numbers and lists are taken as JSON values. An empty value means the default.
    """
    known = {one.name: one for one in TYPES[check_type]}
    problems: dict[str, list[str]] = {
        str(name): [f"A {check_type} check has no such parameter; it has {', '.join(known)}."]
        for name in given
        if name not in known
    }
    found: dict[str, object] = {}
    for name, parameter in known.items():
        value = given.get(name)
        if value is None or value in ("", [], {}):
            value = parameter.default
        if value is None:
            if parameter.required:
                problems[name] = ["It is needed."]
            continue
        try:
            found[name] = _READERS[parameter.kind](parameter, value)
        except (ValueError, TypeError, OverflowError) as error:
            problems[name] = [str(error)]
    if not problems:
        problems = _together(check_type, found)
    if problems:
        raise ParameterErrors(problems)
    return found


def _together(check_type: str, found: Mapping[str, object]) -> dict[str, list[str]]:
    """Return the errors of parameters that are valid alone but not together."""
    bounds = {
        name: value for name, value in found.items() if name.endswith(("_below", "_above")) and "percent" not in name
    }
    if check_type in BOUNDED and not bounds:
        return {"fail_below": ["Give at least one bound."]}
    shares = [name for name in found if name.endswith("_percent")]
    if check_type == "volume" and not bounds and not shares:
        return {"fail_below": ["Give a bound, or a share of the usual."]}
    if check_type == "custom_sql" and found["expect"] == "number" and not bounds:
        return {"fail_below": ["A number needs a bound."]}
    for low, high in (
        ("fail_below", "fail_above"),
        ("warn_below", "warn_above"),
        ("fail_below_percent", "fail_above_percent"),
    ):
        least, most = found.get(low), found.get(high)
        if isinstance(least, int | float) and isinstance(most, int | float) and least > most:
            return {low: [f"It is above {high}: no value would pass."]}
    return {}


def _number(parameter: Parameter, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError("Give a number.")
    try:
        read = float(value.replace(",", "") if isinstance(value, str) else value)
    except ValueError:
        raise ValueError("Give a number.") from None
    if not math.isfinite(read):
        raise ValueError("Give a finite number.")
    if (parameter.least is not None and read < parameter.least) or (
        parameter.most is not None and read > parameter.most
    ):
        bounds = " and ".join(
            words
            for words, bound in (
                (f"at least {parameter.least}", parameter.least),
                (f"at most {parameter.most}", parameter.most),
            )
            if bound is not None
        )
        raise ValueError(f"It is {bounds}.")
    return read


def _whole(parameter: Parameter, value: object) -> int:
    read = _number(parameter, value)
    if read != int(read):
        raise ValueError("Give a whole number.")
    return int(read)


def _hour(parameter: Parameter, value: object) -> str:
    try:
        return dt.time.fromisoformat(str(value)).replace(second=0, microsecond=0, tzinfo=None).isoformat("minutes")
    except ValueError:
        raise ValueError("Give an hour, such as 06:30.") from None


def _days(parameter: Parameter, value: object) -> list[int]:
    listed = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(listed, list | tuple):
        raise TypeError("Give weekdays, 0 for Monday to 6 for Sunday.")
    days = sorted({int(day) for day in listed})
    if not days or not set(days) <= set(range(DAYS_A_WEEK)):
        raise ValueError("Give weekdays, 0 for Monday to 6 for Sunday.")
    return days


def _choice(parameter: Parameter, value: object) -> str:
    if value not in parameter.choices:
        raise ValueError(f"It is one of {', '.join(parameter.choices)}.")
    return str(value)


def _date(parameter: Parameter, value: object) -> str:
    try:
        return dt.date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise ValueError("Give a date, such as 2026-11-23.") from None


def _words(parameter: Parameter, value: object) -> list[str]:
    listed = value.splitlines() if isinstance(value, str) else value
    if not isinstance(listed, list | tuple) or not all(isinstance(word, str) for word in listed):
        raise TypeError("Give texts, one a line.")
    words = [" ".join(word.split()) for word in listed if word.strip()]
    if not words or len(words) > MOST_WORDS or any(len(word) > LONGEST_WORD or "\0" in word for word in words):
        raise ValueError(f"Give 1 to {MOST_WORDS} lines of at most {LONGEST_WORD} letters.")
    return words


def _flag(parameter: Parameter, value: object) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "on", "1", "false", "0"):
        return value in ("true", "on", "1")
    raise ValueError("Give true or false.")


def _amounts(parameter: Parameter, value: object) -> dict[str, float]:
    if isinstance(value, str):
        pairs = [line.split() for line in value.splitlines() if line.strip()]
        if not all(len(pair) == 2 for pair in pairs):  # a date and an amount
            raise ValueError("Give lines of a date and an amount: 2026-12-31 1200000.")
        value = dict(pairs)
    if not isinstance(value, dict) or not value or len(value) > MOST_WORDS:
        raise TypeError("Give at least one date with its amount.")
    bare = Parameter("amount", "number", "")
    return dict(sorted((_date(parameter, day), _number(bare, amount)) for day, amount in value.items()))


_READERS = {
    "number": _number,
    "whole": _whole,
    "hour": _hour,
    "days": _days,
    "choice": _choice,
    "date": _date,
    "words": _words,
    "flag": _flag,
    "amounts": _amounts,
}
