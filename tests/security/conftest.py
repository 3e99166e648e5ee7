"""Rows shared by all tests of this folder; every call is rolled back."""

import pytest

from tests.factories import rolled_back
from tests.security.fixtures import World


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    """Return the shared rows and clients."""
    with rolled_back(django_db_blocker):
        yield World()
