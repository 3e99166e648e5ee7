"""Loops of worker tasks: a step repeats until nothing is left or the time is up, and an error in one does not stop the others."""

import pytest
from django.db import connection

from common.loops import IsolatedSteps, repeat


def test_a_step_is_repeated_until_it_returns_nothing():
    results = ["row", 3, True, None, "not reached"]
    repeat(lambda: results.pop(0), seconds=60)
    assert results == ["not reached"]


def test_a_step_runs_once_if_the_time_is_over():
    results = ["first", "second"]
    repeat(lambda: results.pop(0), seconds=-1)
    assert results == ["second"]


def invert(number):
    return 1 / number


def invert_all(*numbers, results):
    with IsolatedSteps() as attempt:
        for number in numbers:
            results.append(attempt(invert, number))


@pytest.mark.django_db
def test_the_first_error_is_raised_after_all_steps():
    results = []
    with pytest.raises(ZeroDivisionError):
        invert_all(1, 0, 2, 0, results=results)
    assert results == [1, None, 0.5, None]


def test_without_an_error_the_block_returns_its_value():
    def total():
        with IsolatedSteps() as attempt:
            return attempt(invert, 2) or 0

    assert total() == 0.5


@pytest.mark.django_db
def test_a_lost_connection_ends_the_sweep(monkeypatch):
    monkeypatch.setattr(connection, "is_usable", lambda: False)
    results = []
    with pytest.raises(ZeroDivisionError):
        invert_all(1, 0, 2, results=results)
    assert results == [1]
