"""Quiet hours: daily hours in the user's time zone, with urgent notifications only."""

import datetime as dt
from zoneinfo import ZoneInfo

ONE_DAY = dt.timedelta(days=1)
SATURDAY, DAYS_OF_WEEK = 5, 7


def quiet_hours_end(
    at: dt.datetime, *, zone: str, start: dt.time, end: dt.time, weekends: bool = False
) -> dt.datetime | None:
    """Return when the quiet time around `at` ends, or None outside of it: the daily hours, and all weekend if `weekends`."""
    place, instant = ZoneInfo(zone), at
    while True:
        day = instant.astimezone(place).date()
        if weekends and day.weekday() >= SATURDAY:
            monday = day + ONE_DAY * (DAYS_OF_WEEK - day.weekday())
            instant = dt.datetime.combine(monday, dt.time(), tzinfo=place).astimezone(dt.UTC)
        elif (until := _next_hours_end(instant, zone=zone, start=start, end=end)) is not None:
            instant = until
        else:
            return None if instant == at else instant


def _next_hours_end(at: dt.datetime, *, zone: str, start: dt.time, end: dt.time) -> dt.datetime | None:
    """Return when the daily hours around `at` end, or None outside of them.

    `start` may be later than `end`: the hours then pass midnight. An end that the clock skips in spring is the hour it is
    put forward to.
    """
    place = ZoneInfo(zone)
    local = at.astimezone(place)
    clock = local.time().replace(fold=0)
    passes_midnight = start > end
    after_start, before_end = clock >= start, clock < end
    if not ((after_start or before_end) if passes_midnight else (after_start and before_end)):
        return None
    day = local.date() + ONE_DAY if passes_midnight and clock >= start else local.date()
    until = dt.datetime.combine(day, end, tzinfo=place).astimezone(dt.UTC)
    # In the repeated hour of the autumn clock change, the second end counts.
    return until if until > at else until.astimezone(place).replace(fold=1).astimezone(dt.UTC)
