"""Template tags for readiness."""

from functools import lru_cache

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from common.formatting import format_day
from common.templatetags.common_tags import badge_icon
from readiness.domain.verdict import Readiness

register = template.Library()

MAX_REASONS = 3


@register.simple_tag
@lru_cache(maxsize=4096)
def readiness_badge(readiness: Readiness) -> SafeString:
    """Return the verdict on a pipeline's day as a badge, with the reasons as its tooltip; empty if nothing was evaluated."""
    if not readiness.is_evaluated:
        return SafeString("")
    return format_html(
        '<span class="badge {}" title="{}"><span class="visually-hidden">Data for {}: </span>{}{}</span>',
        readiness.badge,
        " ".join(readiness.why[:MAX_REASONS]),
        format_day(readiness.day, "short"),
        badge_icon(readiness.badge),
        readiness.label,
    )
