"""Relationships: orphan keys are counted and named."""

import pytest

from common.exceptions import InvalidInputError
from tests.validation.fixtures import make_check, make_warehouse, run
from validation.services.data_sources import create_data_source

ORDERS = "SELECT customer FROM orders; "
CUSTOMERS = {"reference_query": "SELECT id FROM customers -- every customer"}


@pytest.fixture
def source(admin, tmp_path):
    address = make_warehouse(
        tmp_path / "w.sqlite",
        "CREATE TABLE customers (id TEXT)",
        "CREATE TABLE orders (customer TEXT)",
        "INSERT INTO customers VALUES ('a'), ('b')",
        "INSERT INTO orders VALUES ('a'), ('a'), (NULL)",
    )
    return create_data_source(name="Warehouse", address=address, by=admin)


def orphans(path, count):
    numbers = f"WITH RECURSIVE n(i) AS (VALUES (0) UNION ALL SELECT i + 1 FROM n) SELECT i FROM n LIMIT {count}"  # noqa: S608
    insert = f"INSERT INTO orders SELECT 'x' || i FROM ({numbers})"  # noqa: S608
    make_warehouse(path, insert, insert)


@pytest.mark.parametrize(
    ("count", "allowed", "status", "message", "details"),
    [
        (0, 0, "pass", "Every key exists.", ""),
        (1, 0, "fail", "1 key missing.", "x0"),
        (2, 2, "warn", "2 keys missing.", "x0; x1"),
        (7, 2, "fail", "7 keys missing.", "x0; x1; x2; x3; x4 and 2 more"),
        (1001, 0, "fail", "At least 999 keys missing.", "x0; x1; x10; x100; x1000 and 994 more"),
    ],
)
def test_orphan_keys_are_counted_once_and_named(
    daily_growth, admin, source, tmp_path, count, allowed, status, message, details
):
    orphans(tmp_path / "w.sqlite", count)
    parameters = {**CUSTOMERS, "allowed_missing": allowed}
    check = make_check(daily_growth, admin, "relationships", source=source, query=ORDERS, parameters=parameters)
    result = run(check)
    assert (result.status, result.message, result.details) == (status, message, details)


def test_keys_of_several_columns_are_compared_together(daily_growth, admin, source):
    check = make_check(
        daily_growth,
        admin,
        "relationships",
        source=source,
        query="SELECT customer, 1 FROM orders WHERE customer IS NOT NULL",
        parameters={"reference_query": "SELECT id, 2 FROM customers"},
    )
    result = run(check)
    assert (result.message, result.details) == ("1 key missing.", "a, 1")


def test_a_query_that_fails_is_an_error(daily_growth, admin, source):
    parameters = {"reference_query": "SELECT nothing FROM customers"}
    check = make_check(daily_growth, admin, "relationships", source=source, query=ORDERS, parameters=parameters)
    assert run(check).status == "error"


@pytest.mark.parametrize("query", ["", "DELETE FROM customers", "SELECT 1; SELECT 2"])
def test_the_reference_query_is_one_select(daily_growth, admin, source, query):
    with pytest.raises(InvalidInputError) as error:
        make_check(
            daily_growth, admin, "relationships", source=source, query=ORDERS, parameters={"reference_query": query}
        )
    assert list(error.value.problems) == ["parameters.reference_query"]
