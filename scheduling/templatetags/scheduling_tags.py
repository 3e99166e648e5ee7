"""Template tags for the schedule's charts."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

WIDTH = 96


@register.simple_tag
def share(count: int, whole: int) -> SafeString:
    """Return a number with a bar for its share of the whole; the number is the bar's text alternative."""
    length = min(WIDTH, round(WIDTH * count / whole)) if whole else 0
    return format_html(
        '<span class="share"><span class="share-number">{}</span>'
        '<svg class="bar" width="{}" height="10" aria-hidden="true"><rect width="{}" height="10" rx="2"></rect></svg></span>',
        count,
        WIDTH,
        length,
    )
