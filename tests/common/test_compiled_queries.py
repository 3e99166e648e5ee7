"""Queries that Django compiles once."""

import pytest

from common.db import CompiledQuery
from people.models import User

pytestmark = pytest.mark.django_db


def test_each_call_takes_its_own_values_and_compiles_nothing_again(a, b, django_assert_num_queries):
    compiled = []

    def rows():
        compiled.append(True)
        return User.objects.filter(username="name", is_active=True).values_list("pk", "display_name")

    query = CompiledQuery(rows, placeholders=("name",))
    with django_assert_num_queries(3):
        answers = [query.fetch_one(name) for name in (a.username, b.username, "nobody")]
    assert answers == [(a.pk, "Engineer A"), (b.pk, "Engineer B"), None]
    assert compiled == [True]
