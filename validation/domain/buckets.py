"""Which bucket an instant belongs to, which one is judged, and when a check is due."""

import datetime as dt
import re
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
EARLIEST, LATEST = dt.date(1990, 1, 1), dt.date(2100, 1, 1)
DATE = re.compile(r"\A\d{4}-\d\d-\d\d\Z")
WRITTEN = (
    "Give a date, such as 2026-11-23, or an instant with its zone, such as 2026-11-23T10:00:00Z, between 1990 and 2100."
)
# A timetable that skips more than this many turns was asleep; it goes on from now.
MOST_TURNS = 10_000


def bucket_of(written: object, *, step: dt.timedelta, zone: ZoneInfo) -> dt.datetime:
    """Return the bucket of a date or an instant as somebody wrote it; raise ValueError, whose text says what is wrong.

    Of days, an instant means its date in the zone; of hours, the hour in which it lies, in UTC. A bucket of a day is its date at
    00:00 UTC. An instant without a zone is taken in the metric's.
    """
    if not isinstance(written, str):
        raise ValueError(WRITTEN)  # noqa: TRY004  # callers know one exception
    text = written.strip()
    try:
        instant = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(WRITTEN) from error
    if not EARLIEST <= instant.date() < LATEST:
        raise ValueError(WRITTEN)
    if DATE.match(text):
        return _date_bucket(instant.date(), step=step)
    placed = instant if instant.tzinfo else instant.replace(tzinfo=zone)
    if step >= DAY:
        return dt.datetime.combine(placed.astimezone(zone).date(), dt.time(), dt.UTC)
    return placed.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)


def _date_bucket(day: dt.date, *, step: dt.timedelta) -> dt.datetime:
    if step < DAY:
        raise ValueError("An hour is given as an instant, such as 2026-11-23T10:00:00Z.")
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def newest_settled(at: dt.datetime, *, step: dt.timedelta, zone: dt.tzinfo, settle: dt.timedelta) -> dt.datetime:
    """Return the newest bucket that was over for the time to settle at an instant."""
    settled = at - settle
    if step >= DAY:
        day = settled.astimezone(zone).date() - DAY
        return dt.datetime.combine(day, dt.time(), dt.UTC)
    return settled.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0) - HOUR


def cron_problem(line: str) -> str:
    """Return what is wrong with a cron line, nothing where it is right."""
    if len(line.split()) != 5:  # minute, hour, day, month, weekday
        return "A cron line has five fields: minute, hour, day, month, weekday."
    try:
        next(CronSim(line, dt.datetime(2026, 1, 1, tzinfo=dt.UTC)))
    except CronSimError as error:
        return f"It cannot be read: {error}."
    except StopIteration:
        return "It never comes."
    return ""


def next_turn(
    after: dt.datetime, *, interval: dt.timedelta | None, cron: str, zone: ZoneInfo, was_due: dt.datetime | None
) -> dt.datetime:
    """Return the next turn of a timetable after an instant, in UTC.

    An interval counts on from the turn that `was_due`, so that a late run does not shift those that follow; a cron line is of the zone.
    """
    if interval is None:
        return next(CronSim(cron, after.astimezone(zone))).astimezone(dt.UTC)
    if was_due is None or after < was_due or after - was_due > MOST_TURNS * interval:
        return after + interval
    return was_due + ((after - was_due) // interval + 1) * interval
