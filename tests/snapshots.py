"""Rows with which many tests begin: built once in each worker, then copied back, which takes a tenth of the time.

Each test still has rows of its own, in its own transaction.
"""

import io

from django.db import connection, transaction
from django.utils import timezone

from tests.databases import filled_tables, has_written

# key: (table and columns, rows as COPY writes them)
_saved: dict[object, list[tuple[str, str]]] = {}


def build_once(key, build):
    """Build rows, or copy back those that an earlier call with an equal key built; always build if their tables have other rows."""
    saved = _saved.get(key)
    if _are_filled(saved and [target.partition(" ")[0] for target, _ in saved]):
        build()
    elif saved:
        _copy_back(saved)
    else:
        build()
        _saved[key] = _copy_out()


def this_minute():
    """Return the start of the current minute: tests that begin now can share rows."""
    return timezone.now().replace(second=0, microsecond=0)


def _are_filled(tables):
    """Return True if one of the tables has rows; by default, if any table has.

    They are empty until the test writes. The query is slow, because PostgreSQL plans it again after each change of the role.
    """
    return (not connection.in_atomic_block or has_written()) and bool(filled_tables(tables))


def _copy_out():
    rows = []
    with connection.cursor() as cursor:
        for table in filled_tables():
            cursor.execute(
                "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute"
                " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''",
                [table],
            )
            target = f"{table} ({cursor.fetchone()[0]})"
            text = io.StringIO()
            cursor.copy_expert(f"COPY {target} TO STDOUT", text)
            rows.append((target, text.getvalue()))
    return rows


def _copy_back(rows):
    with transaction.atomic(), connection.cursor() as cursor:
        # The rows are those that triggers wrote and foreign keys allowed.
        cursor.execute("SET LOCAL session_replication_role = replica")
        for target, text in rows:
            cursor.copy_expert(f"COPY {target} FROM STDIN", io.StringIO(text))
        cursor.execute("SET LOCAL session_replication_role = origin")
