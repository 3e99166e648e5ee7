"""The result of a check, the context in which it is evaluated, and when failures start an alert."""

import datetime as dt
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from validation.domain.buckets import DAY, bucket_end


class ResultStatus(StrEnum):
    """The statuses of a check result (docs/validation.md)."""

    PASS = "pass"  # noqa: S105  # nosec B105  # a status, not a secret
    WARN = "warn"
    FAIL = "fail"
    ERROR = "error"
    SKIP = "skip"
    UNKNOWN = "unknown"


# From most urgent to least urgent.
WORST_FIRST = (
    ResultStatus.FAIL,
    ResultStatus.ERROR,
    ResultStatus.WARN,
    ResultStatus.UNKNOWN,
    ResultStatus.SKIP,
    ResultStatus.PASS,
)
# Results that need attention.
PROBLEM_STATUSES = (ResultStatus.FAIL, ResultStatus.WARN)
# An error, a gap or too little history says nothing about the data (docs/validation.md).
COUNTED_STATUSES = (ResultStatus.PASS, ResultStatus.WARN, ResultStatus.FAIL)
# Results that end a failure of an external check.
RECOVERED_STATUSES = (ResultStatus.PASS, ResultStatus.WARN)
DAYS_PER_YEAR = 365.25


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """The result of a check: its status, the reason in one sentence, the evaluated value and the expected range.

    `details` contains values from a data source, for people who may see that source. `states` are for the
    next evaluation of the same series.
    """

    status: ResultStatus
    message: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    details: str = ""
    states: Sequence["SeriesState"] = ()


@dataclass(frozen=True, slots=True)
class SeriesState:
    """What a check type has learned from a series, from the bucket `since` up to and including `through`.

    `hour` is the hour in UTC of its buckets. `digest` is the sum of the digests of the points, so that a changed or late
    one is noticed; `settings` identifies parameters, calendar and code. States with `is_weekly` are stored for longer.
    """

    segment: str
    hour: int
    since: dt.datetime
    through: dt.datetime
    digest: int
    settings: str
    data: bytes
    is_weekly: bool = False


@dataclass(frozen=True, slots=True)
class Series:
    """Values by bucket, oldest first.

    A bucket is the first instant of an hour, or a date at 00:00 UTC.

    `acknowledged` are the buckets whose value was acknowledged as expected. `digests` has a number per point that
    changes when the point does. With a `state`, only points after it are present.
    """

    buckets: Sequence[dt.datetime] = ()
    values: Sequence[float] = ()
    acknowledged: frozenset[dt.datetime] = frozenset()
    digests: Sequence[int] = ()
    segment: str = ""
    state: SeriesState | None = None

    def __len__(self) -> int:
        return len(self.buckets)

    def at(self, bucket: dt.datetime) -> float | None:
        """Return the value of a bucket, or None if it is missing. A gap is not zero."""
        index = bisect_left(self.buckets, bucket)
        return self.values[index] if index < len(self.buckets) and self.buckets[index] == bucket else None

    def before(self, bucket: dt.datetime) -> list[tuple[dt.datetime, float]]:
        """Return the buckets before `bucket` with their values, oldest first."""
        index = bisect_left(self.buckets, bucket)
        return list(zip(self.buckets[:index], self.values[:index], strict=True))


@dataclass(frozen=True, slots=True)
class EvaluationContext:
    """All data that a check may use. None of it is later than `at`.

    `bucket` is the evaluated bucket and `step` the length of a bucket. `series` has the values of the metric,
    `other_series` those of the other metric, and `segments` those of each segment. `off_days` are the dates on which no
    data is expected. `known_events` maps dates to the event that makes them unusual: they are evaluated but left out of
    baselines. `runs` and `failed_runs` are the times at which runs of the pipeline ended. `rows` is the result of the check's own query.
    """

    at: dt.datetime
    bucket: dt.datetime
    zone: dt.tzinfo = dt.UTC
    step: dt.timedelta = DAY
    series: Series = field(default_factory=Series)
    other_series: Series = field(default_factory=Series)
    segments: Mapping[str, Series] = field(default_factory=dict)
    off_days: frozenset[dt.date] = frozenset()
    known_events: Mapping[dt.date, str] = field(default_factory=dict)
    holidays: Mapping[dt.date, str] = field(default_factory=dict)
    runs: Sequence[dt.datetime] = ()
    failed_runs: Sequence[dt.datetime] = ()
    rows: Sequence[Sequence[object]] = ()
    kind: str = "count"

    @property
    def is_daily(self) -> bool:
        """Return True if buckets are dates."""
        return self.step >= DAY

    def local_date(self, bucket: dt.datetime) -> dt.date:
        """Return the business-local date of a bucket."""
        return bucket.date() if self.is_daily else bucket.astimezone(self.zone).date()

    def bucket_end(self, bucket: dt.datetime) -> dt.datetime:
        """Return the instant at which a bucket ends; for a date, midnight in its zone."""
        return bucket_end(bucket, step=self.step, zone=self.zone)

    def is_ordinary(self, bucket: dt.datetime) -> bool:
        """Return True if a bucket may be part of a baseline: expected, without a known event, and not acknowledged."""
        day = self.local_date(bucket)
        return day not in self.off_days and day not in self.known_events and bucket not in self.series.acknowledged

    def is_comparable(self, bucket: dt.datetime) -> bool:
        """Return True if a bucket has the same hour as the evaluated one. Daily buckets are always comparable."""
        return self.is_daily or bucket.hour == self.bucket.hour

    @property
    def unusual_days(self) -> frozenset[dt.date]:
        """The dates with a known event, or whose bucket at the evaluated hour was acknowledged as expected."""
        acknowledged = {self.local_date(bucket) for bucket in self.series.acknowledged if self.is_comparable(bucket)}
        return frozenset(self.known_events) | acknowledged

    def baseline(self, *, same_weekday: bool = False, newest: int = 0) -> list[float]:
        """Return the ordinary values before the evaluated bucket, oldest first; `newest` limits their number."""
        weekday = self.local_date(self.bucket).weekday()
        values = [
            value
            for bucket, value in self.series.before(self.bucket)
            if self.is_ordinary(bucket)
            and (not same_weekday or self.local_date(bucket).weekday() == weekday)
            and self.is_comparable(bucket)
        ]
        return values[-newest:] if newest else values


@dataclass(frozen=True, slots=True)
class Confirmation:
    """How many of the newest results must fail before an alert starts."""

    failing: int = 1
    of: int = 1


def is_confirmed(statuses: Sequence[str], *, confirmation: Confirmation) -> bool:
    """Return True if the failure is confirmed: the newest result fails, and so do N of the last M. Newest first."""
    counted = [status for status in statuses if status in COUNTED_STATUSES][: confirmation.of]
    return (
        bool(counted) and counted[0] == ResultStatus.FAIL and counted.count(ResultStatus.FAIL) >= confirmation.failing
    )


def alert_starts(statuses: Sequence[str], *, confirmation: Confirmation) -> list[int]:
    """Return the indexes, oldest first, at which an alert would have started. An alert lasts until a pass."""
    starts, is_alerting = [], False
    for index, status in enumerate(statuses):
        if status == ResultStatus.PASS:
            is_alerting = False
        elif (
            not is_alerting
            and status == ResultStatus.FAIL
            and is_confirmed(list(reversed(statuses[: index + 1])), confirmation=confirmation)
        ):
            starts.append(index)
            is_alerting = True
    return starts


def yearly_rate(count: int, *, days: float) -> float:
    """Return the yearly rate of `count` events in `days` days."""
    return count * DAYS_PER_YEAR / days if days > 0 else 0.0
