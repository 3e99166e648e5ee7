"""Store pushed and pulled data points, up to 10,000 at once, with a revision of each earlier value."""

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Q

from common.exceptions import DomainError, InvalidInputError
from validation.check_types import CHECK_TYPES
from validation.domain.buckets import parse_bucket
from validation.models import Check, CheckResult, Metric, PendingReevaluation

MAX_POINTS_PER_PUSH = 10_000
MAX_SEGMENT_LENGTH = 120
MAX_PROBLEMS_LISTED = 20
# Only this many of the newest buckets are evaluated again when data arrives late.
MAX_REEVALUATIONS = 60
MAX_AHEAD = dt.timedelta(days=2)

# A changed value is first saved as a revision; an unchanged one is not written. Each given row must have a different
# bucket and segment. Clocks of workers differ, and a value never ends before it was observed, so that each instant has one.
UPSERT_SQL = """
WITH given AS (
  SELECT * FROM unnest(%(segments)s::text[], %(buckets)s::timestamptz[], %(values)s::float8[]) AS g(segment, bucket, value)
), old AS (
  SELECT p.id, p.value, p.observed_at FROM validation_metricpoint p JOIN given g ON g.segment = p.segment AND g.bucket = p.bucket
  WHERE p.metric_id = %(metric)s AND p.value <> g.value
), revised AS (
  INSERT INTO validation_metricpointrevision (point_id, value, observed_at, replaced_at)
  SELECT id, value, observed_at, greatest(%(at)s, observed_at) FROM old
), put AS (
  INSERT INTO validation_metricpoint AS p (metric_id, segment, bucket, value, observed_at, is_expected)
  SELECT %(metric)s, segment, bucket, value, %(at)s, false FROM given
  ON CONFLICT (metric_id, segment, bucket) DO UPDATE
    SET value = excluded.value, observed_at = greatest(excluded.observed_at, p.observed_at), is_expected = false
    WHERE p.value <> excluded.value
  RETURNING (xmax = 0) AS created, bucket
)
SELECT created, bucket FROM put
"""


@dataclass(frozen=True, slots=True)
class NewPoint:
    """A value of a bucket and segment, as it is stored."""

    bucket: dt.datetime
    value: float
    segment: str = ""


@dataclass(frozen=True, slots=True)
class PushResult:
    """How many points were new, changed or unchanged."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0

    def __add__(self, other: "PushResult") -> "PushResult":
        return PushResult(self.created + other.created, self.changed + other.changed, self.unchanged + other.unchanged)


def read_points(metric: Metric, *, rows: Sequence[object], at: dt.datetime) -> list[NewPoint]:
    """Return pushed points, `{"at", "value", "segment"?}` each; raise InvalidInputError for `points`, row by row.

    Raise DomainError if the metric is pulled: what its SQL returns is for admins to change.
    """
    if metric.source_id is not None:
        raise DomainError("This metric is pulled with SQL. You can push points only to a metric without a data source.")
    if len(rows) > MAX_POINTS_PER_PUSH:
        raise InvalidInputError(
            {"points": [f"At most {MAX_POINTS_PER_PUSH:,} points per request; received {len(rows):,}."]}
        )
    points, problems = [], []
    for index, row in enumerate(rows):
        try:
            points.append(_read_row(metric, row, at=at))
        except ValueError as error:
            problems.append(f"Point {index}: {error}")
            if len(problems) >= MAX_PROBLEMS_LISTED:
                break
    if problems:
        raise InvalidInputError({"points": problems})
    return points


def _read_row(metric: Metric, row: object, *, at: dt.datetime) -> NewPoint:
    if not isinstance(row, dict):
        raise ValueError("Send an object with “at”, “value” and optionally “segment”.")  # noqa: TRY004  # callers catch only ValueError
    unknown = set(row) - {"at", "value", "segment"}
    if unknown:
        raise ValueError(f"Unknown field “{min(str(name) for name in unknown)[:40]}”.")
    return new_point(metric, time=row.get("at"), value=row.get("value"), segment=row.get("segment", ""), at=at)


def new_point(metric: Metric, *, time: object, value: object, segment: object, at: dt.datetime) -> NewPoint:
    """Return a point of a metric; raise ValueError with a message for users if it is invalid."""
    bucket = parse_bucket(time, step=metric.step, zone=metric.zone)
    if bucket > at + MAX_AHEAD:
        raise ValueError("“at” is in the future.")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("“value” is not a number.")  # noqa: TRY004  # callers catch only ValueError
    try:
        number = float(value)
    except OverflowError as error:
        raise ValueError("“value” is too large.") from error
    if not math.isfinite(number):
        raise ValueError("“value” is not finite.")
    if segment is None:
        segment = ""
    if not isinstance(segment, str) or "\0" in segment or len(segment) > MAX_SEGMENT_LENGTH:
        raise ValueError(f"“segment” must be text of at most {MAX_SEGMENT_LENGTH} characters.")
    try:
        segment.encode()
    except UnicodeEncodeError as error:
        raise ValueError("“segment” is not valid text.") from error
    return NewPoint(bucket, number, segment.strip())


@transaction.atomic
def push_points(metric: Metric, *, points: Iterable[NewPoint], at: dt.datetime) -> PushResult:
    """Store points, and a revision of each value that changes; the same points twice change nothing.

    If a bucket and segment occurs twice, the last value counts. Checks that evaluated a bucket which is new or changed
    evaluate it again.
    """
    values = {(point.segment, point.bucket): point.value for point in points}
    if not values:
        return PushResult()
    # Lock the metric, so that concurrent pushes cannot lose a revision.
    Metric.objects.select_for_update(no_key=True).get(pk=metric.pk)
    keys = sorted(values)
    with connection.cursor() as cursor:
        cursor.execute(
            UPSERT_SQL,
            {
                "segments": [segment for segment, _ in keys],
                "buckets": [bucket for _, bucket in keys],
                "values": [values[key] for key in keys],
                "metric": metric.pk,
                "at": at,
            },
        )
        written = cursor.fetchall()
    created = sum(1 for is_new, _ in written if is_new)
    schedule_reevaluation(metric, buckets={bucket for _, bucket in written}, at=at)
    return PushResult(created, len(written) - created, len(values) - len(written))


def schedule_reevaluation(metric: Metric, *, buckets: set[dt.datetime], at: dt.datetime) -> int:
    """Schedule the checks of a metric to evaluate again those of the buckets that they have evaluated.

    Returns how many evaluations are due.
    """
    newest = sorted(buckets)[-MAX_REEVALUATIONS:]
    if not newest:
        return 0
    per_bucket = [name for name, check_type in CHECK_TYPES.items() if check_type.is_per_bucket]
    checks = Check.objects.filter(Q(metric=metric) | Q(other_metric=metric), is_active=True, check_type__in=per_bucket)
    results = CheckResult.objects.filter(parent_check__in=checks, bucket__in=newest).order_by()
    pairs = list(results.values_list("parent_check", "bucket").distinct())
    PendingReevaluation.objects.bulk_create(
        [PendingReevaluation(parent_check_id=check, bucket=bucket) for check, bucket in pairs if bucket is not None],
        ignore_conflicts=True,
    )
    Check.objects.filter(pk__in={check for check, _ in pairs}, next_due_at__gt=at).update(next_due_at=at)
    return len(pairs)
