"""Statements that a test captured, and how PostgreSQL would run one."""

import re

from django.db import connection
from django.test.utils import CaptureQueriesContext

# The history's context is set in front of a statement, in the same string.
EXECUTED = re.compile(r"(?:\A|;)\s*EXECUTE (\w+)")
PREPARING = re.compile(r"(?:\A|;)\s*PREPARE ")
WRITING = re.compile(r"(?:\A|;)\s*(?:INSERT|UPDATE|DELETE)\b")

# The captured queries of a context, PREPARE included.
all_captured = CaptureQueriesContext.captured_queries.fget


def writing(captured):
    """Return the captured statements that change rows."""
    return [row["sql"] for row in captured if WRITING.search(row["sql"] or "")]


def leave_out_preparing():
    """Let captured queries leave out PREPARE: whether a connection has prepared a statement depends on the tests before."""
    CaptureQueriesContext.captured_queries = property(
        lambda context: [row for row in all_captured(context) if not PREPARING.search(row["sql"] or "")]
    )


def spelled_out(captured, *, without=()):
    """Return the captured statements, with the text of a prepared one in place of EXECUTE, but for those with a name in `without`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, statement FROM pg_prepared_statements")
        prepared = dict(cursor.fetchall())
    names = [(row["sql"], EXECUTED.search(row["sql"])) for row in captured]
    return [prepared[found[1]] if found else sql for sql, found in names if not found or found[1] not in without]


def scans(sql):
    """Return the nodes of a statement's plan that read a table, where a scan of a whole one is the last resort."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        try:
            cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}".replace("%", "%%"), [])
            [[[actual]]] = cursor.fetchall()
        finally:
            cursor.execute("SET LOCAL enable_seqscan = on")
    return list(_scans(actual["Plan"]))


def _scans(node):
    if "Relation Name" in node or "Index Cond" in node:
        yield node
    for child in node.get("Plans", []):
        yield from _scans(child)


def plan(queryset):
    """Return PostgreSQL's plan where a scan of a whole table is its last resort: one that is there says that no index serves."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        try:
            return queryset.explain()
        finally:
            cursor.execute("SET LOCAL enable_seqscan = on")
