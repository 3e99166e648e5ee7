"""Every change of state about checks and their results, a file for each noun."""

from validation.commands.definitions import (
    address_problem,
    change_check,
    create_check,
    create_source,
    keep_metric,
    keep_source,
    propose_checks,
    query_problem,
    remove_check,
    remove_source,
)
from validation.commands.events import Event, acknowledge_expected, add_known_event, remove_known_event
from validation.commands.external import (
    Recorded,
    keep_external_rule,
    record_external_results,
    record_file,
    remove_external_rule,
)
from validation.commands.muting import mute_check, unmute_check
from validation.commands.points import Kept, Pushed, push_points, read_points
from validation.commands.reading import Budget, pull_metric
from validation.commands.running import HandedOut, hand_out_due, request_run, run_check
from validation.commands.runs import Run, report_run

__all__ = [
    "Budget",
    "Event",
    "HandedOut",
    "Kept",
    "Pushed",
    "Recorded",
    "Run",
    "acknowledge_expected",
    "add_known_event",
    "address_problem",
    "change_check",
    "create_check",
    "create_source",
    "hand_out_due",
    "keep_external_rule",
    "keep_metric",
    "keep_source",
    "mute_check",
    "propose_checks",
    "pull_metric",
    "push_points",
    "query_problem",
    "read_points",
    "record_external_results",
    "record_file",
    "remove_check",
    "remove_external_rule",
    "remove_known_event",
    "remove_source",
    "report_run",
    "request_run",
    "run_check",
    "unmute_check",
]
