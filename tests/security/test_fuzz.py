"""Promise 15, short version: hostile values cause no server error in the API."""

import pytest

from tests.security.fuzz import check_fuzz, operations

pytestmark = pytest.mark.django_db


def test_the_fuzzer_knows_every_operation():
    actual = operations()
    assert ("POST", "/api/v1/holidays/") in [one[:2] for one in actual]
    assert all(fields for method, path, _, fields in actual if method == "PATCH")
    assert len(actual) > 40


def test_hostile_values_cause_no_server_error(world):
    seen = check_fuzz(world, cases=120, seed=1)
    assert sum(number for status, number in seen.items() if status in (400, 404)) > 48
    assert sum(number for status, number in seen.items() if status < 300) > 12
