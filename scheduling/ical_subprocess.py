"""Has a stranger's calendar read in a process that is killed when it takes too long (reliability.md, promise 22)."""

import datetime as dt
import json
import subprocess  # nosec B404  # our own modules only, never a shell
import sys

from django.conf import settings

from scheduling.domain.ical_busy import BusyEvent, UnreadableCalendarError

SECONDS = 5.0


def busy_days_within(text: bytes, *, first: dt.date, last: dt.date, seconds: float = SECONDS) -> list[BusyEvent]:
    """Return the busy days of a calendar as `engine.linked.busy_days` does; raise Unreadable also after the time limit."""
    command = [sys.executable, "-m", "scheduling.ical_worker"]
    given = f"{first} {last}\n".encode() + text
    try:
        done = subprocess.run(  # noqa: S603  # nosec B603  # our own module
            command, input=given, capture_output=True, timeout=seconds, cwd=settings.BASE_DIR, env={}, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise UnreadableCalendarError(f"Reading the calendar takes longer than {seconds:.0f} seconds.") from error
    if done.returncode != 0:
        raise UnreadableCalendarError("The calendar cannot be read: it takes too much memory or is damaged.")
    answer = json.loads(done.stdout)
    if "problem" in answer:
        raise UnreadableCalendarError(answer["problem"])
    return [
        BusyEvent(
            one["uid"], dt.date.fromisoformat(one["starts_on"]), dt.date.fromisoformat(one["ends_on"]), one["summary"]
        )
        for one in answer["busy"]
    ]
