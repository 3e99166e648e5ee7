"""The state of a pipeline's day according to its checks."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from readiness.domain.calendar import DayWindow, MetricCalendar
from readiness.domain.verdict import CheckState
from validation.domain.buckets import DAY
from validation.domain.results import ResultStatus

MINUTE = dt.timedelta(minutes=1)
CHECK_STATES = {
    "": CheckState.WAITING,
    str(ResultStatus.PASS): CheckState.PASSED,
    str(ResultStatus.WARN): CheckState.WARNED,
    str(ResultStatus.FAIL): CheckState.FAILED,
    str(ResultStatus.ERROR): CheckState.BROKEN,
    str(ResultStatus.SKIP): CheckState.SKIPPED,
    str(ResultStatus.UNKNOWN): CheckState.NO_VALUE,
}
# The worst first: the state of a day is the first of these among its hours.
WORST_FIRST = (
    CheckState.FAILED,
    CheckState.BROKEN,
    CheckState.NO_VALUE,
    CheckState.WARNED,
    CheckState.PASSED,
    CheckState.SKIPPED,
)


@dataclass(frozen=True, slots=True)
class CheckSchedule:
    """An enabled check: its last run and its next one."""

    id: int
    pipeline: int
    name: str
    calendar: MetricCalendar | None  # grain of its metric, if its results belong to a day or hour
    status: str
    expected: str
    bucket: dt.datetime | None
    ran_at: dt.datetime | None
    next_run_at: dt.datetime | None

    def next_run(self, at: dt.datetime) -> dt.datetime | None:
        """Return when the check runs next; an overdue check runs within a minute."""
        if self.next_run_at is None or self.next_run_at > at:
            return self.next_run_at
        return at.replace(second=0, microsecond=0) + MINUTE


def bucket_state(
    check: CheckSchedule, results: Sequence[str], *, window: DayWindow, is_changed: bool
) -> CheckState | None:
    """Return the state of a day by the results of its buckets, or None without a result.

    `is_changed`: one is still to be evaluated again.
    """
    present = {CHECK_STATES[status] for status in results}
    if CheckState.FAILED in present:
        return CheckState.FAILED
    if not present and window.is_current and check.status == ResultStatus.ERROR:
        return CheckState.BROKEN
    # The first run after the day evaluates its last hour.
    is_whole = bool(present) and (
        check.calendar is None or check.calendar.step >= DAY or (check.ran_at or window.ends_at) >= window.settles_at
    )
    if (is_changed and present) or (not is_whole and _will_run(check, window=window)):
        return CheckState.WAITING
    return next((state for state in WORST_FIRST if state in present), None)


def run_state(check: CheckSchedule, *, window: DayWindow) -> CheckState | None:
    """Return the state of the current day by the last run of a check without buckets, or None without a result."""
    state = CHECK_STATES[counts_as(check.status, check.expected)]
    if not window.is_settled:
        return None
    if state is CheckState.FAILED:
        return state
    is_current = check.ran_at is not None and check.ran_at >= window.settles_at
    if not is_current and _will_run(check, window=window):
        return CheckState.WAITING
    return None if state is CheckState.WAITING else state


def _will_run(check: CheckSchedule, *, window: DayWindow) -> bool:
    """Return True if a check runs before the next day is due, so that the day waits for it."""
    return window.is_current and check.next_run_at is not None and check.next_run_at < window.next_due_at


def counts_as(status: str, expected: str) -> str:
    """Return the effective status: an expected failure or warning is a pass."""
    return str(ResultStatus.PASS) if expected else status
