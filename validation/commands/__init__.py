"""Every change of state about checks and their results, a file for each noun."""

from validation.commands.external import (
    Recorded,
    keep_external_rule,
    record_external_results,
    record_file,
    remove_external_rule,
)
from validation.commands.proposals import propose_checks

__all__ = [
    "Recorded",
    "keep_external_rule",
    "propose_checks",
    "record_external_results",
    "record_file",
    "remove_external_rule",
]
