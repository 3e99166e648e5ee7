"""Every page and answer stays bounded: with ROWS rows in each table, none is larger than MAX_BYTES or needs many statements."""

import contextlib
import re
from pathlib import Path

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.factories import rolled_back
from tests.security.fixtures import World
from tests.security.permission_matrix import RULES
from tests.thorough import THOROUGH

pytestmark = pytest.mark.xdist_group("bounded answers")

ROOT = Path(__file__).parents[2]
# Rendering 3,000 options of each select, as `make faults` does, takes half of the test's time. Of 1,000 rows, as of 3,000, a list that
# shows all of them with 200 bytes each is too large.
ROWS, MAX_BYTES = (3_000, 400_000) if THOROUGH else (1_000, 250_000)
# A page needs 37. More than this is a statement per row.
MAX_STATEMENTS = 60
OUR_APPS = {config.label for config in apps.get_app_configs() if Path(config.path).parent == ROOT}
# A rotation gets one week and one hand-off a week, and its answers take a window of them (tests/handoffs/test_two_people.py).
# A site has at most 100 reader links (readiness/services/readers.py).
# A pipeline has one runbook, which cannot be copied without what it refers to.
NOT_COPIED = {
    "runbooks.Runbook",
    "readiness.ReadersLink",
    "handoffs.Handoff",
    "scheduling.RotationWeek",
    "scheduling.RosterMember",
}
DATES = ("date", "timestamp with time zone")
# Answers that are larger, and why: their most with 3,000 rows.
WHOLE = {
    "GET /api/v1/schema/": 2_000_000,  # it has no rows
    "GET /api/v1/docs/": 750_000,  # nor this
    "GET /metrics": 2_000_000,  # of each view that earlier tests asked, with any number of rows
    "GET /feeds/{feed}.ics": 1_000_000,  # a calendar of all of a person's absences
    "GET /pipelines/{pipeline}/restatements.csv": 700_000,  # all of them, for a spreadsheet
    "GET /runbooks/{pipeline}/revisions/": 400_000,  # the same with any number of rows
    "GET /checks/": 450_000,  # a choice of 3,000 pipelines
    "GET /readers/": 600_000,  # a choice of 3,000 pipelines
    "GET /handoffs/": 600_000,  # two choices of 3,000 people
    # All 3,000 absences are one person's, on the same days.
    "GET /schedule/": 1_200_000,
    "GET /calendar/{year}/{month}/": 1_800_000,
}
GETS = sorted(name for name in RULES if name.startswith("GET "))


def copies_of(model):
    """Return SQL that adds ROWS copies of the model's first row, which differ in its unique columns."""
    table, pk = model._meta.db_table, model._meta.pk.column
    fields = [field for field in model._meta.concrete_fields if not field.primary_key and not field.generated]
    varied, shifted = varied_columns(model, fields)
    values = ", ".join(value_of(field, varied=varied, shifted=shifted) for field in fields)
    names = ", ".join(f'"{field.column}"' for field in fields)
    first = f'(SELECT * FROM "{table}" ORDER BY "{pk}" LIMIT 1)'  # noqa: S608
    return f'INSERT INTO "{table}" ({names}) SELECT {values} FROM {first} t, generate_series(1, {ROWS}) n ON CONFLICT DO NOTHING'  # noqa: S608


def value_of(field, *, varied, shifted):
    """Return the SQL of a column of the n-th copy."""
    value, kind = f't."{field.column}"', field.db_type(connection)
    if shifted and kind in DATES:
        return f"({value} + n * interval '7 days')::{kind}"
    if field.column not in varied:
        return value
    if field.is_relation:
        table, pk = field.related_model._meta.db_table, field.related_model._meta.pk.column
        return f'(SELECT array_agg("{pk}" ORDER BY "{pk}") FROM "{table}")[n + 1]'  # noqa: S608
    if "int" in kind:
        return f"{value} + n"
    start = f"left({value}, {(field.max_length or 1_000) - 6})"
    return f"{start} || n" if field.column in ("slug", "username") else f"n || {start}"


def varied_columns(model, fields):
    """Return a column of each unique index in which copies differ, and whether their dates do.

    A text, else a date, else a number, else the last reference to another row.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = %s::regclass AND NOT indisprimary"
            " AND (indisunique OR indisexclusion)",
            [model._meta.db_table],
        )
        indexes = [row[0].partition(" USING ")[2].partition(" WHERE ")[0] for row in cursor.fetchall()]
    varied, shifted = set(), False
    for index in indexes:
        columns = [field for field in fields if re.search(rf"\b{field.column}\b", index)]
        own = [field for field in columns if not field.is_relation]
        texts = [
            field for field in own if field.db_type(connection).startswith(("varchar", "text")) and not field.choices
        ]
        numbers = [field for field in own if "int" in field.db_type(connection)]
        if texts:
            varied.add(texts[0].column)
        elif any(field.db_type(connection) in DATES for field in own):
            shifted = True
        elif columns:
            varied.add((numbers or columns)[-1].column)
    return varied, shifted


@pytest.fixture(scope="module")
def filled(django_db_setup, django_db_blocker):
    """The cast of the security tests, with thousands of copies of each row; and the tables that could not be filled."""
    with rolled_back(django_db_blocker):
        world = World()
        models = [model for model in apps.get_models() if model._meta.app_label in OUR_APPS and model.objects.exists()]
        models = [model for model in models if not any(field.name.startswith("pgh_") for field in model._meta.fields)]
        with connection.cursor() as cursor:
            # No triggers: copies refer to what the first row refers to, and need no history.
            cursor.execute("SET LOCAL session_replication_role = replica")
            # Pipelines and people first, to which others refer.
            for model in sorted(
                models, key=lambda model: model._meta.label not in ("people.User", "pipelines.Pipeline")
            ):
                if model._meta.label not in NOT_COPIED:
                    with contextlib.suppress(DatabaseError), transaction.atomic():
                        cursor.execute(copies_of(model))
            cursor.execute("SET LOCAL session_replication_role = DEFAULT")
            # Autovacuum does not see a transaction that is open: without statistics, joins of these tables take minutes.
            cursor.execute("ANALYZE")
        problems = {model._meta.label for model in models if model.objects.count() < ROWS / 2}
        yield world, problems


def test_every_table_is_full(filled):
    assert filled[1] == NOT_COPIED


@pytest.mark.parametrize("name", GETS)
def test_an_answer_is_bounded(filled, db, name):
    world, _ = filled
    path = name.partition(" ")[2].partition(" #")[0].format(**world.words)
    with CaptureQueriesContext(connection) as captured:
        answer = world.clients["admin"].get(path)
    size = len(b"".join(answer.streaming_content)) if answer.streaming else len(answer.content)
    assert answer.status_code < 500 or name == "GET /readyz"
    assert size <= WHOLE.get(name, MAX_BYTES)
    assert len(captured) <= MAX_STATEMENTS
