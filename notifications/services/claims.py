"""The statement that claims a row of an outbox and reads it with related rows.

One instead of five, because on a busy machine a worker waits for its turn after each. It is compiled once, because compiling so
short a statement takes longer than running it.
"""

import uuid
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connection
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.db.models.query import get_related_populators
from django.db.models.sql.compiler import SQLCompiler

from notifications.outbox_row import OutboxRow, OutboxState

Row = TypeVar("Row", bound=OutboxRow)

# The second common table expression has the name of the table, so that what Django compiles reads the claimed row instead.
CLAIM_SQL = """
WITH next (id) AS MATERIALIZED ({claimable} FOR UPDATE OF {table} SKIP LOCKED),
{table} AS (
    UPDATE {table} SET state = %s, token = %s, lease_until = STATEMENT_TIMESTAMP() + %s * INTERVAL '1 second', attempts = attempts + 1
      FROM next WHERE {table}.id = next.id
    RETURNING {table}.*
)
{select}
"""


class ClaimStatement(Generic[Row]):
    """Claims the first of the rows that can be sent: gives it a token and a lease, and counts the attempt.

    `rows` returns the rows that can be sent, with `select_related`. A row that another worker is claiming is skipped.
    """

    def __init__(self, rows: Callable[[], QuerySet[Row]]) -> None:
        self._rows = rows
        self._compiled: tuple[SQLCompiler, str, Sequence[Any], Sequence[Any]] | None = None

    def __call__(self) -> Row | None:
        """Claim a row and return it, with `claimed_at`, the database's time; return None if there is none."""
        if self._compiled is None:
            self._compiled = self._compile()
        compiler, sql, before, after = self._compiled
        values = (OutboxState.SENDING.value, uuid.uuid4(), settings.MESSAGE_LEASE_SECONDS)
        with connection.cursor() as cursor:
            cursor.execute(sql, (*before, *values, *after))
            row: Row | None = _first_instance(compiler, cursor.fetchall())
            return row

    def _compile(self) -> tuple[SQLCompiler, str, Sequence[Any], Sequence[Any]]:
        rows = self._rows()
        # With the related rows of `rows` but without its conditions, some of which no longer hold after the claim.
        claimed = rows.model._base_manager.annotate(claimed_at=Now())  # noqa: SLF001  # Django's API
        claimed.query.select_related = rows.query.select_related
        compiler = claimed.query.get_compiler(using=DEFAULT_DB_ALIAS)
        select, after = compiler.as_sql()
        claimable, before = rows.select_related(None).values("pk")[:1].query.sql_with_params()
        table = connection.ops.quote_name(rows.model._meta.db_table)  # noqa: SLF001  # Django's API
        return compiler, CLAIM_SQL.format(claimable=claimable, table=table, select=select), before, after


def _first_instance(compiler: SQLCompiler, rows: list[Any]) -> Any:
    """Return the first of a query's rows as a model instance with related ones and annotations, as Django does."""
    info: Any = compiler.klass_info
    first, last = info["select_fields"][0], info["select_fields"][-1] + 1
    names = [column.target.attname for column, *_ in compiler.select[first:last]]
    populators = get_related_populators(info, compiler.select, DEFAULT_DB_ALIAS)  # type: ignore[call-arg]  # the stubs are newer
    for row in compiler.results_iter([rows]):
        instance = info["model"].from_db(DEFAULT_DB_ALIAS, names, row[first:last])
        for related in populators:
            related.populate(row, instance)
        for name, column in (compiler.annotation_col_map or {}).items():
            setattr(instance, name, row[column])
        return instance
    return None
