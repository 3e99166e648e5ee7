"""Marking the words of a search in a text."""

import re

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

# Control characters are rejected in every text, so these cannot occur in one. PostgreSQL's headlines use them too.
OPEN, CLOSE = "\x02", "\x03"


def highlight(text: str, words: str) -> SafeString:
    """Return the text HTML-escaped, with each word of `words` in `<mark>`."""
    terms = sorted({re.escape(word) for word in words.split()}, key=len, reverse=True)
    if terms:
        text = re.sub("|".join(terms), lambda match: f"{OPEN}{match[0]}{CLOSE}", text, flags=re.IGNORECASE)
    return mark_highlights(text)


def mark_highlights(text: str) -> SafeString:
    """Return the text HTML-escaped, with what is between OPEN and CLOSE in `<mark>`."""
    return mark_safe(str(escape(text)).replace(OPEN, "<mark>").replace(CLOSE, "</mark>"))  # noqa: S308  # nosec B308, B703  # escaped above
