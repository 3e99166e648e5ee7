"""Advisory locks, prepared statements, and rows that cover a time range [starts_at, ends_at)."""

import contextlib
import datetime as dt
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Self, TypeVar

import pghistory.runtime
import pgtrigger
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import BigIntegerRangeField, DateTimeRangeField, RangeBoundary, RangeOperators
from django.db import (
    DEFAULT_DB_ALIAS,
    Error,
    NotSupportedError,
    OperationalError,
    connection,
    connections,
    models,
    transaction,
)
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import F, Func, Min, Q, QuerySet, Value

Row = TypeVar("Row", bound=models.Model)

LOCK_NOT_AVAILABLE = "55P03"
# If the machine of a session vanishes, the keepalives free its lock within two minutes instead of two hours.
SESSION_LOCK_SQL = """
SELECT pg_try_advisory_lock(hashtext(%s)), set_config('tcp_keepalives_idle', '60', false),
       set_config('tcp_keepalives_interval', '15', false), set_config('tcp_keepalives_count', '4', false)
"""

# `table` is that of a people.models.FactsVersion. A transaction has a row of its own and takes over the totals of the rows that
# no other transaction is changing, so that transactions never wait for each other and the table stays at a few rows.
CHANGE_VERSION = """
    stamp := NEXTVAL('{table}_id_seq');
    UPDATE {table} SET id = stamp, total = total + stamp WHERE transaction = PG_CURRENT_XACT_ID()::TEXT::BIGINT;
    IF NOT FOUND THEN
        WITH earlier AS (
            DELETE FROM {table}
             WHERE id IN (SELECT id FROM {table} FOR UPDATE SKIP LOCKED)
            RETURNING total
        )
        INSERT INTO {table} (id, transaction, total)
        SELECT stamp, PG_CURRENT_XACT_ID()::TEXT::BIGINT, stamp + COALESCE(SUM(total), 0) FROM earlier;
    END IF;
    RETURN NULL;
"""
ON_CALL_VERSION_TABLE, PAGE_VERSION_TABLE = "people_oncallversion", "people_pageversion"


def lock_rows(rows: QuerySet[Row], *, no_key: bool = False, skip_locked: bool = False) -> QuerySet[Row]:
    """Lock rows, in the order of their keys, until the transaction ends; return a queryset that reads them.

    With `skip_locked`, it leaves out rows that others hold.

    `select_for_update` with `select_related` is wrong where a foreign key can change: after it has waited for a lock,
    PostgreSQL compares the new key with the related row that it had read before. It then leaves out the locked row, or
    its related row.
    """
    # Of the rows only: a filter may join other tables.
    locked = rows.select_for_update(no_key=no_key, skip_locked=skip_locked, of=("self",)).select_related(None)
    return rows.filter(pk__in=[row.pk for row in locked.only("pk").order_by("pk")])


def advisory_lock(name: str) -> None:
    """Wait for the lock of this name and hold it until the transaction ends. It locks no rows."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [name])


def advisory_locks(names: Iterable[str]) -> None:
    """Wait for the locks of these names, in one order for every caller, and hold them until the transaction ends."""
    with connection.cursor() as cursor:
        sql = "SELECT pg_advisory_xact_lock(key) FROM (SELECT DISTINCT hashtext(name) AS key FROM unnest(%s) name ORDER BY 1) keys"
        cursor.execute(sql, [list(names)])


def try_advisory_lock(name: str, *, seconds: float) -> bool:
    """Hold the lock of this name until the transaction ends; return False if another one still holds it after `seconds`."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{round(seconds * 1000)}ms"])
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [name])
    except OperationalError as error:
        if getattr(error.__cause__, "pgcode", "") != LOCK_NOT_AVAILABLE:
            raise
        return False
    return True


@contextlib.contextmanager
def session_lock(name: str) -> Iterator[bool]:
    """Hold the lock of this name for the block and yield True, or yield False at once if another session holds it.

    The block may contain transactions. The lock ends with the connection, so a killed process does not keep it.
    """
    with connection.cursor() as cursor:
        cursor.execute(SESSION_LOCK_SQL, [name])
        is_held: bool = cursor.fetchone()[0]
    session = connection.connection
    try:
        yield is_held
    finally:
        # A connection that was replaced has taken its lock with it.
        if is_held and session is connection.connection:
            with contextlib.suppress(Error), connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(hashtext(%s))", [name])


class CompiledQuery:
    """A short query that Django compiles once: compiling it takes longer than running it.

    `rows` returns a queryset of `values_list` or `values`, without an order, with `placeholders` in place of the values of a call.
    A placeholder that is the only item of an `in` filter stands for a list. Its columns must be of fields that need no conversion
    from the database.
    """

    def __init__(self, rows: Callable[[], models.QuerySet[Any, Any]], *, placeholders: Sequence[Any]) -> None:
        self._rows = rows
        self._placeholders = placeholders
        self._compiled: tuple[str, tuple[Any, ...]] | None = None

    def fetch_one(self, *values: Any) -> tuple[Any, ...] | None:
        """Return the first row, or None."""
        with self._executed(values) as cursor:
            row: tuple[Any, ...] | None = cursor.fetchone()
            return row

    def fetch_all(self, *values: Any) -> list[tuple[Any, ...]]:
        """Return all rows."""
        with self._executed(values) as cursor:
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    @contextlib.contextmanager
    def _executed(self, values: Sequence[Any]) -> Iterator[Any]:
        if self._compiled is None:
            sql, params = self._rows().order_by().query.sql_with_params()
            self._compiled = _with_lists(sql, params, placeholders=self._placeholders), params
        sql, params = self._compiled
        replacements = dict(zip(self._placeholders, values, strict=True))
        with connection.cursor() as cursor:
            cursor.execute(sql, [replacements.get(param, param) for param in params])
            yield cursor


def _with_lists(sql: str, params: Sequence[Any], *, placeholders: Sequence[Any]) -> str:
    """Return the SQL with `= ANY (%s)`, which takes a list, in place of `IN (%s)` with a placeholder."""
    parts = sql.split("%s")
    for number, param in enumerate(params):
        if param in placeholders and parts[number].endswith(" IN (") and parts[number + 1].startswith(")"):
            parts[number] = f"{parts[number].removesuffix(' IN (')} = ANY ("
    return "%s".join(parts)


class PreparedStatement:
    """A query that PostgreSQL plans once for each connection: planning a short one takes longer than running it.

    `sql` returns the query, which only reads, with $1, $2, … for parameters of `types`; it is called at the first use. Both
    methods raise NotSupportedError if a migration has changed the columns since this connection prepared the statement, and
    OperationalError if the statement is gone. Then the connection ends with the request or before the next task.
    """

    def __init__(self, name: str, *, types: Sequence[str], sql: Callable[[], str]) -> None:
        self._name = name
        self._types = types
        self._build = functools.cache(sql)
        self._attribute = f"prepared_{name}"

    def fetch_one(self, *values: Any, seconds: float | None = None) -> tuple[Any, ...] | None:
        """Return the first row, or None. With `seconds`, PostgreSQL ends the statement after that time."""
        # Each attribute of `connection` would look up the connection of the thread again.
        database = connections[DEFAULT_DB_ALIAS]
        with database.cursor() as cursor, without_history_context():
            self._execute(database, cursor, values, seconds=seconds)
            row: tuple[Any, ...] | None = cursor.fetchone()
            return row

    def fetch_all(self, *values: Any) -> list[tuple[Any, ...]]:
        """Return all rows."""
        database = connections[DEFAULT_DB_ALIAS]
        with database.cursor() as cursor, without_history_context():
            self._execute(database, cursor, values)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    def _execute(
        self, database: BaseDatabaseWrapper, cursor: Any, values: Sequence[Any], *, seconds: float | None = None
    ) -> None:
        # PostgreSQL runs statements that are sent together in one transaction, so the limit ends with the second one.
        limit = "" if seconds is None else f"{_limit(seconds)}; "
        # Django's connection stays; the driver's is replaced when it is lost, and the statement with it.
        if getattr(database, self._attribute, None) is not database.connection:
            cursor.execute(f"{limit}PREPARE {self._name} {_in_parentheses(self._types)} AS {self._build()}")
            setattr(database, self._attribute, database.connection)
        try:
            cursor.execute(f"{limit}EXECUTE {self._name} {_in_parentheses(['%s'] * len(values))}", values)
        except (NotSupportedError, OperationalError):
            # It would fail each time until this connection, which lasts ten minutes, is replaced.
            database.close_at = 0.0
            raise


def sql_with_values(rows: models.QuerySet[Any, Any]) -> str:
    """Return the SQL of a queryset, with its values in it. A `sql_parameter` among them is $1, $2, …"""
    sql, params = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        text: str = cursor.mogrify(sql, params).decode()
        return text


def sql_parameter(number: int, field: models.Field[Any, Any]) -> Func:
    """Return parameter `number`, from 1, of a prepared statement, as a value of this field in a queryset."""
    return Func(template=f"${number}", output_field=field)


class SweepProbe:
    """Tests whether a sweep would find a row at an instant, in one prepared statement.

    `querysets` returns the rows that the sweep handles. It gets the instant as an expression and must read no settings: the SQL is
    compiled once. If there are rows, `needs` is called too, and both must be true.
    """

    def __init__(
        self,
        name: str,
        querysets: Callable[[Any], Iterable[models.QuerySet[Any]]],
        *,
        needs: Callable[[], bool] | None = None,
    ) -> None:
        self.needs = needs
        self._querysets = querysets
        self._statement = PreparedStatement(f"probe_{name}", types=("timestamptz",), sql=lambda: f"SELECT {self.sql()}")

    def __call__(self, *, at: dt.datetime) -> bool:
        """Return True if any of the querysets has a row."""
        row = self._statement.fetch_one(at)
        return bool(row and row[0]) and (self.needs is None or self.needs())

    def sql(self) -> str:
        """Return the SQL condition that there are rows. $1 is the instant."""
        at = sql_parameter(1, models.DateTimeField())
        parts = [sql_with_values(rows.order_by().values("pk")) for rows in self._querysets(at)]
        return " OR ".join(f"EXISTS ({part})" for part in parts)


class SweepProbes:
    """Asks several probes in one statement."""

    def __init__(self, probes: Mapping[str, SweepProbe]) -> None:
        self._probes = probes
        self._statement = PreparedStatement("probes", types=("timestamptz",), sql=self._sql)

    def ask(self, *, at: dt.datetime, seconds: float) -> dict[str, bool]:
        """Return the answer of each probe, by its name. PostgreSQL ends each statement after `seconds`."""
        row = self._statement.fetch_one(at, seconds=seconds) or ()
        answers = dict(zip(self._probes, row, strict=True))
        for name, probe in self._probes.items():
            if answers[name] and probe.needs is not None:
                with transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute(_limit(seconds))
                    answers[name] = probe.needs()
        return answers

    def _sql(self) -> str:
        return "SELECT " + ", ".join(f"({probe.sql()})" for probe in self._probes.values())


def _limit(seconds: float) -> str:
    """Return the statement that limits the others of its transaction to a time."""
    return f"SET LOCAL statement_timeout = {round(seconds * 1000)}"


def _in_parentheses(items: Sequence[str]) -> str:
    """Return the items as a list in parentheses, or "" for no items: PostgreSQL rejects an empty list of parameters."""
    return f"({', '.join(items)})" if items else ""


def on_call_version_trigger(*columns: str) -> pgtrigger.Trigger:
    """Return the trigger that changes the version of the on-call facts with each statement that changes a table.

    With `columns`, an update counts only if it sets one of them, and new rows do not count.
    """
    update = pgtrigger.UpdateOf(*columns) if columns else pgtrigger.Update | pgtrigger.Insert  # type: ignore[no-untyped-call]
    return pgtrigger.Trigger(
        name="change_on_call_version",
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=update | pgtrigger.Delete | pgtrigger.Truncate,
        declare=[("stamp", "BIGINT")],
        func=CHANGE_VERSION.format(table=ON_CALL_VERSION_TABLE),
    )


def page_version_triggers(*columns: str, exclude: Sequence[str] = ()) -> list[pgtrigger.Trigger]:
    """Return the triggers that change the version of the facts on pages with each changed row of a table.

    With `columns`, only deleted rows and changes of these columns count. With `exclude`, changes of only these columns do not
    count. The triggers run for each row: one for each statement would also run for a sweep that changes no row.
    """
    declare, function = [("stamp", "BIGINT")], CHANGE_VERSION.format(table=PAGE_VERSION_TABLE)
    rows = pgtrigger.Delete if columns else pgtrigger.Insert | pgtrigger.Delete
    return [
        pgtrigger.Trigger(
            name="rows_change_page_version", when=pgtrigger.After, operation=rows, declare=declare, func=function
        ),
        pgtrigger.Trigger(
            name="change_page_version",
            when=pgtrigger.After,
            operation=pgtrigger.Update,
            condition=pgtrigger.AnyChange(*columns, exclude=list(exclude) or None),
            declare=declare,
            func=function,
        ),
    ]


def first_end(
    rows: models.QuerySet[Any], field: str, *, after: dt.timedelta, at: dt.datetime, until: dt.datetime
) -> dt.datetime:
    """Return the first instant after `at` that is `after` later than a row's field, or `until` if there is none before it."""
    due = rows.order_by().filter(**{f"{field}__gt": at - after, f"{field}__lt": until - after})
    first: dt.datetime | None = due.aggregate(first=Min(field))["first"]
    return until if first is None else first + after


@contextlib.contextmanager
def without_history_context() -> Iterator[None]:
    """Run statements that no history records as they are: pghistory puts the request's context in front of each that writes."""
    wrappers = connection.execute_wrappers
    added = [wrapper for wrapper in wrappers if wrapper is pghistory.runtime._inject_history_context]  # noqa: SLF001  # it has no public name
    connection.execute_wrappers = [wrapper for wrapper in wrappers if wrapper not in added]
    try:
        yield
    finally:
        connection.execute_wrappers = wrappers


def no_overlap_constraint(
    *, per: str | tuple[str, ...], name: str, message: str, condition: Q | None = None
) -> ExclusionConstraint:
    """Return the constraint that the time ranges of rows with the same `per`, a column or several, never overlap.

    It applies only to rows that meet `condition`. A range of one number expresses equality, so that PostgreSQL needs no
    extension (docs/architecture.md).
    """
    columns = (per,) if isinstance(per, str) else per
    same = [
        Func(F(column), F(column), Value("[]"), function="int8range", output_field=BigIntegerRangeField())
        for column in columns
    ]
    span = Func(F("starts_at"), F("ends_at"), RangeBoundary(), function="tstzrange", output_field=DateTimeRangeField())
    return ExclusionConstraint(
        name=name,
        expressions=[*((column, RangeOperators.OVERLAPS) for column in same), (span, RangeOperators.OVERLAPS)],
        condition=condition,
        violation_error_message=message,
    )


class SpanQuerySet(models.QuerySet[Any]):
    """Query methods for rows that cover a time range [starts_at, ends_at)."""

    def overlapping(self, *, starts_at: dt.datetime, ends_at: dt.datetime) -> Self:
        """Return the rows that overlap the window, in order."""
        return self.filter(starts_at__lt=ends_at, ends_at__gt=starts_at).order_by("starts_at", "pk")
