"""One world for all cells of the matrix and all cases of the fuzzer: every call is taken back."""

import pytest

from tests.factories import rolled_back
from tests.security.fixtures import World


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    """Return one world for all cells: every call is taken back."""
    with rolled_back(django_db_blocker):
        yield World()
