"""Statements that PostgreSQL plans once for each connection."""

import pytest
from django.db import NotSupportedError, connection
from django.test.utils import CaptureQueriesContext

from common.db import PreparedStatement

pytestmark = pytest.mark.django_db


def words(context):
    return [query["sql"].split()[0] for query in context.captured_queries]


def test_it_is_prepared_once_for_each_connection():
    double = PreparedStatement("double_number", types=("int",), sql=lambda: "SELECT $1 * 2")
    with CaptureQueriesContext(connection) as context:
        assert [double.fetch_one(number) for number in (1, 2)] == [(2,), (4,)]
    assert words(context) == ["PREPARE", "EXECUTE", "EXECUTE"]


@pytest.mark.django_db(transaction=True)
def test_a_new_connection_prepares_it_again():
    triple = PreparedStatement("triple_number", types=("int",), sql=lambda: "SELECT $1 * 3")
    assert triple.fetch_one(1) == (3,)
    connection.close()
    with CaptureQueriesContext(connection) as context:
        assert triple.fetch_one(2) == (6,)
    assert words(context) == ["PREPARE", "EXECUTE"]


def test_no_row_is_none():
    nothing = PreparedStatement("no_row", types=("int",), sql=lambda: "SELECT 1 WHERE $1 > 5")
    assert (nothing.fetch_one(5), nothing.fetch_one(6)) == (None, (1,))


def test_changed_columns_are_an_error_that_names_them():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE changing (value int) ON COMMIT DROP")
    statement = PreparedStatement("changing", types=("int",), sql=lambda: "SELECT value FROM changing WHERE $1 = 0")
    assert statement.fetch_one(0) is None
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE changing ALTER value TYPE text")
    with pytest.raises(NotSupportedError, match="must not change result type"):
        statement.fetch_one(0)
