"""Rules for text that people and programs send: length, and no NUL, which PostgreSQL cannot store.

Form fields and serializer fields refuse NUL by themselves. Services use `text_error` or `clean_text`, and code that reads a
query parameter by hand uses `common.http.query_param`.
"""

from common.exceptions import InvalidInputError

NULL_ERROR = "Null characters are not allowed."


def text_error(text: str, *, max_length: int, required: str = "") -> str:
    """Return what is wrong with a text, or an empty string; `required` is the error for an empty text."""
    if "\0" in text:
        return NULL_ERROR
    if required and not text.strip():
        return required
    return f"Use at most {max_length:,} characters." if len(text.strip()) > max_length else ""


def clean_text(text: str, *, field: str, max_length: int, required: str = "") -> str:
    """Return a text without surrounding space; raise InvalidInputError for the field."""
    if error := text_error(text, max_length=max_length, required=required):
        raise InvalidInputError({field: [error]})
    return text.strip()
