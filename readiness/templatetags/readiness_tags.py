"""Template tags for readiness."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from common.formatting import format_day
from common.templatetags.common_tags import badge_icon, path_to
from incidents.queries.statuses import PipelineStatus
from incidents.templatetags.status_tags import status_badges
from pipelines.models import Pipeline
from readiness.domain.verdict import Readiness

register = template.Library()

MAX_REASONS = 3


# Now lists a hundred pipelines: a template for each took a tenth of its time.
ITEM_HTML = '<li title="{}"><a href="{}">{}</a>{} {} {}</li>'
AUDIENCE_HTML = ' <span class="muted">{}</span>'


@register.simple_tag
def pipeline_item(pipeline: Pipeline, status: PipelineStatus, readiness: Readiness) -> SafeString:
    """Return a pipeline as a list item, with its status and the verdict on its day."""
    audience = format_html(AUDIENCE_HTML, pipeline.audience) if pipeline.audience else ""
    path = path_to("pipeline", pipeline.slug)
    badges = status_badges(status), readiness_badge(readiness)
    return format_html(ITEM_HTML, pipeline, path, pipeline.name, audience, *badges)


@register.simple_tag
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
