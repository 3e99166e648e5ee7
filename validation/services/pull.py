"""Read from warehouses what a check run needs: data points of its metrics and rows of its own query."""

import datetime as dt
import time
from collections.abc import Iterator
from typing import Any

from django.db import transaction

from common.crypto import DecryptionError
from common.formatting import format_day
from validation.domain.sql import bare_query
from validation.models import Check, DataSource, Metric
from validation.services.points import MAX_POINTS_PER_PUSH, NewPoint, PushResult, new_point, push_points
from validation.warehouse_subprocess import QueryFailedError, QueryTable, Row, query_rows, query_table

# Skip a pull within this time, so that a metric used by several checks is not pulled for each of them.
PULL_INTERVAL = dt.timedelta(seconds=45)
COLUMN_COUNTS = (2, 3)
MIN_QUERY_SECONDS = 1.0


class Budget:
    """The remaining time of a run, in seconds."""

    def __init__(self, seconds: float) -> None:
        self.until = time.monotonic() + seconds

    def seconds_for(self, source: DataSource) -> float:
        """Return how long a query of a data source may take; raise QueryFailedError if no time is left."""
        left = min(float(source.limit_seconds), self.until - time.monotonic())
        if left < MIN_QUERY_SECONDS:
            raise QueryFailedError("Earlier queries used up the time limit of the run.")
        return left


def read_for(check: Check, *, at: dt.datetime, budget: Budget, force: bool) -> list[Row]:
    """Pull the metrics of a check and return the rows of its own query; raise QueryFailedError.

    A recently pulled metric is pulled again only if `force` is true, as for a run that a user requested.
    """
    for metric in (check.metric, check.other_metric):
        if metric is None or not metric.source_id:
            continue
        if force or metric.pulled_at is None or metric.pulled_at < at - PULL_INTERVAL:
            pull_metric(metric, at=at, budget=budget)
    return read_rows(check, budget=budget)


def read_rows(check: Check, *, budget: Budget) -> list[Row]:
    """Return the rows of a check's own query, if it has one; raise QueryFailedError."""
    if check.source is None:
        return []
    limit = check.type.max_rows
    statement = check.type.statement(check.type.load(check.parameters), bare_query(check.query))
    batches = _query(check.source, query=statement, budget=budget, enough=limit)
    return [row for batch in batches for row in batch][:limit]


def pull_metric(metric: Metric, *, at: dt.datetime, budget: Budget) -> PushResult:
    """Read a metric's data points from its data source and store all of them, or none; raise QueryFailedError."""
    total = PushResult()
    if metric.source is None:
        return total
    started = time.monotonic()
    points = _read_points(metric, at=at, budget=budget)
    # The values are known from when they arrive, which may be long after a slow query started.
    arrived_at = at + dt.timedelta(seconds=int(time.monotonic() - started))
    with transaction.atomic():
        for start in range(0, len(points), MAX_POINTS_PER_PUSH):
            total += push_points(metric, points=points[start : start + MAX_POINTS_PER_PUSH], at=arrived_at)
        Metric.objects.filter(pk=metric.pk).update(pulled_at=at)
    metric.pulled_at = at
    return total


def _read_points(metric: Metric, *, at: dt.datetime, budget: Budget) -> list[NewPoint]:
    """Return the data points of a metric's query; raise QueryFailedError for an invalid row or a repeated bucket."""
    source: Any = metric.source
    rows = (row for batch in _query(source, query=metric.query, budget=budget) for row in batch)
    points: dict[tuple[str, dt.datetime], NewPoint] = {}
    for number, row in enumerate(rows, 1):
        point = _read_row(metric, row, number=number, at=at)
        if point is None:
            continue
        key = (point.segment, point.bucket)
        if key in points:
            raise QueryFailedError(f"Row {number} of the query: {_described(metric, point)} occurs twice.")
        points[key] = point
    return list(points.values())


def _described(metric: Metric, point: NewPoint) -> str:
    """Return the day or hour and the segment of a data point: "24 Nov 2026 (eu)"."""
    time = metric.bucket_time(point.bucket)
    hour = f", {time:%H:%M} UTC" if isinstance(time, dt.datetime) else ""
    return f"{format_day(time)}{hour}" + (f" ({point.segment})" if point.segment else "")


def read_table(source: DataSource, *, query: str, budget: Budget, limit: int) -> QueryTable:
    """Return the columns and the first `limit` rows of a query; raise QueryFailedError."""
    address, seconds = _address(source), budget.seconds_for(source)
    return query_table(
        address, query=bare_query(query), seconds=seconds, cap=_row_cap(source, enough=limit), enough=limit
    )


def _query(source: DataSource, *, query: str, budget: Budget, enough: int | None = None) -> Iterator[list[Row]]:
    limits = {} if enough is None else {"enough": enough}
    address, cap = _address(source), source.row_cap if enough is None else _row_cap(source, enough=enough)
    return query_rows(
        address, query=bare_query(query), seconds=budget.seconds_for(source), cap=cap, is_guarded=True, **limits
    )


def _row_cap(source: DataSource, *, enough: int) -> int:
    """Return the row limit of a query that stops after enough rows: its result may exceed the data source's limit."""
    return max(source.row_cap, 2 * enough + 1000)


def _address(source: DataSource) -> str:
    try:
        return source.address
    except DecryptionError as error:
        raise QueryFailedError(
            "The URL of this data source was encrypted with a key that is no longer configured. Enter it again."
        ) from error


def _read_row(metric: Metric, row: Row, *, number: int, at: dt.datetime) -> NewPoint | None:
    """Return a row as a data point, or None if its value is null, because a gap is not zero.

    Raises QueryFailedError.
    """
    if len(row) not in COLUMN_COUNTS:
        raise QueryFailedError(
            f"The query returns {len(row)} columns. It must return the day or hour, the value, and optionally the segment."
        )
    time_cell, value, segment = row[0], row[1], row[2] if len(row) > 2 else ""
    if value is None:
        return None
    try:
        if isinstance(value, str):
            value = _parse_number(value)
        segment = segment if segment is None else str(segment)
        return new_point(metric, time=time_cell, value=value, segment=segment, at=at)
    except ValueError as error:
        raise QueryFailedError(f"Row {number} of the query: {error}") from error


def _parse_number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"“{text[:60]}” is not a number.") from None
