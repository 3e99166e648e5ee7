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


def test_a_placeholder_in_a_list_stands_for_a_list_of_any_length(a, b, c, django_assert_num_queries):
    query = CompiledQuery(
        lambda: User.objects.filter(pk__in=[-1], username__in=["name"], time_zone__in=["UTC"]).values_list("pk"),
        placeholders=(-1, "name"),
    )
    names = [a.username, b.username]
    with django_assert_num_queries(3):
        answers = [query.fetch_all(keys, names) for keys in ([], [b.pk], [a.pk, b.pk, c.pk])]
    assert [sorted(answer) for answer in answers] == [[], [(b.pk,)], [(a.pk,), (b.pk,)]]
