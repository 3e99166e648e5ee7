"""Read an untrusted calendar in a separate process that is killed if it takes too long (docs/reliability.md)."""

import datetime as dt
import json
import subprocess  # nosec B404  # our own modules only, never a shell
import sys

from django.conf import settings

from scheduling.domain.ical_busy import BusyCalendar, BusyEvent, SkippedEvent
from scheduling.domain.ical_parser import UnreadableCalendarError

READ_TIMEOUT_SECONDS = 5.0


def busy_days_within(
    data: bytes, *, first: dt.date, last: dt.date, zone: str = "UTC", seconds: float = READ_TIMEOUT_SECONDS
) -> BusyCalendar:
    """Return `busy_days(data)`, computed in a separate process.

    Raises UnreadableCalendarError as `busy_days` does, and if the process exceeds its limits of time or memory.
    """
    command = [sys.executable, "-m", "scheduling.ical_worker"]
    window = json.dumps({"first": str(first), "last": str(last), "zone": zone})
    try:
        process = subprocess.run(  # noqa: S603  # nosec B603  # our own module
            command,
            input=window.encode() + b"\n" + data,
            capture_output=True,
            timeout=seconds,
            cwd=settings.BASE_DIR,
            env={},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise UnreadableCalendarError(f"The calendar takes longer than {seconds:.0f} seconds to read.") from error
    if process.returncode != 0:
        raise UnreadableCalendarError("The calendar is damaged, or too large to read.")
    result = json.loads(process.stdout)
    if "problem" in result:
        raise UnreadableCalendarError(result["problem"])
    events = [
        BusyEvent(
            row["uid"], dt.date.fromisoformat(row["starts_on"]), dt.date.fromisoformat(row["ends_on"]), row["summary"]
        )
        for row in result["events"]
    ]
    return BusyCalendar(events, [SkippedEvent(**row) for row in result["skipped"]])
