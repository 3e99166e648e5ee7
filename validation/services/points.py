"""Store pushed and pulled data points, up to 10,000 at once, with a revision of each earlier value."""

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Q

from common.exceptions import InvalidInputError
from validation.domain.buckets import bucket_of
from validation.models import Check, CheckResult, CheckType, Metric, PendingReevaluation

MOST_AT_ONCE = 10_000
LONGEST_SEGMENT = 120
MOST_PROBLEMS = 20
# Only this many of the newest buckets are evaluated again when data arrives late.
MOST_REJUDGED = 60
AHEAD = dt.timedelta(days=2)
NOT_OF_A_BUCKET = (
    CheckType.FRESHNESS,
    CheckType.COMPLETENESS,
    CheckType.RUN_DEADLINE,
    CheckType.SCHEMA,
    CheckType.CUSTOM_SQL,
)

# A changed value is first saved as a revision; an unchanged one is not written. Each given row must have a different
# bucket and segment.
# bucket and segment.
UPSERT = """
WITH given AS (
  SELECT * FROM unnest(%(segments)s::text[], %(buckets)s::timestamptz[], %(values)s::float8[]) AS g(segment, bucket, value)
), old AS (
  SELECT p.id, p.value, p.observed_at FROM validation_metricpoint p JOIN given g ON g.segment = p.segment AND g.bucket = p.bucket
  WHERE p.metric_id = %(metric)s AND p.value <> g.value
), kept AS (
  INSERT INTO validation_metricpointrevision (point_id, value, observed_at, replaced_at)
  SELECT id, value, observed_at, %(at)s FROM old
), put AS (
  INSERT INTO validation_metricpoint AS p (metric_id, segment, bucket, value, observed_at, is_expected)
  SELECT %(metric)s, segment, bucket, value, %(at)s, false FROM given
  ON CONFLICT (metric_id, segment, bucket) DO UPDATE
    SET value = excluded.value, observed_at = excluded.observed_at, is_expected = false WHERE p.value <> excluded.value
  RETURNING (xmax = 0) AS created, bucket
)
SELECT created, bucket FROM put
"""


@dataclass(frozen=True, slots=True)
class NewPoint:
    """A value of a bucket and segment, as it is kept."""

    bucket: dt.datetime
    value: float
    segment: str = ""


@dataclass(frozen=True, slots=True)
class PushResult:
    """What points brought: how many were new, differed from what was there, or said the same again."""

    created: int = 0
    changed: int = 0
    unchanged: int = 0

    def __add__(self, other: "PushResult") -> "PushResult":
        return PushResult(self.created + other.created, self.changed + other.changed, self.unchanged + other.unchanged)


def read_points(metric: Metric, *, rows: Sequence[object], at: dt.datetime) -> list[NewPoint]:
    """Return points as somebody sent them, `{"at", "value", "segment"?}` each; raise Invalid for `points`, row by row."""
    if len(rows) > MOST_AT_ONCE:
        raise InvalidInputError({"points": [f"At most {MOST_AT_ONCE:,} points at once; these are {len(rows):,}."]})
    found, problems = [], []
    for place, row in enumerate(rows):
        try:
            found.append(_read(metric, row, at=at))
        except ValueError as error:
            problems.append(f"Point {place}: {error}")
            if len(problems) >= MOST_PROBLEMS:
                break
    if problems:
        raise InvalidInputError({"points": problems})
    return found


def _read(metric: Metric, row: object, *, at: dt.datetime) -> NewPoint:
    if not isinstance(row, dict):
        raise ValueError("Give an object with “at”, “value” and perhaps “segment”.")  # noqa: TRY004  # callers catch only ValueError
    unknown = set(row) - {"at", "value", "segment"}
    if unknown:
        raise ValueError(f"There is no “{min(str(name) for name in unknown)[:40]}” in a point.")
    return point_of(metric, written=row.get("at"), value=row.get("value"), segment=row.get("segment", ""), at=at)


def point_of(metric: Metric, *, written: object, value: object, segment: object, at: dt.datetime) -> NewPoint:
    """Return a point of a metric; raise ValueError, whose text says what is wrong with it."""
    bucket = bucket_of(written, step=metric.step, zone=metric.zone)
    if bucket > at + AHEAD:
        raise ValueError("“at” lies in the future.")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("“value” is no number.")  # noqa: TRY004  # callers catch only ValueError
    try:
        number = float(value)
    except OverflowError as error:
        raise ValueError("“value” is too large.") from error
    if not math.isfinite(number):
        raise ValueError("“value” is not finite.")
    if segment is None:
        segment = ""
    if not isinstance(segment, str) or "\0" in segment or len(segment) > LONGEST_SEGMENT:
        raise ValueError(f"“segment” is a text of at most {LONGEST_SEGMENT} letters.")
    try:
        segment.encode()
    except UnicodeEncodeError as error:
        raise ValueError("“segment” is not a text.") from error
    return NewPoint(bucket, number, segment.strip())


@transaction.atomic
def push_points(metric: Metric, *, points: Iterable[NewPoint], at: dt.datetime) -> PushResult:
    """Keep points, and the value each had before; the same sent twice changes nothing.

    Of one bucket and segment given twice, the last counts. Checks that judged a bucket which is new or differs judge it again.
    """
    given = {(point.segment, point.bucket): point.value for point in points}
    if not given:
        return PushResult()
    # Lock the metric, so that concurrent pushes cannot lose a revision.
    Metric.objects.select_for_update(no_key=True).get(pk=metric.pk)
    keys = sorted(given)
    with connection.cursor() as cursor:
        cursor.execute(
            UPSERT,
            {
                "segments": [segment for segment, _ in keys],
                "buckets": [bucket for _, bucket in keys],
                "values": [given[key] for key in keys],
                "metric": metric.pk,
                "at": at,
            },
        )
        put = cursor.fetchall()
    created = sum(1 for new, _ in put if new)
    schedule_reevaluation(metric, buckets={bucket for _, bucket in put}, at=at)
    return PushResult(created, len(put) - created, len(given) - len(put))


def schedule_reevaluation(metric: Metric, *, buckets: set[dt.datetime], at: dt.datetime) -> int:
    """Let the checks of a metric judge again those of the buckets that they have judged; return how many that are."""
    newest = sorted(buckets)[-MOST_REJUDGED:]
    if not newest:
        return 0
    checks = Check.objects.filter(Q(metric=metric) | Q(other_metric=metric), is_active=True)
    judged = CheckResult.objects.filter(
        of__in=checks.exclude(check_type__in=NOT_OF_A_BUCKET), bucket__in=newest
    ).order_by()
    pairs = list(judged.values_list("of", "bucket").distinct())
    PendingReevaluation.objects.bulk_create(
        [PendingReevaluation(of_id=check, bucket=bucket) for check, bucket in pairs if bucket is not None],
        ignore_conflicts=True,
    )
    Check.objects.filter(pk__in={check for check, _ in pairs}, next_due_at__gt=at).update(next_due_at=at)
    return len(pairs)
