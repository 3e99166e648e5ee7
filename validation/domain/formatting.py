"""What a check's value is a number of, so that every page says it in one way."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from validation.domain.results import format_length, number

# Their value is a length of time, in minutes.
OF_TIME = frozenset({"freshness", "run_deadline"})
# Their value counts what is wrong.
COUNTED = {"completeness": "missing", "schema": "differing"}
# Their value is worked out of two metrics, or a query's: no metric's unit is its unit.
OF_NO_UNIT = frozenset({"ratio", "custom_sql"})


LONGEST = 1e9


def unit_of(check_type: str, *, parameters: Mapping[str, Any], unit: str) -> str:
    """Return what a check's value is a number of, "min" for a length of time; `unit` is its metric's."""
    if check_type in OF_TIME:
        return "min"
    if check_type == "custom_sql" and parameters.get("expect") == "no_rows":
        return "failing"
    return COUNTED.get(check_type, "" if check_type in OF_NO_UNIT else unit)


def format_value(value: float, *, unit: str) -> str:
    """Return a value with its unit as people read it: "13 h 7 min", "1,200 EUR", "2 missing"."""
    if unit == "min" and 0 <= value < LONGEST:
        return format_length(dt.timedelta(minutes=value))
    return f"{number(value)} {unit}".rstrip()
