"""The readiness badge as SVG, and the reader page as HTML."""

import datetime as dt
from html import escape

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone

from common.formatting import format_day
from readiness.domain.verdict import Readiness, Verdict
from readiness.models import ReadersLink
from readiness.queries.readers import page_pipelines

# White text on each colour has a contrast of at least 4.5 (WCAG 2.2, 1.4.3).
BADGE_COLOURS = {
    Verdict.SAFE: "#1a7f37",
    Verdict.NOT_YET: "#57606a",
    Verdict.DOUBTFUL: "#9a6700",
    Verdict.WRONG: "#cf222e",
}
LABEL_BACKGROUND = "#24292f"
CHARACTER_WIDTH, PADDING, HEIGHT = 6.6, 8, 20


def badge_svg(readiness: Readiness) -> str:
    """Return the badge: the day and the verdict."""
    day, verdict = format_day(readiness.day, "short"), readiness.label.lower()
    left, right = (round(len(text) * CHARACTER_WIDTH + 2 * PADDING) for text in (day, verdict))
    label = escape(f"{format_day(readiness.day)}: {verdict}")
    text = 'fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="{HEIGHT}" role="img" aria-label="{label}">'
        f"<title>{label}</title>"
        f'<rect width="{left + right}" height="{HEIGHT}" rx="3" fill="{BADGE_COLOURS[readiness.verdict]}"/>'
        f'<path d="M3 0H{left}V{HEIGHT}H3a3 3 0 0 1-3-3V3a3 3 0 0 1 3-3z" fill="{LABEL_BACKGROUND}"/>'
        f"<g {text}>"
        f'<text x="{left / 2:g}" y="14">{escape(day)}</text>'
        f'<text x="{left + right / 2:g}" y="14">{escape(verdict)}</text>'
        "</g></svg>"
    )


def render_readers_page(link: ReadersLink, at: dt.datetime) -> str:
    """Return the page of a link, in the site's time zone. The link's address is not in it: it is stored."""
    context = {"link": link, "pipelines": page_pipelines(link, at=at), "now": at}
    with timezone.override(settings.TIME_ZONE):
        return render_to_string("readiness/readers_page.html", context)
