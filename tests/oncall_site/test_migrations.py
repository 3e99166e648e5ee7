"""Migrations preserve the data of an older site, and none is missing."""

import datetime as dt

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

# Every app is migrated back and forth, which takes minutes on a busy machine.
pytestmark = [pytest.mark.timeout(900), pytest.mark.django_db(transaction=True)]

# The first migration of every app.
OLD = [
    ("people", "0001_initial"),
    ("pipelines", "0001_initial"),
    ("runbooks", "0001_initial"),
    ("scheduling", "0001_initial"),
    ("handoffs", "0001_initial"),
    ("oncall_site", "0001_initial"),
    ("notifications", "0001_initial"),
    ("incidents", None),
    ("validation", None),
]
AT = dt.datetime(2026, 1, 5, 10, tzinfo=dt.UTC)


@pytest.fixture
def old():
    """The tables as they were, empty; when the test is over, as they are today."""
    executor = MigrationExecutor(connection)
    today = executor.loader.graph.leaf_nodes()
    executor.migrate(OLD)
    try:
        yield MigrationExecutor(connection).loader.project_state([node for node in OLD if node[1]]).apps
    finally:
        MigrationExecutor(connection).migrate(today)


def fill(apps):
    """Fill the old tables with a row or more each, by the models of then."""
    user = apps.get_model("people", "User")
    one = user.objects.create(username="one", display_name="One", email="one@example.org", password="!")
    two = user.objects.create(username="two", display_name="李 Two", email="", password="!", is_active=False)
    apps.get_model("people", "ApiToken").objects.create(user=one, name="t", prefix="oncall_x", digest="d" * 64)
    pipeline = apps.get_model("pipelines", "Pipeline").objects.create(
        slug="p", name="P", match_key="p", primary_owner=one, secondary_owner=two
    )
    runbook = apps.get_model("runbooks", "Runbook")
    assert runbook
    rotation = apps.get_model("scheduling", "Rotation").objects.create(slug="r", name="R", policy_rules=["A rule."])
    roster = apps.get_model("scheduling", "Roster").objects.create(rotation=rotation, starts_on=AT.date())
    apps.get_model("scheduling", "RosterMember").objects.create(roster=roster, engineer=one, position=0)
    apps.get_model("scheduling", "PipelineRotation").objects.create(pipeline=pipeline, rotation=rotation)
    apps.get_model("scheduling", "RotationWeek").objects.create(
        rotation=rotation,
        starts_on=AT.date(),
        starts_at=AT,
        ends_at=AT + dt.timedelta(days=7),
        engineer=one,
        planned_engineer=two,
    )
    apps.get_model("scheduling", "HolidayBlock").objects.create(
        engineer=one,
        starts_on=AT.date(),
        ends_on=AT.date(),
        time_zone="UTC",
        starts_at=AT,
        ends_at=AT + dt.timedelta(days=1),
    )
    apps.get_model("oncall_site", "Heartbeat").objects.create(part="worker")
    message = apps.get_model("notifications", "Message").objects
    given = {"recipient": one, "kind": "k", "event": "e", "occurrence": "1", "subject": "S", "text": "T"}
    message.create(key="waiting", due_at=AT, expires_at=AT + dt.timedelta(days=1), **given)
    message.create(key="sent", state="sent", sent_at=AT, due_at=AT, expires_at=AT + dt.timedelta(days=1), **given)


def rows(tables):
    """Return every row of these tables, column by column."""
    found = {}
    with connection.cursor() as cursor:
        for table, columns in tables.items():
            cursor.execute(f"SELECT {', '.join(columns)} FROM {table} ORDER BY 1")  # noqa: S608  # names of our own catalogue
            found[table] = cursor.fetchall()
    return found


def columns_now():
    """Return the columns of each filled table."""
    tables = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table.startswith(("django_", "auth_")):
                continue
            cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608  # names of our own catalogue
            if cursor.fetchone()[0]:
                tables[table] = [
                    f'"{one.name}"' for one in connection.introspection.get_table_description(cursor, table)
                ]
    return tables


def test_migrations_preserve_the_rows_of_the_first_release(old):
    fill(old)
    tables = columns_now()
    assert len(tables) >= 20, "history is among them"
    before = rows(tables)
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())
    assert rows(tables) == before


def test_no_migration_is_missing(db):
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)
