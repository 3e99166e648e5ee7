"""The shared rules for identifiers, text and durations."""

import datetime as dt
import re

import pytest
from django.core.exceptions import ValidationError
from django.test import RequestFactory

from common.exceptions import InvalidInputError
from common.formatting import format_duration
from common.http import query_param
from common.identifiers import ID_PATTERN, validate_slug, validate_username
from common.text import clean_text
from tests.each import each


@each(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (3600, "1 h"),
        (3900, "1 h 5 min"),
        (90000, "1 d 1 h"),
        (172800, "2 d"),
        (266400, "3 d 2 h"),
        (-5, "0 s"),
    ],
)
def test_a_duration_is_shown_in_its_two_largest_units(seconds, text):
    assert format_duration(dt.timedelta(seconds=seconds)) == text


def test_a_missing_duration_is_a_dash():
    assert format_duration(None) == "–"


@pytest.mark.parametrize("value", ["a", "daily-growth-2"])
def test_a_valid_slug_is_a_valid_user_name(value):
    validate_slug(value)
    validate_username(value)


@each("value", ["", "A", "a--b", "-a", "a-", "a b", "a\n", "a\0", "ä"])
def test_an_invalid_identifier_is_refused(value):
    for validate in (validate_slug, validate_username):
        with pytest.raises(ValidationError):
            validate(value)


@pytest.mark.parametrize(("value", "valid"), [("7", True), ("1" * 15, True), ("1" * 16, False), ("x", False)])
def test_an_id_has_at_most_fifteen_digits(value, valid):
    assert bool(re.fullmatch(ID_PATTERN, value)) == valid


@pytest.mark.parametrize(
    ("text", "error"),
    [("a\0b", "Null characters are not allowed."), ("  ", "Enter a note."), ("x" * 11, "Use at most 10 characters.")],
)
def test_invalid_text_names_its_field(text, error):
    with pytest.raises(InvalidInputError) as caught:
        clean_text(text, field="note", max_length=10, required="Enter a note.")
    assert caught.value.problems == {"note": [error]}


def test_valid_text_loses_surrounding_space():
    assert clean_text("  fine\n", field="note", max_length=10) == "fine"
    assert clean_text("", field="note", max_length=10) == ""


def test_a_query_parameter_never_contains_null():
    request = RequestFactory().get("/", {"pipeline": "a\0b"})
    assert query_param(request, "pipeline") == "ab"
    assert query_param(request, "page", "1") == "1"
