"""Template tags for the status of pipelines."""

from functools import lru_cache

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from common.templatetags.common_tags import badge_icon, icon
from incidents.models import Incident
from incidents.queries.statuses import PipelineStatus

register = template.Library()

STATE_ICONS = {
    Incident.State.OPEN: "siren",
    Incident.State.ACKNOWLEDGED: "user-round-check",
    Incident.State.RESOLVED: "circle-check",
}


@register.filter
def state_icon(state: str) -> str:
    """Return the name of the icon of an incident's state."""
    return STATE_ICONS[Incident.State(state)]


@register.simple_tag
@lru_cache(maxsize=1024)
def status_badges(status: PipelineStatus) -> SafeString:
    """Return a pipeline's status as badges. Cached, because a page has a hundred of them and few differ."""
    html = format_html('<span class="badge {}">{}{}</span>', status.badge, badge_icon(status.badge), status.label)
    if status.open_incidents > 1:
        html += format_html(' <span class="muted">{} open</span>', status.open_incidents)
    if status.in_maintenance:
        html += format_html(' <span class="badge info">{}maintenance</span>', icon("wrench"))
    return html
