"""Pages about checks and their results, a file for each noun."""

from validation.views.checks import (
    acknowledge,
    add_event,
    backtest,
    check,
    checks,
    edit_check,
    mute,
    new_check,
    progress,
    remove_check,
    remove_event,
    run_now,
)
from validation.views.external import external_check, external_checks
from validation.views.metrics import edit_metric, new_metric

__all__ = [
    "acknowledge",
    "add_event",
    "backtest",
    "check",
    "checks",
    "edit_check",
    "edit_metric",
    "external_check",
    "external_checks",
    "mute",
    "new_check",
    "new_metric",
    "progress",
    "remove_check",
    "remove_event",
    "run_now",
]
