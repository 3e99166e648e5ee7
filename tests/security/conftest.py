"""One world for all cells of the matrix and all cases of the fuzzer: every call is taken back."""

import pytest
from django.db import transaction

from tests.security.world import World


@pytest.fixture(scope="module")
def world(django_db_setup, django_db_blocker):
    """Return one world for all cells: every call is taken back."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield World()
        transaction.set_rollback(True)
