"""Every page and answer stays bounded: with 3,000 rows in each table, none is larger than MAX_BYTES."""

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction

from tests.factories import rolled_back
from tests.security.fixtures import World
from tests.security.permission_matrix import RULES

pytestmark = pytest.mark.xdist_group("bounded answers")

ROWS = 3_000
MAX_BYTES = 400_000
OUR_APPS = {
    "people", "notifications", "pipelines", "runbooks", "scheduling", "validation", "incidents", "handoffs", "calendar_feeds",
    "oncall_site",
}  # fmt: skip
# Rows that differ only in what they refer to, so that copies of one row cannot exist.
NOT_COPIED = set()
# Downloads of a whole object, which are meant to be complete.
WHOLE = {}
GETS = sorted(name for name in RULES if name.startswith("GET "))


def copies_of(model):
    """Return SQL that adds ROWS copies of the model's first row, which differ in its unique columns."""
    table, fields = model._meta.db_table, [field for field in model._meta.concrete_fields if not field.primary_key]
    varied = _varied_columns(table)
    values = []
    for field in fields:
        column, kind = field.column, field.db_type(connection) or ""
        value = f't."{column}"'
        if kind.startswith(("timestamp", "date")) and varied & _dates(fields):
            value = f"{value} + n * interval '7 days'"
            value = f"({value})::date" if kind == "date" else value
        elif column in varied and kind.startswith(("varchar", "text")):
            size = f", {field.max_length - 6}" if field.max_length else ", 1000"
            value = (
                f"left({value}{size}) || n" if "slug" in column or "username" in column else f"n || left({value}{size})"
            )
        elif column in varied and "int" in kind:
            value = f"{value} + n * 1000"
        values.append(value)
    names = ", ".join(f'"{field.column}"' for field in fields)
    first = f'(SELECT * FROM "{table}" ORDER BY "{model._meta.pk.column}" LIMIT 1)'  # noqa: S608  # our own names
    return f'INSERT INTO "{table}" ({names}) SELECT {", ".join(values)} FROM {first} t, generate_series(1, {ROWS}) n'  # noqa: S608  # our own names


def _dates(fields):
    return {field.column for field in fields if (field.db_type(connection) or "").startswith(("timestamp", "date"))}


def _varied_columns(table):
    """Return one column of each unique index or exclusion: a text, else a date, else a number that refers to nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT i.indexrelid, pg_get_indexdef(i.indexrelid), i.indisexclusion FROM pg_index i"
            " WHERE i.indrelid = %s::regclass AND NOT i.indisprimary AND (i.indisunique OR i.indisexclusion)",
            [table],
        )
        indexes = cursor.fetchall()
        cursor.execute(
            "SELECT a.attname, format_type(a.atttypid, NULL), EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conrelid = a.attrelid"
            " AND c.contype = 'f' AND a.attnum = ANY(c.conkey)) FROM pg_attribute a WHERE a.attrelid = %s::regclass AND a.attnum > 0",
            [table],
        )
        columns = [row for row in cursor.fetchall() if not row[2]]
    varied = set()
    for _, definition, _ in indexes:
        inside = definition.partition(" WHERE ")[0].partition(" USING ")[2]
        for kinds in (
            ("character varying", "text"),
            ("timestamp with time zone", "date"),
            ("integer", "bigint", "smallint"),
        ):
            if chosen := next((name for name, kind, _ in columns if kind in kinds and name in inside), None):
                varied.add(chosen)
                break
    return varied


@pytest.fixture(scope="module")
def filled(django_db_setup, django_db_blocker):
    """The cast of the security tests, with thousands of copies of each row; and the tables that could not be filled."""
    with rolled_back(django_db_blocker):
        world, problems = World(), {}
        with connection.cursor() as cursor:
            # No triggers: copies refer to what the first row refers to, and need no history.
            cursor.execute("SET LOCAL session_replication_role = replica")
            for model in apps.get_models():
                has_history = any(field.name.startswith("pgh_") for field in model._meta.fields)
                if model._meta.app_label in OUR_APPS and not has_history and model.objects.exists():
                    try:
                        with transaction.atomic():
                            cursor.execute(copies_of(model))
                    except DatabaseError as error:
                        problems[model._meta.label] = str(error).splitlines()[0]
            cursor.execute("SET LOCAL session_replication_role = DEFAULT")
        yield world, problems


def test_every_table_is_full(filled):
    assert set(filled[1]) == NOT_COPIED, filled[1]


@pytest.mark.parametrize("name", GETS)
def test_an_answer_is_bounded(filled, db, name):
    world, _ = filled
    path = name.partition(" ")[2].partition(" #")[0].format(**world.words)
    answer = world.clients["admin"].get(path)
    size = len(b"".join(answer.streaming_content)) if answer.streaming else len(answer.content)
    assert answer.status_code < 500
    assert size <= WHOLE.get(name, MAX_BYTES)
