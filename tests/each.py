"""Cases that share the rows of one test, for tests whose rows cost far more than a case."""

import contextlib
import copy
import functools
import inspect

import pytest
from django.db import connection, transaction
from django.db.models import Model


@contextlib.contextmanager
def rollback():
    """Roll back all writes if the test uses the database."""
    if not connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def fresh(value):
    """Return the value of a fixture for one case. A row is copied, because a case may set its fields."""
    return copy.deepcopy(value) if isinstance(value, Model) else value


def each(names, cases):
    """Run a test for each case, as `pytest.mark.parametrize` does, but as one test: fixtures are created once for all cases.

    Writes are rolled back after each case. All cases run; those that fail are reported together.
    """
    names = [name.strip() for name in names.split(",")] if isinstance(names, str) else list(names)

    def decorate(test):
        signature = inspect.signature(test)

        @functools.wraps(test)
        def run(**fixtures):
            failures = []
            for case in cases:
                values = dict(zip(names, [case] if len(names) == 1 else case, strict=True))
                try:
                    with rollback():
                        test(**{name: fresh(value) for name, value in fixtures.items()}, **values)
                except (Exception, BaseExceptionGroup, pytest.fail.Exception) as failure:  # noqa: BLE001  # all are reported
                    failure.add_note(f"in the case {values}")
                    failures.append(failure)
            if failures:
                raise BaseExceptionGroup(f"{len(failures)} of {len(cases)} cases failed", failures)

        run.__signature__ = signature.replace(
            parameters=[parameter for name, parameter in signature.parameters.items() if name not in names]
        )
        del run.__wrapped__
        return run

    return decorate
