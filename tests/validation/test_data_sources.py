"""Data sources: the site's own database and roles that can change data are refused, and only admins see values."""

import pytest
from django.db import connection

from common.exceptions import InvalidInputError
from notifications.models import Message
from tests.each import each
from tests.validation.fixtures import make_check, make_warehouse, reader_database, run, server_url
from validation.models import DataSource
from validation.services.data_sources import create_data_source, is_site_database
from validation.warehouse_worker import grants_writing, parse_address

SITE = {"NAME": "site", "HOST": "127.0.0.1", "PORT": "5432"}
OWN = "This is the database of the site itself. Use another database."
COPY = "This is the database of an on-call site, which cannot be a data source."
WRITES = "This role can change data. Use a role that can only read."


@pytest.fixture
def warehouse(transactional_db):
    with reader_database() as database:
        yield database


@each(
    "address",
    [
        "postgresql://u:p@127.0.0.1:5432/site",
        "postgresql://u:p@127.0.0.1/site",
        "postgresql://u:p@localhost/site",
        "postgresql://u:p@LOCALHOST./site",
        "postgresql://u:p@127.0.0.2/site",
        "postgresql://u:p@[::1]/site",
        "postgresql://u:p@0.0.0.0/site",
        "postgresql+psycopg2://u:p@localhost/site?sslmode=disable",
        "postgres://u:p@localhost/site",
        "postgresql:///site",
        "postgresql:///site?host=/var/run/postgresql",
        "postgresql://u@/site?host=localhost&port=5432",
        "postgresql://site@localhost",
        "postgresql:///?dbname=site",
    ],
)
def test_the_sites_own_database_is_recognised_by_any_spelling(address):
    assert is_site_database(parse_address(address), SITE)


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://u:p@localhost/warehouse",
        "postgresql://u:p@localhost:5433/site",
        "postgresql://u:p@192.0.2.1/site",
        "mysql://u:p@localhost/site",
        "sqlite:///site",
    ],
)
def test_other_databases_are_not_the_sites_own(address):
    assert not is_site_database(parse_address(address), SITE)


def test_the_sites_own_database_is_refused(transactional_db, admin):
    with pytest.raises(InvalidInputError) as refusal:
        create_data_source(name="Site", address=server_url(connection.settings_dict["NAME"]), by=admin)
    assert refusal.value.problems == {"address": [OWN]}
    assert not DataSource.objects.exists()


def test_a_copy_of_the_site_is_refused(warehouse, admin):
    warehouse.execute("CREATE SCHEMA s", "CREATE TABLE s.people_user ()", "CREATE TABLE s.validation_datasource ()")
    with pytest.raises(InvalidInputError) as refusal:
        create_data_source(name="Copy", address=warehouse.reader_url, by=admin)
    assert refusal.value.problems == {"address": [COPY]}


def test_a_role_that_can_change_data_is_refused(warehouse, admin):
    with pytest.raises(InvalidInputError) as refusal:
        create_data_source(name="Owner", address=server_url(warehouse.name), by=admin)
    assert refusal.value.problems == {"address": [WRITES]}


def test_a_role_that_got_more_rights_is_refused_at_the_next_query(warehouse, daily_growth, admin):
    source = create_data_source(name="Reader", address=warehouse.reader_url, by=admin)
    check = make_check(daily_growth, admin, "custom_sql", source=source, query="SELECT n FROM t WHERE n < 0")
    assert run(check).status == "pass"
    warehouse.execute(f'GRANT UPDATE ON t TO "{warehouse.reader}"')
    result = run(check)
    assert (result.status, result.message) == ("error", WRITES)


@pytest.mark.parametrize(
    ("grants", "writes"),
    [
        (["GRANT USAGE ON *.* TO `r`@`%`", "GRANT SELECT ON `w`.* TO `r`@`%`"], False),
        (["GRANT SELECT, INSERT ON `w`.* TO `r`@`%`"], True),
        (["GRANT ALL PRIVILEGES ON `w`.* TO `r`@`%`"], True),
        (["GRANT SELECT ON `update`.* TO `r`@`%`"], False),
    ],
)
def test_mysql_grants_are_read(grants, writes):
    assert grants_writing(grants) is writes


@pytest.mark.parametrize(
    ("check_type", "fields", "status", "secret"),
    [
        ("custom_sql", {"query": "SELECT secret FROM t"}, "fail", "s3cret"),
        (
            "custom_sql",
            {"query": "SELECT secret FROM t", "parameters": {"expect": "number", "fail_above": 1}},
            "error",
            "s3cret",
        ),
        ("custom_sql", {"query": "SELECT s3cret FROM t"}, "error", "s3cret"),
        ("validity", {"query": "SELECT secret FROM t", "parameters": {"allowed_values": ["x"]}}, "fail", "s3cret"),
        (
            "relationships",
            {"query": "SELECT secret FROM t", "parameters": {"reference_query": "SELECT 'x'"}},
            "fail",
            "s3cret",
        ),
    ],
)
def test_only_admins_see_values_of_a_data_source(
    signed_in, daily_growth, a, admin, tmp_path, check_type, fields, status, secret
):
    admin.email = "admin@example.org"
    admin.save()
    address = make_warehouse(
        tmp_path / "w.sqlite",
        "CREATE TABLE t (secret TEXT)",
        f"INSERT INTO t VALUES ('{secret}')",  # noqa: S608
    )
    source = create_data_source(name="W", address=address, by=admin)
    check = make_check(daily_growth, admin, check_type, source=source, **fields)
    assert run(check).status == status
    paths = (f"/checks/{check.pk}/", f"/api/v1/checks/{check.pk}/results/")
    shown = {user: [secret in signed_in(user).get(path).content.decode() for path in paths] for user in (a, admin)}
    # The statement itself is shown to everybody who may see the check, values are not.
    assert shown == {a: [False, False], admin: [True, True]}
    assert secret not in check.last_message
    assert {message.recipient for message in Message.objects.all()} <= {admin}
