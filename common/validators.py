"""Validators of model, form and serializer fields."""

from django.core.exceptions import ValidationError

from common.text import character_error


def validate_line(value: object) -> None:
    """Raise ValidationError if a text has a line break, a tab or another forbidden character."""
    _validate(value, is_line=True)


def validate_text(value: object) -> None:
    """Raise ValidationError if a text of several lines has a forbidden character."""
    _validate(value, is_line=False)


def _validate(value: object, *, is_line: bool) -> None:
    if error := character_error(str(value), is_line=is_line):
        raise ValidationError(error, code="forbidden_character")
