"""Read from warehouses what a check run needs: data points of its metrics and rows of its own query."""

import datetime as dt
import time
from collections.abc import Iterator

from common.crypto import DecryptionError
from validation.models import Check, CheckType, DataSource, Metric
from validation.services.points import MOST_AT_ONCE, NewPoint, PushResult, point_of, push_points
from validation.warehouse_subprocess import QueryFailedError, Row, rows_of

# Maximum number of rows to read, by check type: a check shows some failing rows and counts up to this many.
ENOUGH_ROWS = {CheckType.CUSTOM_SQL: 1000, CheckType.SCHEMA: 2000}
# Skip a pull within this time, so that a metric used by several checks is not pulled for each of them.
FRESH = dt.timedelta(seconds=45)
COLUMNS = (2, 3)


class Budget:
    """The remaining time of a run, in seconds."""

    def __init__(self, seconds: float) -> None:
        self.until = time.monotonic() + seconds

    def of(self, source: DataSource) -> float:
        """Return how long a query of a source may take, in seconds; raise QueryFailedError if no time is left."""
        left = min(float(source.limit_seconds), self.until - time.monotonic())
        if left < 1:  # minimum time for a query, in seconds
            raise QueryFailedError("The queries before this one took all the time of the run.")
        return left


def read_for(check: Check, *, at: dt.datetime, budget: Budget, force: bool) -> list[Row]:
    """Pull the metrics of a check and return the rows of its own query; raise QueryFailedError.

    A recently pulled metric is pulled again only if `force` is true, as for a run that a user requested.
    """
    for metric in (check.metric, check.other_metric):
        if (
            metric is not None
            and metric.source_id
            and (force or metric.pulled_at is None or metric.pulled_at < at - FRESH)
        ):
            pull_metric(metric, at=at, budget=budget)
    if check.source is None:
        return []
    enough = ENOUGH_ROWS.get(CheckType(check.check_type), 1000)
    rows: list[Row] = []
    for part in _asked(check.source, query=check.query, budget=budget, enough=enough):
        rows += part
    return rows[:enough]


def pull_metric(metric: Metric, *, at: dt.datetime, budget: Budget) -> PushResult:
    """Read a metric's data points from its data source and store them in batches; raise QueryFailedError."""
    kept = PushResult()
    if metric.source is None:
        return kept
    place, batch = 0, list[NewPoint]()
    for part in _asked(metric.source, query=metric.query, budget=budget):
        for row in part:
            point = _point(metric, row, place=place, at=at)
            place += 1
            if point is not None:
                batch.append(point)
        if len(batch) >= MOST_AT_ONCE // 2:
            kept += push_points(metric, points=batch, at=at)
            batch = []
    kept += push_points(metric, points=batch, at=at)
    Metric.objects.filter(pk=metric.pk).update(pulled_at=at)
    metric.pulled_at = at
    return kept


def _asked(source: DataSource, *, query: str, budget: Budget, enough: int | None = None) -> Iterator[list[Row]]:
    try:
        address = source.address
    except DecryptionError as error:
        raise QueryFailedError("The source’s address was sealed with a key that is no longer known.") from error
    text = query.strip().rstrip(";").strip()
    limits = {} if enough is None else {"enough": enough}
    # A query that stops after enough rows may have more rows in total than the data source's cap.
    cap = source.row_cap if enough is None else max(source.row_cap, 2 * enough + 1000)
    return rows_of(address, query=text, seconds=budget.of(source), cap=cap, **limits)


def _point(metric: Metric, row: Row, *, place: int, at: dt.datetime) -> NewPoint | None:
    """Return a row as a data point, or None if its value is null, because a gap is not zero.

    Raises QueryFailedError.
    """
    if len(row) not in COLUMNS:
        raise QueryFailedError(
            f"The query returns {len(row)} columns; it has to return day or hour, value and perhaps segment."
        )
    written, value, segment = row[0], row[1], row[2] if len(row) > 2 else ""
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            raise QueryFailedError(f"Row {place} of the query: “{value[:60]}” is no number.") from None
    try:
        return point_of(
            metric, written=written, value=value, segment=segment if segment is None else str(segment), at=at
        )
    except ValueError as error:
        raise QueryFailedError(f"Row {place} of the query: {error}") from error
