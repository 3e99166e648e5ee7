"""Buckets and schedules: the bucket of an instant, the bucket to evaluate, and the next due time of a check."""

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
# A schedule that missed more runs than this was paused; it continues from now.
MOST_TURNS = 10_000


def bucket_of(written: object, *, step: dt.timedelta, zone: ZoneInfo) -> dt.datetime:
    """Return the bucket of a date or an instant; raise ValueError with a message for users if it is invalid.

    For daily metrics, an instant means its date in the zone; for hourly metrics, the hour that contains it, in UTC.
    A daily bucket is its date at 00:00 UTC. An instant without a zone is in the metric's zone.
    """
    if not isinstance(written, str):
        raise ValueError(WRITTEN)  # noqa: TRY004  # callers catch one exception type
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
    """Return the newest bucket that had ended at least `settle` before `at`."""
    settled = at - settle
    if step >= DAY:
        day = settled.astimezone(zone).date() - DAY
        return dt.datetime.combine(day, dt.time(), dt.UTC)
    return settled.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0) - HOUR


def cron_problem(line: str) -> str:
    """Return the error in a cron expression, or an empty string if it is valid."""
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
    """Return the next scheduled run after an instant, in UTC.

    An interval counts from `was_due`, so a late run does not shift the runs after it. A cron expression is in the
    given zone.
    """
    if interval is None:
        return next(CronSim(cron, after.astimezone(zone))).astimezone(dt.UTC)
    if was_due is None or after < was_due or after - was_due > MOST_TURNS * interval:
        return after + interval
    return was_due + ((after - was_due) // interval + 1) * interval
