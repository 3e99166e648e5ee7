"""Statements that PostgreSQL plans once for each connection."""

import pghistory
import pytest
from django.db import NotSupportedError, OperationalError, close_old_connections, connection
from django.db.models import BigIntegerField, Q, TextField
from django.test.utils import CaptureQueriesContext

from common.db import PreparedStatement, sql_parameter, sql_with_values
from people.models import User
from tests.statements import all_captured

pytestmark = pytest.mark.django_db


def words(context):
    return [query["sql"].split()[0] for query in all_captured(context)]


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


def test_all_rows_are_returned():
    numbers = PreparedStatement("numbers", types=("int",), sql=lambda: "SELECT generate_series(1, $1)")
    assert [numbers.fetch_all(count) for count in (0, 3)] == [[], [(1,), (2,), (3,)]]


def test_a_queryset_is_prepared_with_its_values_and_parameters(a, b, c):
    def sql():
        pk, name = sql_parameter(1, BigIntegerField()), sql_parameter(2, TextField())
        rows = User.objects.filter(Q(pk=pk) | Q(display_name=name), is_active=True).exclude(username="100%'")
        return sql_with_values(rows.order_by("-pk").values_list("pk", "username"))

    people = PreparedStatement("people", types=("bigint", "text"), sql=sql)
    assert people.fetch_all(a.pk, b.display_name) == [(b.pk, b.username), (a.pk, a.username)]
    User.objects.filter(pk=b.pk).update(is_active=False)
    assert people.fetch_all(c.pk, b.display_name) == [(c.pk, c.username)]


def test_the_context_of_the_history_is_not_sent(a):
    statement = PreparedStatement("nothing_written", types=(), sql=lambda: "SELECT 1")
    with CaptureQueriesContext(connection) as context, pghistory.context(user=a.pk):
        statement.fetch_one()
        User.objects.filter(pk=a.pk).update(phone="+44 7700 900000")
    assert words(context) == ["PREPARE", "EXECUTE", "SELECT"]
    assert "set_config" in context.captured_queries[-1]["sql"]


def test_changed_columns_are_an_error_that_names_them():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE changing (value int) ON COMMIT DROP")
    statement = PreparedStatement("changing", types=("int",), sql=lambda: "SELECT value FROM changing WHERE $1 = 0")
    assert statement.fetch_one(0) is None
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE changing ALTER value TYPE text")
    with pytest.raises(NotSupportedError, match="must not change result type"):
        statement.fetch_one(0)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("change", ["ALTER TABLE changing ALTER value TYPE text", "DISCARD ALL"])
def test_a_statement_that_no_longer_works_is_prepared_again_for_the_next_request(change):
    statement = PreparedStatement("changed", types=(), sql=lambda: "SELECT value FROM changing")
    try:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE changing AS SELECT 5 AS value")
        assert statement.fetch_one() == (5,)
        with connection.cursor() as cursor:
            cursor.execute(change)
        with pytest.raises((NotSupportedError, OperationalError)):
            statement.fetch_one()
        # As Django does after each request.
        close_old_connections()
        assert str(statement.fetch_one()[0]) == "5"
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE changing")
        # The statement of a table that is gone.
        connection.close()
