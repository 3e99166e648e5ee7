"""Units and formatting of check values, so that every page shows them in the same way."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from validation.domain.results import format_length, number

# The value is a duration, in minutes.
OF_TIME = frozenset({"freshness", "run_deadline"})
# The value counts problems.
COUNTED = {"completeness": "missing", "schema": "differing"}
# The value comes from two metrics or from a query, so no metric's unit applies.
OF_NO_UNIT = frozenset({"ratio", "custom_sql"})


LONGEST = 1e9


def unit_of(check_type: str, *, parameters: Mapping[str, Any], unit: str) -> str:
    """Return the unit of a check's value, "min" for durations; `unit` is the unit of its metric."""
    if check_type in OF_TIME:
        return "min"
    if check_type == "custom_sql" and parameters.get("expect") == "no_rows":
        return "failing"
    return COUNTED.get(check_type, "" if check_type in OF_NO_UNIT else unit)


def format_value(value: float, *, unit: str) -> str:
    """Return a value with its unit for display: "13 h 7 min", "1,200 EUR", "2 missing"."""
    if unit == "min" and 0 <= value < LONGEST:
        return format_length(dt.timedelta(minutes=value))
    return f"{number(value)} {unit}".rstrip()
