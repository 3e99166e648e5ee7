"""Working hours: when low-severity incidents may notify an engineer."""

import datetime as dt

WORK_STARTS, WORK_ENDS = dt.time(9), dt.time(17)
SATURDAY = 5


def next_working_instant(at: dt.datetime, *, zone: dt.tzinfo) -> dt.datetime:
    """Return `at` if it is within working hours in the zone (Monday to Friday, 9:00 to 17:00), or else when they next start."""
    local = at.astimezone(zone)
    if local.weekday() < SATURDAY and WORK_STARTS <= local.time() < WORK_ENDS:
        return at
    day = local.date() + dt.timedelta(days=0 if local.time() < WORK_STARTS else 1)
    while day.weekday() >= SATURDAY:
        day += dt.timedelta(days=1)
    return dt.datetime.combine(day, WORK_STARTS, zone).astimezone(dt.UTC)
