"""Confirmation of failures, and the number of alerts that a threshold would have raised."""

from collections.abc import Sequence
from dataclasses import dataclass

from validation.domain.results import ResultStatus

# An error, a gap or too little history says nothing about the data (docs/validation.md).
COUNTED = (ResultStatus.PASS, ResultStatus.WARN, ResultStatus.FAIL)
DAYS_PER_YEAR = 365.25


@dataclass(frozen=True, slots=True)
class Confirmation:
    """How many of the newest results must fail before an alert starts."""

    failing: int = 1
    of: int = 1


def is_confirmed(statuses: Sequence[str], *, confirmation: Confirmation) -> bool:
    """Return True if the failure is confirmed: the newest result fails, and so do N of the last M. Newest first."""
    counted = [status for status in statuses if status in COUNTED][: confirmation.of]
    return (
        bool(counted) and counted[0] == ResultStatus.FAIL and counted.count(ResultStatus.FAIL) >= confirmation.failing
    )


def alert_starts(statuses: Sequence[str], *, confirmation: Confirmation) -> list[int]:
    """Return the indexes, oldest first, at which an alert would have started. An alert lasts until a pass."""
    starts, is_alerting = [], False
    for index, status in enumerate(statuses):
        if status == ResultStatus.PASS:
            is_alerting = False
        elif (
            not is_alerting
            and status == ResultStatus.FAIL
            and is_confirmed(list(reversed(statuses[: index + 1])), confirmation=confirmation)
        ):
            starts.append(index)
            is_alerting = True
    return starts


def yearly_rate(count: int, *, days: float) -> float:
    """Return the yearly rate of `count` events in `days` days."""
    return count * DAYS_PER_YEAR / days if days > 0 else 0.0
