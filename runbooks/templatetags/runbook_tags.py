"""Template filters for Markdown."""

from django import template
from django.utils.html import linebreaks, urlize
from django.utils.safestring import SafeString, mark_safe

from runbooks.domain.rendering import TooComplexError, render_note

register = template.Library()


@register.filter
def note(text: str, number: int = 0) -> SafeString:
    """Return a note's Markdown as sanitised HTML, as runbooks show theirs; `number` differs between the notes of a page."""
    try:
        return mark_safe(render_note(text, number=number))  # noqa: S308  # nosec B308 B703  # sanitised
    except TooComplexError:
        return mark_safe(linebreaks(urlize(text, autoescape=True)))  # noqa: S308  # nosec B308 B703  # escaped by urlize
