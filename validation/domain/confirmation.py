"""Confirmation of failures, and the number of alerts that a threshold would have raised."""

from collections.abc import Sequence
from dataclasses import dataclass

from validation.domain.results import ResultStatus

# An error, a gap or too little history says nothing about the data (docs/validation.md).
COUNTED = (ResultStatus.PASS, ResultStatus.WARN, ResultStatus.FAIL)
DAYS_A_YEAR = 365.25


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The number of recent results that must fail before an alert starts."""

    failing: int = 1
    of: int = 1


def confirmed(outcomes: Sequence[str], *, confirmation: Confirmation) -> bool:
    """Return True if the failure is confirmed: the newest result fails, and so do N of the last M. Newest first."""
    counted = [outcome for outcome in outcomes if outcome in COUNTED][: confirmation.of]
    return (
        bool(counted) and counted[0] == ResultStatus.FAIL and counted.count(ResultStatus.FAIL) >= confirmation.failing
    )


def alerts_in(outcomes: Sequence[str], *, confirmation: Confirmation) -> list[int]:
    """Return the indexes, oldest first, at which an alert would have started. An alert lasts until a pass."""
    begun, alerting = [], False
    for place, outcome in enumerate(outcomes):
        if outcome == ResultStatus.PASS:
            alerting = False
        elif not alerting and outcome == ResultStatus.FAIL:
            seen = outcomes[: place + 1]
            if confirmed(list(reversed(seen)), confirmation=confirmation):
                begun.append(place)
                alerting = True
    return begun


def a_year(count: int, *, days: float) -> float:
    """Return the yearly rate of `count` events in `days` days."""
    return count * DAYS_A_YEAR / days if days > 0 else 0.0
