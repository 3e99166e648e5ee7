"""The result of a check, and the context in which it is evaluated."""

import datetime as dt
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


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


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """The result of a check: its status, the reason in one sentence, the evaluated value and the expected range."""

    outcome: ResultStatus
    message: str
    value: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """Values by bucket, oldest first. A bucket is the first instant of an hour, or a date at 00:00 UTC.

    `excused` are the buckets whose value was acknowledged as expected.
    """

    buckets: Sequence[dt.datetime] = ()
    values: Sequence[float] = ()
    excused: frozenset[dt.datetime] = frozenset()

    def __len__(self) -> int:
        return len(self.buckets)

    def at(self, bucket: dt.datetime) -> float | None:
        """Return the value of a bucket, or None if it is missing. A gap is not zero."""
        place = bisect_left(self.buckets, bucket)
        return self.values[place] if place < len(self.buckets) and self.buckets[place] == bucket else None

    def before(self, bucket: dt.datetime) -> list[tuple[dt.datetime, float]]:
        """Return the buckets before `bucket` with their values, oldest first."""
        place = bisect_left(self.buckets, bucket)
        return list(zip(self.buckets[:place], self.values[:place], strict=True))


@dataclass(frozen=True, slots=True)
class EvaluationContext:
    """All data that a check may use. None of it is later than `at`.

    `bucket` is the evaluated bucket and `step` the length of a bucket. `unexpected` are the dates on which no data is
    expected. `known` maps dates with a known event to its description; they are evaluated but left out of baselines.
    `runs` are the times of successful runs. `rows` is the result of the check's own query.
    """

    at: dt.datetime
    bucket: dt.datetime
    zone: dt.tzinfo = dt.UTC
    step: dt.timedelta = dt.timedelta(days=1)
    series: Series = field(default_factory=Series)
    other: Series = field(default_factory=Series)
    parts: Mapping[str, Series] = field(default_factory=dict)
    unexpected: frozenset[dt.date] = frozenset()
    known: Mapping[dt.date, str] = field(default_factory=dict)
    holidays: Mapping[dt.date, str] = field(default_factory=dict)
    runs: Sequence[dt.datetime] = ()
    rows: Sequence[Sequence[object]] = ()
    kind: str = "count"
    newest_seen_at: dt.datetime | None = None

    @property
    def daily(self) -> bool:
        """Return True if buckets are dates."""
        return self.step >= dt.timedelta(days=1)

    def date_of(self, bucket: dt.datetime) -> dt.date:
        """Return the business-local date of a bucket."""
        return bucket.date() if self.daily else bucket.astimezone(self.zone).date()

    def is_ordinary(self, bucket: dt.datetime) -> bool:
        """Return True if a bucket may be part of a baseline: expected, without a known event, and not acknowledged."""
        day = self.date_of(bucket)
        return day not in self.unexpected and day not in self.known and bucket not in self.series.excused

    def comparable(self, bucket: dt.datetime) -> bool:
        """Return True if a bucket has the same hour as the evaluated one. Daily buckets are always comparable."""
        return self.daily or bucket.hour == self.bucket.hour

    @property
    def known_days(self) -> frozenset[dt.date]:
        """The dates with a known event, or whose bucket at the evaluated hour was acknowledged as expected."""
        excused = {self.date_of(bucket) for bucket in self.series.excused if self.comparable(bucket)}
        return frozenset(self.known) | excused

    def ends_at(self, bucket: dt.datetime) -> dt.datetime:
        """Return the instant at which a bucket ends; for a date, midnight in its zone."""
        if not self.daily:
            return bucket + self.step
        following = (bucket + self.step).date()
        return dt.datetime.combine(following, dt.time(), self.zone).astimezone(dt.UTC)

    def baseline(self, *, same_weekday: bool = False, most: int = 0) -> list[float]:
        """Return the values before the evaluated bucket, oldest first, without those that are not ordinary."""
        found = [
            value
            for bucket, value in self.series.before(self.bucket)
            if self.is_ordinary(bucket)
            and (not same_weekday or self.date_of(bucket).weekday() == self.date_of(self.bucket).weekday())
            and self.comparable(bucket)
        ]
        return found[-most:] if most else found


def number(value: float) -> str:
    """Return a number for display: "12,300", "0.042"."""
    if value == int(value) and abs(value) < 1e15:  # a whole number, shown without decimals
        return f"{int(value):,}"
    # Four significant digits are enough below a thousand.
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.1f}"


def outside(
    value: float,
    *,
    warn: tuple[float | None, float | None],
    fail: tuple[float | None, float | None],
    what: str,
) -> CheckOutcome:
    """Return the outcome for a value by its warn and fail bounds, each a minimum and a maximum."""
    low = fail[0] if warn[0] is None else warn[0]
    high = fail[1] if warn[1] is None else warn[1]
    for outcome, (least, most) in ((ResultStatus.FAIL, fail), (ResultStatus.WARN, warn)):
        if least is not None and value < least:
            return CheckOutcome(outcome, f"{what} {number(value)} is below {number(least)}.", value, low, high)
        if most is not None and value > most:
            return CheckOutcome(outcome, f"{what} {number(value)} is above {number(most)}.", value, low, high)
    return CheckOutcome(ResultStatus.PASS, f"{what} {number(value)} is as expected.", value, low, high)


def format_length(length: dt.timedelta) -> str:
    """Return a duration in words: "3 h 20 min", "2 days"."""
    minutes = round(length.total_seconds() / 60)
    if minutes < 120:  # two hours
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    if hours < 48:  # two days
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{hours // 24} days {hours % 24} h" if hours % 24 else f"{hours // 24} days"
