"""Advisory locks, and rows that cover a time range [starts_at, ends_at)."""

import datetime as dt
from collections.abc import Iterable
from typing import Any, Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import BigIntegerRangeField, DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import connection, models
from django.db.models import F, Func, Value


def advisory_lock(name: str) -> None:
    """Wait for the lock of this name and hold it until the transaction ends. It locks no rows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [name])


def advisory_locks(names: Iterable[str]) -> None:
    """Wait for the locks of these names, in one order for every caller, and hold them until the transaction ends."""
    with connection.cursor() as cursor:
        sql = "SELECT pg_advisory_xact_lock(key) FROM (SELECT DISTINCT hashtext(name) AS key FROM unnest(%s) name ORDER BY 1) keys"
        cursor.execute(sql, [list(names)])


def try_advisory_lock(name: str) -> bool:
    """Return True and hold the lock of this name until the transaction ends; False if another transaction holds it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s))", [name])
        return bool(cursor.fetchone()[0])


def no_overlap_constraint(*, per: str, name: str, message: str) -> ExclusionConstraint:
    """Return the constraint that the time ranges of rows with the same `per` never overlap.

    A range of one number expresses equality, so that PostgreSQL needs no extension (docs/architecture.md).
    """
    same = Func(F(per), F(per), Value("[]"), function="int8range", output_field=BigIntegerRangeField())
    span = Func(F("starts_at"), F("ends_at"), RangeBoundary(), function="tstzrange", output_field=DateTimeRangeField())
    return ExclusionConstraint(
        name=name,
        expressions=[(same, RangeOperators.OVERLAPS), (span, RangeOperators.OVERLAPS)],
        violation_error_message=message,
    )


class SpanQuerySet(models.QuerySet[Any]):
    """Query methods for rows that cover a time range [starts_at, ends_at)."""

    def overlapping(self, *, starts_at: dt.datetime, ends_at: dt.datetime) -> Self:
        """Return the rows that overlap the window, in order."""
        return self.filter(starts_at__lt=ends_at, ends_at__gt=starts_at).order_by("starts_at", "pk")
