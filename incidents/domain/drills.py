"""When a rotation's weekly drill is due."""

import datetime as dt
from dataclasses import dataclass

from scheduling.domain.wall_time import to_utc
from scheduling.domain.weeks import week_start

WEEK = dt.timedelta(weeks=1)


@dataclass(frozen=True, slots=True)
class WeeklySchedule:
    """A weekday (0 is Monday) and a wall-clock time in an IANA zone."""

    weekday: int
    time: dt.time
    zone: str


@dataclass(frozen=True, slots=True)
class DueDrill:
    """When a drill is due, and the Monday of its week, of which it is the only weekly drill."""

    at: dt.datetime
    week: dt.date


def newest_due(schedule: WeeklySchedule, *, local_date: dt.date, at: dt.datetime) -> DueDrill:
    """Return the most recent drill due by `at`; `local_date` is the date of `at` in the schedule's zone."""
    day = week_start(local_date, weekday=schedule.weekday)
    due_at = to_utc(day, schedule.time, zone=schedule.zone)
    if due_at > at:
        day -= WEEK
        due_at = to_utc(day, schedule.time, zone=schedule.zone)
    return DueDrill(due_at, week_start(day, weekday=0))
