"""A worker repeats a step until nothing is left or the time is up."""

from common.loops import repeat


def test_a_step_is_repeated_until_it_returns_nothing():
    results = ["row", 3, True, None, "not reached"]
    repeat(lambda: results.pop(0), seconds=60)
    assert results == ["not reached"]


def test_a_step_runs_once_if_the_time_is_over():
    results = ["first", "second"]
    repeat(lambda: results.pop(0), seconds=-1)
    assert results == ["second"]
