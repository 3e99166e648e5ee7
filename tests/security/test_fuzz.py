"""Promise 15, in short: the API answers hostile values with 400, 404 or what is right, never with an error of ours."""

import pytest

from tests.security.fuzz import check_fuzz, operations

pytestmark = pytest.mark.django_db


def test_every_call_of_the_description_is_tried():
    found = operations()
    assert ("POST", "/api/v1/holidays/") in [one[:2] for one in found]
    assert all(fields for method, path, _, fields in found if method == "PATCH")
    assert len(found) > 40


@pytest.mark.parametrize("seed", [1, 2])
def test_no_hostile_value_is_an_error_of_ours(world, seed):
    seen = check_fuzz(world, cases=200, seed=seed)
    assert sum(number for status, number in seen.items() if status in (400, 404)) > 80
    assert sum(number for status, number in seen.items() if status < 300) > 20
