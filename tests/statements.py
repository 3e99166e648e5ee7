"""Statements that a test captured, and how PostgreSQL would run one."""

import re

from django.db import connection

# The history's context is set in front of a statement, in the same string.
WRITING = re.compile(r"(?:\A|;)\s*(?:INSERT|UPDATE|DELETE)\b")


def writing(captured):
    """Return the captured statements that change rows."""
    return [row["sql"] for row in captured if WRITING.search(row["sql"] or "")]


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
