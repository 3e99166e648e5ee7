"""Parse an untrusted calendar in a separate process that is killed if it takes too long (docs/reliability.md)."""

import datetime as dt
import json
import subprocess  # nosec B404  # our own modules only, never a shell
import sys

from django.conf import settings

from scheduling.domain.ical_busy import BusyEvent, UnreadableCalendarError

PARSE_TIMEOUT_SECONDS = 5.0


def busy_days_within(
    text: bytes, *, first: dt.date, last: dt.date, seconds: float = PARSE_TIMEOUT_SECONDS
) -> list[BusyEvent]:
    """Return `busy_days(text)`, computed in a separate process.

    Raises UnreadableCalendarError as `busy_days` does, and if the process exceeds its limits of time or memory.
    """
    command = [sys.executable, "-m", "scheduling.ical_worker"]
    request = f"{first} {last}\n".encode() + text
    try:
        process = subprocess.run(  # noqa: S603  # nosec B603  # our own module
            command, input=request, capture_output=True, timeout=seconds, cwd=settings.BASE_DIR, env={}, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise UnreadableCalendarError(f"The calendar takes longer than {seconds:.0f} seconds to read.") from error
    if process.returncode != 0:
        raise UnreadableCalendarError("The calendar is damaged, or too large to read.")
    result = json.loads(process.stdout)
    if "problem" in result:
        raise UnreadableCalendarError(result["problem"])
    return [
        BusyEvent(
            row["uid"], dt.date.fromisoformat(row["starts_on"]), dt.date.fromisoformat(row["ends_on"]), row["summary"]
        )
        for row in result["busy"]
    ]
