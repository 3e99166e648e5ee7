"""One migrated database, copied for each worker: a copy takes a fraction of a second, the migrations several."""

import contextlib
import functools
import hashlib
import os
import sys
from pathlib import Path

import psutil
import psycopg2
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader

from common.db import PreparedStatement

PREFIX = "migrated_"
# A copy's name ends in the number of the process that uses it.
COPY = "test_copy_"
# What the migrations write and no test changes.
KEPT_TABLES = {"django_migrations", "django_content_type", "auth_permission"}
# Any number: workers that start together build one template.
TEMPLATE_LOCK = 7_310_001


@contextlib.contextmanager
def _server():
    """Yield a cursor of the server's default database, outside a transaction."""
    with contextlib.closing(psycopg2.connect(os.environ["DATABASE_URL"])) as server:
        server.autocommit = True
        with server.cursor() as cursor:
            yield cursor


def _fingerprint():
    """Return a digest of all migrations, so that a kept template of older ones is not used."""
    digest = hashlib.sha256()
    for (app, name), migration in sorted(MigrationLoader(None).disk_migrations.items()):
        digest.update(f"{app}.{name}".encode())
        digest.update(Path(sys.modules[migration.__module__].__file__).read_bytes())
    return digest.hexdigest()[:16]


def use_database(name):
    """Connect Django to another database of the server."""
    connection.close()
    connection.settings_dict["NAME"] = name


def _template(cursor):
    """Return the name of the migrated database, built at first use."""
    name = PREFIX + _fingerprint()
    cursor.execute("SELECT pg_advisory_lock(%s)", [TEMPLATE_LOCK])
    cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [PREFIX + "%"])
    existing = {row[0] for row in cursor.fetchall()}
    if name not in existing:
        for old in existing:
            cursor.execute(f"DROP DATABASE {old}")
        building = f"building_{name}"
        cursor.execute(f"DROP DATABASE IF EXISTS {building}")
        cursor.execute(f"CREATE DATABASE {building}")
        use_database(building)
        call_command("migrate", verbosity=0)
        use_database(None)
        cursor.execute(f"ALTER DATABASE {building} RENAME TO {name}")
    return name


def build_template():
    """Build the migrated database, if it is not there."""
    original = connection.settings_dict["NAME"]
    with _server() as cursor:
        _template(cursor)
    use_database(original)


def _drop_abandoned_copies(cursor):
    cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [COPY + "%"])
    for (copy,) in cursor.fetchall():
        if not psutil.pid_exists(int(copy.removeprefix(COPY))):
            cursor.execute(f"DROP DATABASE IF EXISTS {copy} WITH (FORCE)")


@functools.cache
def _tables():
    return tuple(name for name in connection.introspection.table_names() if name not in KEPT_TABLES)


@functools.cache
def _filled_statement(tables):
    """Return the statement for these tables, prepared because planning it takes fifteen times as long as running it."""
    checks = [f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in tables]  # noqa: S608
    name = f"filled_{hashlib.sha256(repr(tables).encode()).hexdigest()[:16]}"
    return PreparedStatement(name, types=(), sql=lambda: f"SELECT ARRAY({' UNION ALL '.join(checks)})")


def filled_tables(tables=None):
    """Return the given tables that have rows; by default all tables but those of migrations."""
    return _filled_statement(tuple(tables or _tables())).fetch_one()[0]


def has_written():
    """Return True if the current transaction has written a row, even one that was rolled back to a savepoint since."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")
        return cursor.fetchone()[0]


def is_lock_awaited(connections=1):
    """Return True if at least this number of connections to the server wait for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0] >= connections


def empty_tables():
    """Delete the rows of a test that committed them. Django's `flush` truncates every table, which takes 50 times as long."""
    with transaction.atomic(), connection.cursor() as cursor:
        # As `flush` does, wait for what a process of the test is still writing.
        cursor.execute(f"LOCK TABLE {', '.join(_tables())}")
        names = filled_tables()
        # Without foreign keys, and without the triggers that guard some tables against deletion.
        cursor.execute("SET LOCAL session_replication_role = replica")
        for name in names:
            cursor.execute(f"DELETE FROM {name}")  # noqa: S608


@contextlib.contextmanager
def copied_database():
    """Point Django's connection at a fresh copy of the migrated database; drop it afterwards."""
    # Runs that keep the server's data may share it.
    name = f"{COPY}{os.getpid()}"
    original = connection.settings_dict["NAME"]
    with _server() as cursor:
        template = _template(cursor)
        _drop_abandoned_copies(cursor)
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    use_database(name)
    try:
        yield
    finally:
        use_database(original)
        with _server() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
