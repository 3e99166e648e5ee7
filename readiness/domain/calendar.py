"""When the data of a pipeline's day is final."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from validation.domain.buckets import DAY, DAY_GRACE, HOUR, HOUR_GRACE, bucket_end, date_bucket

NO_DELAY = dt.timedelta()


@dataclass(frozen=True, slots=True)
class MetricCalendar:
    """The business day of a metric. Without a `delay`, its data is final on arrival, at the latest after a grace period."""

    metric: int
    zone: ZoneInfo
    step: dt.timedelta
    delay: dt.timedelta | None = None

    def day_end(self, day: dt.date) -> dt.datetime:
        """Return the instant at which a business day ends."""
        return bucket_end(date_bucket(day), step=DAY, zone=self.zone)

    def buckets(self, day: dt.date) -> list[dt.datetime]:
        """Return the buckets of a business day: the day itself, or its hours."""
        if self.step >= DAY:
            return [date_bucket(day)]
        start, end = self.day_end(day - DAY), self.day_end(day)
        return [start + number * HOUR for number in range((end - start) // HOUR)]

    def last_day(self, at: dt.datetime) -> dt.date:
        """Return the newest business day that has ended."""
        return at.astimezone(self.zone).date() - DAY

    def settles_at(self, day: dt.date, *, arrived: Collection[tuple[int, dt.datetime]]) -> dt.datetime:
        """Return when a day's data is final; `arrived` are metrics and buckets that have a value."""
        if self.delay is not None:
            return self.day_end(day) + self.delay
        if (self.metric, self.buckets(day)[-1]) in arrived:
            return self.day_end(day)
        return self.day_end(day) + (DAY_GRACE if self.step >= DAY else HOUR_GRACE)


@dataclass(frozen=True, slots=True)
class DayWindow:
    """A pipeline's day on the clock: when it ends, when its data is final, and when the next day is due.

    It is current if no later day is due. Later events, after the next day is due, are not about this day.
    """

    day: dt.date
    ends_at: dt.datetime
    settles_at: dt.datetime
    next_due_at: dt.datetime
    is_current: bool
    is_settled: bool


@dataclass(frozen=True, slots=True)
class PipelineCalendar:
    """The business days of a pipeline: a day is due when the data of all its metrics is final."""

    metrics: Sequence[MetricCalendar]
    arrived: Collection[tuple[int, dt.datetime]] = ()

    def settles_at(self, day: dt.date) -> dt.datetime:
        """Return when a day is due."""
        return max(metric.settles_at(day, arrived=self.arrived) for metric in self.metrics)

    def ends_at(self, day: dt.date) -> dt.datetime:
        """Return when a day ends in the first of the metrics' time zones."""
        return min(metric.day_end(day) for metric in self.metrics)

    def newest_due_day(self, at: dt.datetime) -> dt.date:
        """Return the newest day that is due."""
        day = max(metric.last_day(at) for metric in self.metrics)
        while self.settles_at(day) > at:
            day -= DAY
        return day

    def window(self, *, at: dt.datetime, day: dt.date | None = None) -> DayWindow:
        """Return the window of a day, by default of the newest day that is due."""
        newest = self.newest_due_day(at)
        chosen = day or newest
        settles_at = self.settles_at(chosen)
        return DayWindow(
            day=chosen,
            ends_at=self.ends_at(chosen),
            settles_at=settles_at,
            next_due_at=self.settles_at(chosen + DAY),
            is_current=chosen >= newest,
            is_settled=settles_at <= at,
        )
