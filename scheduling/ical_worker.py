"""Read a calendar in a separate process: `python -m scheduling.ical_worker`. Imports no Django, so that it starts quickly."""

import contextlib
import dataclasses
import datetime as dt
import json
import resource
import signal
import sys
import time
from collections.abc import Iterator
from typing import NoReturn

from scheduling.domain.ical_busy import busy_days
from scheduling.domain.ical_parser import UnreadableCalendarError
from scheduling.domain.ical_times import MalformedEventError

MEMORY_LIMIT_BYTES = 1024**3
EVENT_SECONDS, CALENDAR_SECONDS = 0.5, 3.0


class RuleTimer:
    """Limits the time for recurrence rules: a rule that never matches would run for minutes."""

    def __init__(self) -> None:
        self.left = CALENDAR_SECONDS
        signal.signal(signal.SIGALRM, self._stop)

    @staticmethod
    def _stop(_signal: int, _frame: object) -> NoReturn:
        raise MalformedEventError("Its recurrence rule takes too long to compute.")

    @contextlib.contextmanager
    def limit(self) -> Iterator[None]:
        """Raise MalformedEventError in the block once an event, or all events together, have taken too long."""
        if self.left <= 0:
            raise MalformedEventError("The recurrence rules of the calendar take too long to compute.")
        began = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, min(EVENT_SECONDS, self.left))
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            self.left -= time.monotonic() - began


def main() -> None:
    """Read a line of JSON with the window, then the calendar, from standard input; write the result or the problem."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    window = json.loads(sys.stdin.buffer.readline())
    try:
        calendar = busy_days(
            sys.stdin.buffer.read(),
            first=dt.date.fromisoformat(window["first"]),
            last=dt.date.fromisoformat(window["last"]),
            zone=window["zone"],
            time_limit=RuleTimer().limit,
        )
    except UnreadableCalendarError as error:
        result: dict[str, object] = {"problem": str(error)}
    else:
        result = dataclasses.asdict(calendar)
    sys.stdout.write(json.dumps(result, default=str))


if __name__ == "__main__":
    main()
