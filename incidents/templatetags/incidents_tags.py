"""How the incidents' lengths of time are written."""

import datetime as dt

from django import template

from incidents.engine.spans import span_in_words

register = template.Library()


@register.filter
def span(value: dt.timedelta | None) -> str:
    """Return a length of time in words."""
    return span_in_words(value)
