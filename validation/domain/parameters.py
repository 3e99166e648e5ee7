"""Typed parameters of checks: how a field of a parameters dataclass is declared, read, checked and stored.

A check type declares its parameters as a frozen dataclass whose fields are made by `number()`, `integer()`, `choice()`
and so on. Forms, the API and the documentation read the declarations; checks read the typed values.
"""

import dataclasses
import datetime as dt
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, ClassVar, TypeVar

from common.datetimes import INVALID_DATE, is_in_range
from common.formatting import parse_minutes
from validation.domain.sql import query_problem

WEEKDAYS = 7
MAX_LINES, MAX_LINE_LENGTH = 500, 200
MAX_QUERY_LENGTH = 20_000
MAX_UNKNOWN_LISTED = 10
METADATA_KEY = "parameter"
NOT_A_NUMBER = "Enter a number, such as 1.5 or 12,000."
GROUPED_DIGITS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
WRONG_WEEKDAYS = "Choose weekdays, 0 for Monday to 6 for Sunday."


class InvalidParametersError(ValueError):
    """Invalid parameters of a check type, by name."""

    def __init__(self, problems: dict[str, list[str]]) -> None:
        super().__init__("; ".join(f"{name}: {' '.join(why)}" for name, why in problems.items()))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Parameter:
    """The declaration of a parameter.

    Kinds: number, integer, minutes (also "1 h 30 min"), time ("06:30"), weekdays (0 for Monday), choice, date, lines (one text per line), flag,
    amounts (a number by date), and sql (one SELECT).
    """

    kind: str
    label: str
    help: str = ""
    required: bool = False
    least: float | None = None
    most: float | None = None
    choices: tuple[tuple[str, str], ...] = ()
    default: object = None
    name: str = ""


class Parameters:
    """Base of the parameters of a check type: a frozen dataclass of declared fields."""

    def problems(self) -> dict[str, list[str]]:
        """Return the errors of values that are valid alone but not together, by name."""
        return {}

    @classmethod
    def with_defaults(cls, values: dict[str, object]) -> dict[str, object]:
        """Return typed values with the defaults that depend on other values."""
        return values


P = TypeVar("P", bound=Parameters)


def _declare(parameter: Parameter, default: Any) -> Any:
    metadata = {METADATA_KEY: parameter}
    return field(metadata=metadata) if default is MISSING else field(default=default, metadata=metadata)


def number(
    label: str,
    text: str = "",
    *,
    default: Any = None,
    required: bool = False,
    least: float | None = None,
    most: float | None = None,
) -> Any:
    """Declare a number."""
    return _declare(Parameter("number", label, text, required, least, most), default)


def integer(
    label: str,
    text: str = "",
    *,
    default: Any = None,
    required: bool = False,
    least: float | None = None,
    most: float | None = None,
) -> Any:
    """Declare a whole number."""
    return _declare(Parameter("integer", label, text, required, least, most), default)


def minutes(
    label: str,
    text: str = "",
    *,
    default: Any = None,
    required: bool = False,
    least: float | None = None,
    most: float | None = None,
) -> Any:
    """Declare a duration in whole minutes, which a form also takes as "1 h 30 min"."""
    return _declare(Parameter("minutes", label, text, required, least, most), default)


def choice(label: str, text: str = "", *, choices: tuple[tuple[str, str], ...], default: str) -> Any:
    """Declare a choice of values, each with its label."""
    return _declare(Parameter("choice", label, text, choices=choices), default)


def flag(label: str, text: str = "") -> Any:
    """Declare a yes or no, no by default."""
    return _declare(Parameter("flag", label, text), default=False)


def time_of_day(label: str, text: str = "", *, default: dt.time) -> Any:
    """Declare a local time of day."""
    return _declare(Parameter("time", label, text, required=True), default)


def weekdays(label: str, text: str = "") -> Any:
    """Declare weekdays, all by default."""
    return _declare(Parameter("weekdays", label, text), tuple(range(WEEKDAYS)))


def date(label: str, text: str = "") -> Any:
    """Declare a required date."""
    return _declare(Parameter("date", label, text, required=True), MISSING)


def lines(label: str, text: str = "", *, required: bool = False) -> Any:
    """Declare texts, one per line."""
    return _declare(Parameter("lines", label, text, required), MISSING if required else ())


def amounts(label: str, text: str = "") -> Any:
    """Declare required amounts by date, one per line."""
    return _declare(Parameter("amounts", label, text, required=True), MISSING)


def sql(label: str, text: str = "") -> Any:
    """Declare a required SELECT statement."""
    return _declare(Parameter("sql", label, text, required=True), MISSING)


def declared(cls: type[Parameters]) -> tuple[Parameter, ...]:
    """Return the declarations of a parameters class, in order, with their names and stored defaults."""
    return tuple(
        dataclasses.replace(
            one.metadata[METADATA_KEY],
            name=one.name,
            default=None if one.default is MISSING else _stored(one.default),
        )
        for one in fields(cls)  # type: ignore[arg-type]  # every subclass is a dataclass
    )


def read_parameters(cls: type[P], values: Mapping[str, object], *, ignore_unknown: bool = False) -> P:
    """Return typed parameters from JSON values or form input; raise InvalidParametersError by name.

    An empty value means the default.
    """
    known = {parameter.name: parameter for parameter in declared(cls)}
    unknown = [] if ignore_unknown else [str(name) for name in values if name not in known]
    problems: dict[str, list[str]] = {
        name: [f"Unknown parameter. This type has {', '.join(known) or 'no parameters'}."]
        for name in unknown[:MAX_UNKNOWN_LISTED]
    }
    typed: dict[str, object] = {}
    for name, parameter in known.items():
        value = values.get(name)
        if value is None or value in ("", [], (), {}):
            value = parameter.default
        if value is None or value == []:
            if parameter.required:
                problems[name] = ["Required."]
            continue
        try:
            typed[name] = _READERS[parameter.kind](parameter, value)
        except (ValueError, TypeError, OverflowError) as error:
            problems[name] = [str(error)]
    if not problems:
        parameters = cls(**cls.with_defaults(typed))
        problems = parameters.problems()
    if problems:
        raise InvalidParametersError(problems)
    return parameters


def stored_parameters(parameters: Parameters) -> dict[str, object]:
    """Return parameters as JSON values, without those that are not set."""
    values = {one.name: getattr(parameters, one.name) for one in fields(parameters)}  # type: ignore[arg-type]  # a dataclass
    return {name: _stored(value) for name, value in values.items() if value is not None and value != ()}


def _stored(value: object) -> object:
    if isinstance(value, dt.time):
        return value.isoformat("minutes")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, dict):
        return {day.isoformat(): amount for day, amount in value.items()}
    return value


def _read_number(parameter: Parameter, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError(NOT_A_NUMBER)
    try:
        read = float(_without_groups(value) if isinstance(value, str) else value)
    except ValueError:
        raise ValueError(NOT_A_NUMBER) from None
    if not math.isfinite(read):
        raise ValueError("Enter a finite number.")
    least, most = parameter.least, parameter.most
    if (least is not None and read < least) or (most is not None and read > most):
        limits = [f"at least {least:g}" if least is not None else "", f"at most {most:g}" if most is not None else ""]
        raise ValueError(f"Must be {' and '.join(limit for limit in limits if limit)}.")
    return read


def _without_groups(text: str) -> str:
    """Return a number without the commas between its groups of three digits; raise ValueError for a comma elsewhere.

    A decimal comma left out would make "1,5" fifteen.
    """
    if "_" in text or ("," in text and not GROUPED_DIGITS.fullmatch(text.strip())):
        raise ValueError(NOT_A_NUMBER)
    return text.replace(",", "")


def _read_integer(parameter: Parameter, value: object) -> int:
    read = _read_number(parameter, value)
    if read != int(read):
        raise ValueError("Enter a whole number.")
    return int(read)


def _read_minutes(parameter: Parameter, value: object) -> int:
    return _read_integer(parameter, parse_minutes(value) if isinstance(value, str) else value)


def _read_time(parameter: Parameter, value: object) -> dt.time:
    try:
        return dt.time.fromisoformat(str(value)).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        raise ValueError("Enter a time, such as 06:30.") from None


def _read_weekdays(parameter: Parameter, value: object) -> tuple[int, ...]:
    numbers = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(numbers, list | tuple) or any(isinstance(day, bool | float) for day in numbers):
        raise TypeError(WRONG_WEEKDAYS)
    try:
        days = sorted({int(day) for day in numbers})
    except (ValueError, TypeError):
        raise ValueError(WRONG_WEEKDAYS) from None
    if not days or not set(days) <= set(range(WEEKDAYS)):
        raise ValueError(WRONG_WEEKDAYS)
    return tuple(days)


def _read_choice(parameter: Parameter, value: object) -> str:
    allowed = [name for name, _ in parameter.choices]
    if value not in allowed:
        raise ValueError(f"Must be one of {', '.join(allowed)}.")
    return str(value)


def _read_date(parameter: Parameter, value: object) -> dt.date:
    try:
        day = dt.date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(INVALID_DATE) from None
    if not is_in_range(day):
        raise ValueError(INVALID_DATE)
    return day


def _read_lines(parameter: Parameter, value: object) -> tuple[str, ...]:
    texts = value.splitlines() if isinstance(value, str) else value
    if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
        raise TypeError("Enter texts, one per line.")
    read = tuple(" ".join(text.split()) for text in texts if text.strip())
    if not read or len(read) > MAX_LINES or any(len(text) > MAX_LINE_LENGTH or "\0" in text for text in read):
        raise ValueError(f"Enter 1 to {MAX_LINES} lines of at most {MAX_LINE_LENGTH} characters.")
    return read


def _read_flag(parameter: Parameter, value: object) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "on", "1", "false", "0"):
        return value in ("true", "on", "1")
    raise ValueError("Must be true or false.")


def _read_sql(parameter: Parameter, value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("Enter one SELECT statement.")
    problem = query_problem(value)
    if problem or len(value) > MAX_QUERY_LENGTH:
        raise ValueError(problem or f"Enter at most {MAX_QUERY_LENGTH:,} characters.")
    return value.strip()


def _read_amounts(parameter: Parameter, value: object) -> dict[dt.date, float]:
    if isinstance(value, str):
        pairs = [line.split() for line in value.splitlines() if line.strip()]
        if not all(len(pair) == 2 for pair in pairs):  # a date and an amount
            raise ValueError("Enter lines of a date and an amount, such as 2026-12-31 1200000.")
        value = dict(pairs)
        if len(value) < len(pairs):
            raise ValueError("Enter each date once.")
    if not isinstance(value, dict) or not value or len(value) > MAX_LINES:
        raise TypeError("Enter at least one date with its amount.")
    amount = Parameter("number", "amount")
    return dict(sorted((_read_date(parameter, day), _read_number(amount, number)) for day, number in value.items()))


_READERS: dict[str, Callable[[Parameter, Any], object]] = {
    "number": _read_number,
    "integer": _read_integer,
    "minutes": _read_minutes,
    "time": _read_time,
    "weekdays": _read_weekdays,
    "choice": _read_choice,
    "date": _read_date,
    "lines": _read_lines,
    "flag": _read_flag,
    "amounts": _read_amounts,
    "sql": _read_sql,
}


@dataclass(frozen=True, kw_only=True)
class Bounds(Parameters):
    """Warn and fail bounds of a number."""

    warn_below: float | None = number("Warn below")
    warn_above: float | None = number("Warn above")
    fail_below: float | None = number("Fail below")
    fail_above: float | None = number("Fail above")

    @property
    def has_bounds(self) -> bool:
        """Return True if at least one bound is set."""
        return any(bound is not None for bound in (self.warn_below, self.warn_above, self.fail_below, self.fail_above))

    def problems(self) -> dict[str, list[str]]:
        """Return an error for a minimum above its maximum."""
        return crossed(self, "fail_below", "fail_above") or crossed(self, "warn_below", "warn_above")


@dataclass(frozen=True, kw_only=True)
class Tolerance(Parameters):
    """Limits of a difference, in percent and in the metric's unit. Each limit that is set counts by itself.

    The percentages have the defaults of the class if no absolute limit is set.
    """

    DEFAULT_PERCENT: ClassVar[dict[str, float]] = {}

    warn_percent: float | None = number("Warn above this difference (%)", least=0)
    fail_percent: float | None = number("Fail above this difference (%)", least=0)
    warn_difference: float | None = number("Warn above this difference", "In the metric’s unit.", least=0)
    fail_difference: float | None = number("Fail above this difference", "In the metric’s unit.", least=0)

    @classmethod
    def with_defaults(cls, values: dict[str, object]) -> dict[str, object]:
        """Return values with the default percentages, unless an absolute limit is set."""
        has_absolute_limit = "warn_difference" in values or "fail_difference" in values
        return values if has_absolute_limit else {**cls.DEFAULT_PERCENT, **values}


@dataclass(frozen=True, kw_only=True)
class BySegment(Parameters):
    """Evaluate each segment."""

    by_segment: bool = flag("By segment", "Evaluate each segment. One alert lists the failing segments.")


def crossed(parameters: Parameters, low: str, high: str) -> dict[str, list[str]]:
    """Return an error if the minimum named `low` is above the maximum named `high`."""
    least, most = getattr(parameters, low), getattr(parameters, high)
    if least is None or most is None or least <= most:
        return {}
    labels = {parameter.name: parameter.label for parameter in declared(type(parameters))}
    return {low: [f"Must not be above “{labels[high]}”: no value would pass."]}
