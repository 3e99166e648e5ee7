"""Reads a calendar in a process of its own, which imports no Django and may be killed: `python -m scheduling.ical_worker`."""

import dataclasses
import datetime as dt
import json
import resource
import sys

from scheduling.domain.ical_busy import UnreadableCalendarError, busy_days

MEMORY_BYTES = 1024**3


def main() -> None:
    """Read a line with the window and then the calendar from standard input; write the busy days, or why not, as JSON."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    first, last = sys.stdin.buffer.readline().decode().split()
    try:
        found = busy_days(sys.stdin.buffer.read(), first=dt.date.fromisoformat(first), last=dt.date.fromisoformat(last))
    except UnreadableCalendarError as error:
        answer: dict[str, object] = {"problem": str(error)}
    else:
        answer = {"busy": [dataclasses.asdict(one) for one in found]}
    sys.stdout.write(json.dumps(answer, default=str))


if __name__ == "__main__":
    main()
