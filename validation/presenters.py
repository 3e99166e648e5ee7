"""A check's settings in words."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from common.formatting import format_count, format_day, format_list, format_minutes, format_number
from validation.domain.parameters import Parameter
from validation.models import Check, Holidays

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MAX_ITEMS_LISTED = 10


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting: what it is, and its value in words."""

    label: str
    text: str


def check_settings(check: Check) -> list[Setting]:
    """Return what a check does, in words: what passes, its thresholds, when it runs, and when it alerts."""
    passes = Setting("Passes if", f"{check.type.summary}.")
    return [passes, *_companion(check), *_parameters(check), *_schedule(check), *_alerting(check)]


def _companion(check: Check) -> Iterator[Setting]:
    if check.other_metric is not None and check.type.other_metric_label:
        yield Setting(check.type.other_metric_label, f"{check.other_metric.name} ({check.other_metric.pipeline})")


def _parameters(check: Check) -> Iterator[Setting]:
    for parameter in check.type.declared_parameters:
        value = check.parameters.get(parameter.name)
        if value not in (None, "", False, [], {}) and parameter.kind != "sql":
            yield Setting(parameter.label, _parameter_text(parameter, value))


def _parameter_text(parameter: Parameter, value: object) -> str:
    if parameter.kind == "weekdays" and isinstance(value, list):
        return format_weekdays(value)
    if parameter.kind == "choice":
        return dict(parameter.choices).get(str(value), str(value))
    if parameter.kind == "minutes" and isinstance(value, int):
        return format_minutes(value)
    if isinstance(value, bool):
        return "yes"
    if isinstance(value, int | float):
        return format_number(value)
    if isinstance(value, dict):
        return format_list(
            [f"{_day_text(day)}: {format_number(amount)}" for day, amount in value.items()], limit=MAX_ITEMS_LISTED
        )
    if isinstance(value, list):
        return format_list([str(item) for item in value], limit=MAX_ITEMS_LISTED)
    return _day_text(str(value)) if parameter.kind == "date" else str(value)


def _day_text(day: str) -> str:
    return format_day(dt.date.fromisoformat(day))


def format_weekdays(days: list[int]) -> str:
    """Return weekdays, 0 for Monday, in words: "Mon, Tue"; "every day" for all."""
    return (
        "every day" if len(set(days)) in (0, len(WEEKDAYS)) else ", ".join(WEEKDAYS[day] for day in sorted(set(days)))
    )


def _schedule(check: Check) -> Iterator[Setting]:
    if check.cron:
        yield Setting("Runs", f"{check.cron} (cron, {check.zone_name})")
    elif check.interval_minutes:
        yield Setting("Runs", f"every {format_minutes(check.interval_minutes)}")
    if check.settle_minutes:
        yield Setting("Waits", f"{format_minutes(check.settle_minutes)} after the end of a day or hour")
    if check.weekdays:
        yield Setting("Expects data on", format_weekdays(check.weekdays))
    if check.holidays != Holidays.ORDINARY:
        yield Setting("Public holidays", f"{check.get_holidays_display()} ({check.country or 'no country'})")


def _alerting(check: Check) -> Iterator[Setting]:
    if check.confirm_of > 1:
        yield Setting(
            "Alerts after",
            f"{format_count(check.confirm, 'failure')} in the last {format_count(check.confirm_of, 'result')}",
        )
    else:
        yield Setting("Alerts after", "the first failure")
    yield Setting("Severity", check.get_severity_display())
    if check.cooldown_minutes:
        yield Setting("Cooldown", format_minutes(check.cooldown_minutes))
