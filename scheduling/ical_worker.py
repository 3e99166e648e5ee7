"""Parse a calendar in a separate process: `python -m scheduling.ical_worker`. Imports no Django, so that it starts quickly."""

import dataclasses
import datetime as dt
import json
import resource
import sys

from scheduling.domain.ical_busy import UnreadableCalendarError, busy_days

MEMORY_LIMIT_BYTES = 1024**3


def main() -> None:
    """Read a line with the window, then the calendar, from standard input; write the busy days or the problem as JSON."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    first, last = sys.stdin.buffer.readline().decode().split()
    try:
        events = busy_days(
            sys.stdin.buffer.read(), first=dt.date.fromisoformat(first), last=dt.date.fromisoformat(last)
        )
    except UnreadableCalendarError as error:
        result: dict[str, object] = {"problem": str(error)}
    else:
        result = {"busy": [dataclasses.asdict(event) for event in events]}
    sys.stdout.write(json.dumps(result, default=str))


if __name__ == "__main__":
    main()
