"""Builders of metrics, data points, checks and warehouses for the tests of checks."""

import datetime as dt
import sqlite3
import urllib.parse
from contextlib import closing, contextmanager
from dataclasses import dataclass

import psycopg2
from django.conf import settings
from django.db import connection

from validation.models import Check, Metric
from validation.services.checks import create_check
from validation.services.points import NewPoint, push_points
from validation.services.run_check import claim_due_checks, run_check

AT = dt.datetime(2026, 11, 25, 9, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


def make_metric(pipeline, slug="users", **fields):
    fields = {"name": slug.replace("-", " ").capitalize(), "unit": "users", **fields}
    metric = Metric(pipeline=pipeline, slug=slug, **fields)
    metric.full_clean()
    metric.save()
    return metric


def bucket(days_ago, at=AT):
    return dt.datetime.combine((at - days_ago * DAY).date(), dt.time(), dt.UTC)


def push(metric, values, at=AT, newest=1, segment=""):
    """Push daily values, the last of which is `newest` days ago."""
    points = [
        NewPoint(bucket(newest + len(values) - 1 - index, at), value, segment)
        for index, value in enumerate(values)
        if value is not None
    ]
    return push_points(metric, points=points, at=at)


def make_check(pipeline, by, check_type="range", metric=None, at=AT, **fields):
    fields = {"name": f"{check_type} {Check.objects.count()}", "check_type": check_type, "metric": metric, **fields}
    return create_check(pipeline, fields=fields, by=by, at=at)


def run(check, at=AT):
    """Make a check due, claim and run it; return its result."""
    Check.objects.filter(pk=check.pk).update(next_due_at=at, claim=None, lease_until=None)
    [claimed] = [claimed for claimed in claim_due_checks(at=at) if claimed.check == check.pk]
    result = run_check(claimed, at=at)
    check.refresh_from_db()
    return result


def make_warehouse(path, *statements):
    with closing(sqlite3.connect(path)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    return f"sqlite:///{path}"


def server_url(database, *, user=""):
    """Return the URL of a database on the tests' server."""
    parts = urllib.parse.urlsplit(settings.DATABASE_URL)
    netloc = f"{user}:{user}@{parts.netloc.rpartition('@')[2]}" if user else parts.netloc
    return parts._replace(netloc=netloc, path=f"/{database}").geturl()


@dataclass(frozen=True)
class ReaderDatabase:
    """A database with a table `t` and a role that can only read it."""

    name: str
    reader: str

    @property
    def reader_url(self):
        return server_url(self.name, user=self.reader)

    def execute(self, *statements):
        _execute(self.name, *statements)


def _execute(database, *statements):
    with closing(psycopg2.connect(server_url(database))) as server:
        server.autocommit = True
        with server.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


@contextmanager
def reader_database():
    """Create a database beside the site's with a role that can only read, and drop both at the end."""
    site = connection.settings_dict["NAME"]
    database = ReaderDatabase(f"{site}_warehouse", f"{site}_reader")
    role = f'"{database.reader}"'
    _execute(site, f"CREATE ROLE {role} LOGIN PASSWORD '{database.reader}'", f'CREATE DATABASE "{database.name}"')
    try:
        database.execute("CREATE TABLE t (n int)", "INSERT INTO t VALUES (7)", f"GRANT SELECT ON t TO {role}")
        yield database
        database.execute(f"DROP OWNED BY {role}")
    finally:
        _execute(site, f'DROP DATABASE "{database.name}" WITH (FORCE)', f"DROP OWNED BY {role}", f"DROP ROLE {role}")


def wide_chart(page):
    """Return a page up to the second drawing of its chart, the one for phones."""
    return page.partition('<svg class="narrow-only"')[0]
