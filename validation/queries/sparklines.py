"""The newest values of many checks at once, for the small charts of lists."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from validation.models import Check

SPARKLINE_VALUES = 30

# For each check the newest values of its metric's total, newest first, and the range of its newest result.
SPARKLINE_SQL = """
SELECT c.id, p.values, r.low, r.high
FROM unnest(%(checks)s::bigint[], %(metrics)s::bigint[]) AS c(id, metric)
CROSS JOIN LATERAL (
  SELECT array_agg(value ORDER BY bucket DESC) AS values FROM (
    SELECT bucket, value FROM validation_metricpoint WHERE metric_id = c.metric AND segment = ''
    ORDER BY bucket DESC LIMIT %(limit)s
  ) AS newest
) AS p
LEFT JOIN LATERAL (
  SELECT low, high FROM validation_checkresult WHERE parent_check_id = c.id ORDER BY started_at DESC, id DESC LIMIT 1
) AS r ON true
WHERE p.values IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class RecentValues:
    """The newest values of a check's metric, oldest first, and the expected range of its newest result."""

    values: tuple[float, ...]
    low: float | None
    high: float | None


def recent_values(checks: Iterable[Check]) -> dict[int, RecentValues]:
    """Return the recent values by check ID, without checks that have no metric or no values; one query."""
    pairs = [(check.pk, check.metric_id) for check in checks if check.metric_id is not None]
    if not pairs:
        return {}
    keys, metrics = zip(*pairs, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(SPARKLINE_SQL, {"checks": list(keys), "metrics": list(metrics), "limit": SPARKLINE_VALUES})
        rows = cursor.fetchall()
    return {key: RecentValues(tuple(reversed(values)), low, high) for key, values, low, high in rows}
