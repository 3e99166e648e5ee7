"""The labels of a plot's axis are round, few and distinct."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.formatting import format_value
from tests.each import each
from validation.check_types import CHECK_TYPES
from validation.domain.axis_ticks import labelled_ticks, round_ticks

NUMBERS = st.floats(-1e15, 1e15, allow_subnormal=False)


@given(NUMBERS, st.floats(1e-6, 1e15))
def test_three_to_six_round_numbers_lie_in_the_range_at_equal_steps(low, length):
    high = low + max(length, abs(low) * 1e-9)
    ticks = round_ticks(low, high)
    assert 3 <= len(ticks) <= 6
    assert low <= ticks[0] < ticks[-1] <= high
    steps = {b - a for a, b in pairwise(ticks)}
    assert len(steps) == 1
    step = steps.pop()
    assert float(step.scaleb(-step.adjusted())) in (1, 2, 2.5, 5)
    assert all(tick % step == 0 for tick in ticks)


@pytest.mark.parametrize(("low", "high"), [(1, 1), (2, 1), (float("-inf"), 0), (-1.7e308, 1.7e308)])
def test_an_empty_range_has_no_ticks(low, high):
    assert round_ticks(low, high) == []


@given(NUMBERS, st.floats(1e-6, 1e12), st.sampled_from(["", "EUR", "min"]))
def test_no_two_labels_are_the_same(low, length, unit):
    labels = [text for _, text in labelled_ticks(low, low + max(length, abs(low) * 1e-9), unit=unit)]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize(
    ("low", "high", "unit", "labels"),
    [
        (890, 1220, "", ["900", "1,000", "1,100", "1,200"]),
        (-0.06, 1.06, "", ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (-40, 640, "min", ["0 min", "2 h", "4 h", "6 h", "8 h", "10 h"]),
        (0, 2, "min", ["0 min", "1 min", "2 min"]),
        (0, 6000, "min", ["0 min", "1 d", "2 d", "3 d", "4 d"]),
    ],
)
def test_labels_have_the_format_of_values(low, high, unit, labels):
    assert [text for _, text in labelled_ticks(low, high, unit=unit)] == labels


@each(
    ("check_type", "parameters", "value", "words"),
    [
        ("freshness", {}, 787, "13 h 7 min"),
        ("run_deadline", {}, 3000, "2 d 2 h"),
        ("completeness", {}, 2, "2 missing"),
        ("schema", {}, 0, "0 differing"),
        ("custom_sql", {"expect": "no_rows"}, 3, "3 failing"),
        ("custom_sql", {"expect": "number"}, 3, "3"),
        ("ratio", {}, 0.25, "0.25"),
        ("range", {}, 1200, "1,200 EUR"),
    ],
)
def test_a_value_has_the_unit_of_its_check_type(check_type, parameters, value, words):
    check_type = CHECK_TYPES[check_type]
    unit = check_type.unit(check_type.load_draft(parameters), metric_unit="EUR")
    assert format_value(value, unit=unit) == words
