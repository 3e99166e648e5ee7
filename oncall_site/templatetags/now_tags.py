"""Template tags for the pipelines on Now, without templates: one for each of a hundred pipelines took a third of its time."""

from collections.abc import Iterable
from functools import lru_cache

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from common.templatetags.common_tags import icon, path_to
from incidents.queries.statuses import PipelineStatus
from incidents.templatetags.status_tags import status_badges
from oncall_site.presenters import PipelineGroup, PipelineRow
from people.templatetags.people_tags import person
from readiness.templatetags.readiness_tags import readiness_badge

register = template.Library()

# Half a kilobyte each.
MAX_CACHED_ITEMS = 4096

ITEM_HTML = '<li title="{}"><a href="{}">{}</a>{} {} {}</li>'
GROUP_HTML = (
    '<section class="card" aria-labelledby="group-{number} responder-{number}"><h3 id="group-{number}">{rotation}</h3>'
    '<p id="responder-{number}">{responder} <span class="muted">{role}{absences}</span></p>'
    '<ul class="pipeline-list">{items}</ul></section>'
)
ROW_HTML = (
    '<tr><th scope="row"><a href="{path}">{name}</a>{audience}</th>'
    '<td class="status" data-label="Status">{status} {readiness}</td><td data-label="Responder">{responder}</td>'
    '<td class="why" data-label="Why"><span>{role}{absences}</span></td>'
    '<td class="owners" data-label="Owners"><span class="people">{owners}</span></td>'
    '<td class="runbook" data-label="Runbook"><a href="{runbook}">Runbook<span class="visually-hidden"> for {pipeline}</span></a></td></tr>'
)


@register.simple_tag
def pipeline_groups(groups: Iterable[PipelineGroup]) -> SafeString:
    """Return groups of pipelines as cards: the responder, why, and each pipeline with its status."""
    return format_html_join(
        "",
        "{}",
        (
            (
                format_html(
                    GROUP_HTML,
                    number=number,
                    rotation=group.rotation or "No rotation",
                    items=format_html_join("", "{}", ((_item(row),) for row in group.rows)),
                    **_responder(group.first),
                ),
            )
            for number, group in enumerate(groups, 1)
        ),
    )


def _item(row: PipelineRow) -> SafeString:
    pipeline = row.pipeline
    return _item_html(
        pipeline.slug, str(pipeline), pipeline.name, pipeline.audience, row.status, readiness_badge(row.readiness)
    )


@lru_cache(maxsize=MAX_CACHED_ITEMS)
def _item_html(
    slug: str, title: str, name: str, audience: str, status: PipelineStatus, readiness: SafeString
) -> SafeString:
    return format_html(
        ITEM_HTML, title, path_to("pipeline", slug), name, _audience_html(audience), status_badges(status), readiness
    )


@register.simple_tag
def pipeline_rows(rows: Iterable[PipelineRow]) -> SafeString:
    """Return pipelines as table rows with status, responder, reason and owners."""
    return format_html_join("", "{}", ((_row(row),) for row in rows))


def _row(row: PipelineRow) -> SafeString:
    pipeline = row.pipeline
    return format_html(
        ROW_HTML,
        path=path_to("pipeline", pipeline.slug),
        name=pipeline.name,
        audience=_audience_html(pipeline.audience),
        status=status_badges(row.status),
        readiness=readiness_badge(row.readiness),
        owners=format_html_join(" ", "{}", ((person(owner),) for owner in row.owners)),
        runbook=path_to("runbook", pipeline.slug),
        pipeline=pipeline,
        **_responder(row),
    )


def _audience_html(audience: str) -> SafeString:
    return format_html(' <span class="muted">{}</span>', audience) if audience else SafeString("")


def _responder(row: PipelineRow) -> dict[str, object]:
    """Return the values for the responder and the reason in `GROUP_HTML` and `ROW_HTML`."""
    skipped = row.skipped
    return {
        "responder": person(row.responder) if row.responder else _uncovered_badge(),
        "role": row.role or "No one available",
        "absences": format_html_join("", "; {} is {}", ((link.user, link.reason) for link in skipped))
        if skipped
        else "",
    }


def _uncovered_badge() -> SafeString:
    return format_html('<span class="badge danger">{}Uncovered</span>', icon("user-round-x"))
