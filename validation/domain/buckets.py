"""Buckets and schedules: the bucket of an instant, the bucket to evaluate, and the next due time of a check."""

import datetime as dt
import re
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
EARLIEST_DATE, END_DATE = dt.date(1990, 1, 1), dt.date(2100, 1, 1)
DATE_PATTERN = re.compile(r"\A\d{4}-\d\d-\d\d\Z")
INVALID_TIME = (
    "Give a date, such as 2026-11-23, or an instant with its zone, such as 2026-11-23T10:00:00Z, between 1990 and 2100."
)
# How long a day or an hour may take to arrive if no delay is set.
DAY_GRACE, HOUR_GRACE = dt.timedelta(hours=6), dt.timedelta(minutes=15)
# A schedule that missed more runs than this was paused; it continues from now.
MAX_MISSED_RUNS = 10_000


def parse_bucket(written: object, *, step: dt.timedelta, zone: ZoneInfo) -> dt.datetime:
    """Return the bucket of a date or an instant; raise ValueError with a message for users if it is invalid.

    For daily metrics, an instant means its date in the zone; for hourly metrics, the hour that contains it, in UTC.
    A daily bucket is its date at 00:00 UTC. An instant without a zone is in the metric's zone.
    """
    if not isinstance(written, str):
        raise ValueError(INVALID_TIME)  # noqa: TRY004  # callers catch one exception type
    text = written.strip()
    try:
        instant = dt.datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(INVALID_TIME) from error
    if not EARLIEST_DATE <= instant.date() < END_DATE:
        raise ValueError(INVALID_TIME)
    if DATE_PATTERN.match(text):
        if step < DAY:
            raise ValueError("Give the hour as an instant, such as 2026-11-23T10:00:00Z.")
        return date_bucket(instant.date())
    if instant.tzinfo is None:
        instant = instant.replace(tzinfo=zone)
    return date_bucket(instant.astimezone(zone).date()) if step >= DAY else _hour_start(instant)


def date_bucket(day: dt.date) -> dt.datetime:
    """Return the bucket of a date."""
    return dt.datetime.combine(day, dt.time(), dt.UTC)


def bucket_time(bucket: dt.datetime, *, step: dt.timedelta) -> dt.date | dt.datetime:
    """Return a bucket as pages and the API show it: a business date, never shifted to a viewer's zone, or an instant."""
    return bucket.astimezone(dt.UTC).date() if step >= DAY else bucket


def format_bucket(bucket: dt.datetime, *, step: dt.timedelta) -> str:
    """Return a bucket for a title: its business date, "28 Nov", or the start of its hour, "28 Nov 09:00 UTC"."""
    at = bucket.astimezone(dt.UTC)
    return f"{at.day} {at:%b}" if step >= DAY else f"{at.day} {at:%b %H:%M} UTC"


def bucket_end(bucket: dt.datetime, *, step: dt.timedelta, zone: dt.tzinfo) -> dt.datetime:
    """Return the instant at which a bucket ends; for a date, midnight in its zone."""
    if step < DAY:
        return bucket + step
    return dt.datetime.combine((bucket + DAY).date(), dt.time(), zone).astimezone(dt.UTC)


def newest_due_bucket(at: dt.datetime, *, step: dt.timedelta, zone: dt.tzinfo, delay: dt.timedelta) -> dt.datetime:
    """Return the newest bucket that had ended at least `delay` before `at`."""
    due = at - delay
    return date_bucket(due.astimezone(zone).date() - DAY) if step >= DAY else _hour_start(due) - HOUR


def _hour_start(instant: dt.datetime) -> dt.datetime:
    return instant.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)


def cron_problem(expression: str) -> str:
    """Return the error in a cron expression, or an empty string if it is valid."""
    if len(expression.split()) != 5:  # minute, hour, day, month, weekday
        return "A cron expression has five fields: minute, hour, day, month, weekday."
    try:
        next(CronSim(expression, dt.datetime(2026, 1, 1, tzinfo=dt.UTC)))
    except CronSimError as error:
        return f"Invalid cron expression: {error}."
    except StopIteration:
        return "This schedule never runs."
    return ""


def next_run(
    after: dt.datetime, *, interval: dt.timedelta | None, cron: str, zone: ZoneInfo, was_due: dt.datetime | None
) -> dt.datetime:
    """Return the next scheduled run after an instant, in UTC.

    An interval counts from `was_due`, so a late run does not shift the runs after it. A cron expression is in the
    given zone.
    """
    if interval is None:
        return next(CronSim(cron, after.astimezone(zone))).astimezone(dt.UTC)
    if was_due is None or after < was_due or after - was_due > MAX_MISSED_RUNS * interval:
        return after + interval
    return was_due + ((after - was_due) // interval + 1) * interval
