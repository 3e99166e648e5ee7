"""Rules for text that people and programs send: length, and which characters.

Nowhere allowed: characters that PostgreSQL cannot store, control characters, and characters that reverse the reading order of
what follows (Unicode TR36, 2.3: a name with one can pose as another). One line also has no line breaks and tabs.

Fields check it by themselves: `common.fields` for models, `common.forms` for forms, `common.api.fields` for the API. Services
use `text_error` or `clean_text`, importers of other tools' files `one_line` or `printable`, and code that reads a query
parameter by hand uses `common.http.query_param`.
"""

import re

from common.exceptions import InvalidInputError

NULL_ERROR = "Null characters are not allowed."
# Control characters, line and paragraph separators, bidirectional embeddings, overrides and isolates, lone surrogates.
FORBIDDEN_CHARACTER = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
FORBIDDEN_IN_LINE = re.compile(rf"[\t\n\r]|{FORBIDDEN_CHARACTER.pattern}")
LINE_FEED = "\n"
LINE_BREAKS = "\n\r\x0b\x0c\x85\u2028\u2029"


def character_error(text: str, *, is_line: bool) -> str:
    """Return the error for the first character that a text, or one line, must not contain; an empty string if there is none.

    In a text of several lines, the error names the line: the character itself cannot be seen.
    """
    match = (FORBIDDEN_IN_LINE if is_line else FORBIDDEN_CHARACTER).search(text)
    if match is None:
        return ""
    character = match[0]
    if character == "\0":
        return NULL_ERROR
    if is_line and character in LINE_BREAKS:
        return "Use one line: remove the line break."
    if character == "\t":
        return "Use one line: remove the tab."
    where = f" in line {text.count(LINE_FEED, 0, match.start()) + 1}" if LINE_FEED in text else ""
    return f"Remove the control character U+{ord(character):04X}{where}."


def text_error(text: str, *, max_length: int, required: str = "", is_line: bool = False) -> str:
    """Return what is wrong with a text, or an empty string; `required` is the error for an empty text."""
    # Without the space at the end only, so that the lines keep their numbers.
    if error := character_error(text.strip() if is_line else text.rstrip(), is_line=is_line):
        return error
    if required and not text.strip():
        return required
    return f"Use at most {max_length:,} characters." if len(text.strip()) > max_length else ""


def clean_text(text: str, *, field: str, max_length: int, required: str = "", is_line: bool = False) -> str:
    """Return a text without surrounding space; raise InvalidInputError for the field."""
    if error := text_error(text, max_length=max_length, required=required, is_line=is_line):
        raise InvalidInputError({field: [error]})
    return text.strip()


def printable(text: str) -> str:
    """Return a text with a replacement character for each character that no text may contain."""
    return FORBIDDEN_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", text)


def one_line(text: str) -> str:
    """Return a text as one line that a `LineField` accepts: line breaks and tabs become spaces."""
    return printable(" ".join(text.split()))
