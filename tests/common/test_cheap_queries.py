"""The cheaper steps of queries in common/apps.py do the same as Django's own."""

import copy

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import BigIntegerField, F, Value
from django.db.models.expressions import OrderBy
from django.db.models.functions import Lower

from common.apps import django_validate_constraints
from people.models import User
from pipelines.models import Pipeline

KEY = User._meta.get_field("id")


def test_a_copy_of_an_expression_equals_it_and_changes_alone():
    expression = OrderBy(F("display_name"), descending=True)
    same, other = expression.copy(), expression.copy()
    assert (type(same), vars(same)) == (OrderBy, vars(copy.copy(expression)))
    other.reverse_ordering()
    assert (expression.descending, same.descending, other.descending) == (True, True, False)


def test_a_copy_of_a_function_has_sources_of_its_own():
    function = Lower("display_name")
    clone = function.copy()
    clone.set_source_expressions([Value("x")])
    assert function == Lower("display_name")


def test_a_column_that_refers_to_a_key_has_the_type_of_an_integer():
    assert KEY.rel_db_type(connection) == BigIntegerField().db_type(connection) == "bigint"


@pytest.mark.django_db
def test_a_row_that_meets_its_checks_needs_one_query(daily_growth, django_assert_num_queries):
    # The savepoint, the query and the savepoint's release, for four checks.
    with django_assert_num_queries(3):
        daily_growth.validate_constraints()


@pytest.mark.django_db
def test_each_broken_check_and_unique_column_is_named_as_django_names_it(daily_growth, a, d):
    row = Pipeline(name="", slug=daily_growth.slug, escalate_after_minutes=0, primary_owner=a, secondary_owner=a)
    broken, same = [], []
    for validate, problems in ((row.validate_constraints, broken), (lambda: django_validate_constraints(row), same)):
        with pytest.raises(ValidationError) as raised:
            validate()
        problems += [raised.value.message_dict]
    assert len(broken[0]["__all__"]) == 3
    assert broken == same


@pytest.mark.django_db
def test_a_check_of_an_excluded_field_is_left_out(daily_growth, a):
    row = Pipeline(name="", slug="x", escalate_after_minutes=5, primary_owner=a, secondary_owner=a)
    row.validate_constraints(exclude={"secondary_owner", "name"})
    with pytest.raises(ValidationError, match="must be two people"):
        row.validate_constraints(exclude={"name"})
    # Fields with a value of another type are excluded.
    row.name, row.secondary_owner, row.escalate_after_minutes = "X", None, "soon"
    row.validate_constraints(exclude={"escalate_after_minutes"})


@pytest.mark.django_db
def test_a_row_that_meets_its_checks_must_also_be_unique_unless_that_field_is_excluded(a):
    User.objects.filter(pk=a.pk).update(email="a@example.org")
    row = User(username="new", display_name="New", email="A@example.org")
    with pytest.raises(ValidationError, match="user_email_is_unique"):
        row.validate_constraints()
    row.validate_constraints(exclude={"email"})
