"""Steps of queries that the site replaces with cheaper ones: they equal Django's own."""

import copy

from django.db import connection
from django.db.models import BigIntegerField, F, Value
from django.db.models.expressions import OrderBy
from django.db.models.functions import Lower

from people.models import User

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
