"""Reading the parameters of checks: what is refused, and with which words."""

import pytest

from tests.each import each
from validation.check_types.run_deadline import RunDeadlineParameters
from validation.check_types.target import TargetParameters
from validation.domain.parameters import (
    NOT_A_NUMBER,
    WRONG_WEEKDAYS,
    Bounds,
    InvalidParametersError,
    read_parameters,
    stored_parameters,
)

INVALID_DATE = "Enter a date between 2000 and 2100, such as 2026-11-23."


def problems(cls, values):
    with pytest.raises(InvalidParametersError) as refused:
        read_parameters(cls, values)
    return refused.value.problems


@each(
    "written, number",
    [("1.5", 1.5), (" 3 ", 3), ("1,500", 1500), ("-12,000,000.25", -12_000_000.25), ("1e3", 1000), (7, 7)],
)
def test_a_number_may_have_commas_between_groups_of_three_digits(written, number):
    assert read_parameters(Bounds, {"fail_below": written}).fail_below == number


@each("written", ["1,5", "1.000,5", "0,25", "12,00", "1,5000", ",5", "1,", "1_000", "x", True])
def test_anything_else_is_no_number(written):
    """A decimal comma that is left out makes a threshold ten times as large."""
    values = {"fail_above": 1, "fail_below": written}
    assert problems(Bounds, values) == {"fail_below": [NOT_A_NUMBER]}


@each("written", [["x"], [None], [1.5], [True], "monday", [7], [-1], {"a": 1}, "1;2"])
def test_wrong_weekdays_are_refused_in_words(written):
    assert problems(RunDeadlineParameters, {"by": "09:00", "weekdays": written}) == {"weekdays": [WRONG_WEEKDAYS]}


@each(
    "targets, problem",
    [
        ("2026-12-31 5\n2026-12-31 7", "Enter each date once."),
        ({"0001-01-01": 5}, INVALID_DATE),
        ({"9999-12-31": 5}, INVALID_DATE),
        ({"2026-02-29": 5}, INVALID_DATE),
        ("2026-12-31 1,5", NOT_A_NUMBER),
    ],
)
def test_wrong_targets_are_refused(targets, problem):
    assert problems(TargetParameters, {"starts_on": "2026-01-01", "targets": targets}) == {"targets": [problem]}


def test_crossed_bounds_are_named_as_on_the_page():
    assert problems(Bounds, {"fail_below": 2, "fail_above": 1}) == {
        "fail_below": ["Must not be above “Fail above”: no value would pass."]
    }


def test_stored_parameters_are_read_as_they_were():
    values = {"starts_on": "2026-01-01", "targets": "2026-12-31 1,200,000"}
    read = read_parameters(TargetParameters, values)
    assert read_parameters(TargetParameters, stored_parameters(read)) == read
    assert stored_parameters(read)["targets"] == {"2026-12-31": 1_200_000}
