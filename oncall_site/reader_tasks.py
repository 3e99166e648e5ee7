"""What a reader may have to do: asked about in one statement, because usually there is nothing."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import BigIntegerField, DateTimeField, QuerySet

from common.db import PreparedStatement, sql_parameter, sql_with_values
from handoffs.queries.handoffs import handoffs_to_sign
from oncall_site.shift_checks import shifts_to_check
from people.models import User
from scheduling.queries.cover_requests import addressed_cover_requests
from scheduling.queries.swaps import addressed_swaps


@dataclass(frozen=True, slots=True)
class ReaderTasks:
    """Which kinds of things Now may have to show a reader: requests to answer, a hand-off to sign, a shift to prepare for."""

    swaps: bool
    cover_requests: bool
    handoffs: bool
    shifts: bool


def _reader_tasks_sql() -> str:
    reader, at = sql_parameter(1, BigIntegerField()), sql_parameter(2, DateTimeField())
    querysets: tuple[QuerySet[Any], ...] = (
        addressed_swaps(reader, at=at),
        addressed_cover_requests(reader, at=at),
        handoffs_to_sign(reader, at=at),
        shifts_to_check(at=at, engineer=reader),
    )
    rows = (sql_with_values(queryset.order_by().values("pk")) for queryset in querysets)
    return "SELECT " + ", ".join(f"EXISTS ({one})" for one in rows)  # nosec B608


READER_TASKS = PreparedStatement("find_reader_tasks", types=("bigint", "timestamptz"), sql=_reader_tasks_sql)


def reader_tasks(reader: User, *, at: dt.datetime) -> ReaderTasks:
    """Return which kinds of things there may be for a reader, in one statement. Usually there are none."""
    return ReaderTasks(*(READER_TASKS.fetch_one(reader.pk, at) or ()))
