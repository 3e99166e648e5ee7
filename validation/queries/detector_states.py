"""Stored states of checks that are still valid: neither the points up to them nor the settings have changed."""

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

from django.db import connection
from django.db.models import BigIntegerField, Func

from validation.domain.buckets import DAY
from validation.domain.results import SeriesState
from validation.models import Check, DetectorState

# Digest of a point. A changed, new or missing point changes the sum of the digests.
DIGEST_SQL = "hash_record_extended((p.bucket, p.value, p.is_expected), 0)"

# The sum covers the points of the check's metric up to the state, and those of the companion since the state's start.
UNCHANGED_STATES_SQL = f"""
SELECT s.id FROM validation_detectorstate s
WHERE s.parent_check_id = %(check)s AND s.hour = %(hour)s AND s.through < %(bucket)s AND s.digest = (
  SELECT coalesce(sum(digest), 0)::text FROM (
    SELECT {DIGEST_SQL}::numeric AS digest FROM validation_metricpoint p
    WHERE p.metric_id = %(metric)s AND p.segment = s.segment AND p.bucket <= s.through
      AND (%(is_daily)s OR extract(hour FROM p.bucket AT TIME ZONE 'UTC') = s.hour)
    UNION ALL
    SELECT {DIGEST_SQL}::numeric FROM validation_metricpoint p
    WHERE p.metric_id = %(other)s AND p.segment = '' AND p.bucket BETWEEN s.since AND s.through
      AND (%(is_daily)s OR extract(hour FROM p.bucket AT TIME ZONE 'UTC') = s.hour)
  ) points
)
"""  # noqa: S608  # nosec B608  # no input in the text


def point_digest() -> Func:
    """Return the digest of a data point, which `unchanged_states` adds up."""
    return Func(
        "bucket",
        "value",
        "is_expected",
        template="hash_record_extended((%(expressions)s), 0)",
        output_field=BigIntegerField(),
    )


def unchanged_states(check: Check, *, bucket: dt.datetime) -> list[SeriesState]:
    """Return the states of a check before `bucket`, newest first, whose points are still the same."""
    if check.metric is None:
        return []
    values: dict[str, int | dt.datetime | None] = {
        "check": check.pk,
        "hour": bucket.hour,
        "bucket": bucket,
        "metric": check.metric_id,
        "other": check.other_metric_id,
        "is_daily": check.metric.step >= DAY,
    }
    with connection.cursor() as cursor:
        cursor.execute(UNCHANGED_STATES_SQL, values)
        ids = [row[0] for row in cursor.fetchall()]
    return [_state(row) for row in DetectorState.objects.filter(pk__in=ids).order_by("-through")] if ids else []


def newest_by_segment(
    states: Iterable[SeriesState], *, bucket: dt.datetime, holds: Callable[[SeriesState], bool]
) -> dict[str, SeriesState]:
    """Return the newest valid state before `bucket` of each segment."""
    newest: dict[str, SeriesState] = {}
    for state in sorted(states, key=lambda one: one.through, reverse=True):
        is_before = state.through < bucket and state.hour == bucket.hour
        if is_before and state.segment not in newest and holds(state):
            newest[state.segment] = state
    return newest


def _state(row: Any) -> SeriesState:
    return SeriesState(
        row.segment, row.hour, row.since, row.through, int(row.digest), row.settings, bytes(row.data), row.is_weekly
    )
