"""The number of SQL statements of a page or list does not grow with its rows."""

import datetime as dt
from itertools import pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from people.commands import create_token
from pipelines.models import Pipeline
from scheduling.commands import Dates, block_holiday
from tests.make import bearer, make_engineer, make_pipeline, make_runbook

PAGES = [
    "/",
    "/schedule/",
    "/fairness/",
    "/calendar/2026/12/",
    "/pipelines/",
    "/pipelines/pipeline-0/",
    "/runbooks/",
    "/runbooks/pipeline-0/",
    "/runbooks/pipeline-0/revisions/",
    "/search/?q=useful",
    "/me/",
    "/admin/pipelines/pipeline/",
    "/admin/pipelines/pipeline/ownership/",
    "/admin/people/user/",
    "/admin/people/apitoken/",
    "/admin/runbooks/runbook/",
]
CALLS = [
    "holidays/",
    "responders/",
    "oncall/",
    "rotations/",
    "people/",
    "pipelines/",
    "runbooks/",
    "runbooks/pipeline-0/revisions/",
]


def fill(admin, *, rows):
    """Bring the site to that many pipelines, each with a runbook, an owner of its own and a token."""
    there = Pipeline.objects.count()
    people = [make_engineer(f"Person {there + row}") for row in range(rows - there + 1)]
    for row, (primary, secondary) in enumerate(pairwise(people), start=there):
        pipeline = make_pipeline(f"Pipeline {row}", primary=primary, secondary=secondary, position=row)
        make_runbook(pipeline, author=primary)
        create_token(admin, name=f"token {row}")
        block_holiday(primary, dates=Dates(dt.date(2026, 12, 1), dt.date(2026, 12, 2)), by=primary)


def statements(do):
    with CaptureQueriesContext(connection) as captured:
        answer = do()
    assert answer.status_code == 200
    return len(captured)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_with_thirty_rows_needs_no_more_statements_than_with_one(signed_in, admin, path):
    fill(admin, rows=1)
    browser = signed_in(admin)
    browser.get(path)
    one = statements(lambda: browser.get(path))
    fill(admin, rows=30)
    assert statements(lambda: browser.get(path)) <= one


@pytest.mark.parametrize("path", CALLS)
def test_a_list_of_the_api_with_thirty_rows_needs_no_more_statements_than_with_one(client, admin, path):
    fill(admin, rows=1)
    headers = bearer(admin)
    client.get(f"/api/v1/{path}", **headers)
    one = statements(lambda: client.get(f"/api/v1/{path}", **headers))
    fill(admin, rows=30)
    assert statements(lambda: client.get(f"/api/v1/{path}", **headers)) <= one
