"""Quiet hours: a stretch of every day, by a person's own clock, in which only what is urgent reaches them."""

import datetime as dt
from zoneinfo import ZoneInfo

DAY = dt.timedelta(days=1)


def end_of_quiet(at: dt.datetime, *, zone: str, start: dt.time, end: dt.time) -> dt.datetime | None:
    """Return the instant at which the quiet hours around an instant end, None where it is not quiet.

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
    day = local.date() + DAY if passes_midnight and clock >= start else local.date()
    until = dt.datetime.combine(day, end, tzinfo=place).astimezone(dt.UTC)
    # In the hour that occurs twice, the end may have been once already: it is the second that counts.
    return until if until > at else until.astimezone(place).replace(fold=1).astimezone(dt.UTC)
