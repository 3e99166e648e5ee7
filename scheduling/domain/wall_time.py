"""Conversion of local dates and times to instants, and formatting of dates."""

import datetime as dt
from zoneinfo import ZoneInfo

from common.formatting import format_day

DAY = dt.timedelta(days=1)
MIDNIGHT = dt.time()


def to_utc(day: dt.date, hour: dt.time, *, zone: str) -> dt.datetime:
    """Return the UTC instant of a local time in an IANA zone.

    If a clock change skips the time, return the first instant after the gap; if it repeats the time, return the first.
    """
    naive = dt.datetime.combine(day, hour)
    local_zone = ZoneInfo(zone)
    first = naive.replace(tzinfo=local_zone, fold=0).astimezone(dt.UTC)
    if first.astimezone(local_zone).replace(tzinfo=None) == naive:
        return first
    return _gap_end(naive.replace(tzinfo=local_zone, fold=1).astimezone(dt.UTC), first, local_zone=local_zone)


def _gap_end(before: dt.datetime, after: dt.datetime, *, local_zone: ZoneInfo) -> dt.datetime:
    """Return the instant of the offset change between two instants, to the second."""
    offset = before.astimezone(local_zone).utcoffset()
    low, high = 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        unchanged = (before + dt.timedelta(seconds=middle)).astimezone(local_zone).utcoffset() == offset
        low, high = (middle, high) if unchanged else (low, middle)
    return before + dt.timedelta(seconds=high)


def dates_to_interval(
    first: dt.date, last: dt.date, *, zone: str, start: dt.time | None = None, end: dt.time | None = None
) -> tuple[dt.datetime, dt.datetime]:
    """Return the start and end instants of an inclusive range of dates.

    `start` is a time on the first day and `end` one on the last; without them, the days count in full. Raises ValueError if
    the end is not after the start.
    """
    starts_at = to_utc(first, start or MIDNIGHT, zone=zone)
    ends_at = to_utc(last, end, zone=zone) if end else to_utc(last + DAY, MIDNIGHT, zone=zone)
    if ends_at <= starts_at:
        raise ValueError("The end must be after the start.")
    return starts_at, ends_at


def format_days(first: dt.date, last: dt.date, *, start: dt.time | None = None, end: dt.time | None = None) -> str:
    """Return a range of dates as "21–25 Dec", "30 Dec – 2 Jan", "3 Nov" or "3 Nov 13:00–17:00"."""
    if start or end:
        begin = format_day(first, "short") + (f" {start:%H:%M}" if start else "")
        if first == last:
            return f"{begin}–{end:%H:%M}" if end and start else f"{begin} until {end:%H:%M}" if end else f"{begin} on"
        return f"{begin} – {format_day(last, 'short')}" + (f" {end:%H:%M}" if end else "")
    if first == last:
        return format_day(first, "short")
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{format_day(last, 'short')}"
    return f"{format_day(first, 'short')} – {format_day(last, 'short')}"
