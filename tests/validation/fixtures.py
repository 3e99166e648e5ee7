"""Builders of metrics, data points, checks and warehouses for the tests of checks."""

import datetime as dt
import sqlite3
from contextlib import closing

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
