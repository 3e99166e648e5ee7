"""Template tags for the status of pipelines."""

from functools import lru_cache

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from incidents.queries.statuses import PipelineStatus

register = template.Library()


@register.simple_tag
@lru_cache(maxsize=1024)
def status_badges(status: PipelineStatus) -> SafeString:
    """Return a pipeline's status as badges. Cached, because a page has a hundred of them and few differ."""
    html = format_html('<span class="badge {}">{}</span>', status.badge, status.name)
    if status.open_incidents > 1:
        html += format_html(' <span class="muted">{} open</span>', status.open_incidents)
    if status.in_maintenance:
        html += SafeString(' <span class="badge info">maintenance</span>')
    return html
