"""Template tags for the pipelines on Now, without templates: one for each of a hundred pipelines took a third of its time."""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

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

# Half a kilobyte each, rows up to two.
MAX_CACHED_ITEMS, MAX_CACHED_ROWS = 4096, 1024

ITEM_HTML = '<li title="{}"><a href="{}">{}</a>{} {} {}</li>'
GROUP_HEAD_HTML = (
    '<section class="card" aria-labelledby="group-{key} responder-{key}"><h3 id="group-{key}">{rotation}</h3>'
    '<p id="responder-{key}">{responder} <span class="muted">{role}{absences}</span></p><ul class="pipeline-list">'
)
GROUP_END_HTML = "</ul></section>"
ROW_HTML = (
    '<tr><th scope="row"><a href="{path}">{name}</a>{audience}</th>'
    '<td class="status" data-label="Status">{status} {readiness}</td><td data-label="Responder">{responder}</td>'
    '<td class="why" data-label="Why"><span>{role}{absences}</span></td>'
    '<td class="owners" data-label="Owners"><span class="people">{owners}</span></td>'
    '<td class="runbook" data-label="Runbook"><a href="{runbook}">Runbook<span class="visually-hidden"> for {title}</span></a></td></tr>'
)


class Reason(NamedTuple):
    """Who responds, as HTML, in which role, and the names of those before them with the reason why they are skipped.

    It has texts only: two people are equal if one has only changed their name, so they cannot be part of a key of a cache.
    """

    responder: SafeString
    role: str
    skipped: tuple[tuple[str, str], ...]

    @property
    def absences(self) -> SafeString:
        """Those who are skipped, as HTML."""
        return format_html_join("", "; {} is {}", self.skipped)


def _reason(row: PipelineRow) -> Reason:
    return Reason(
        person(row.responder) if row.responder else _uncovered_badge(),
        row.role or "No one available",
        tuple((str(link.user), link.reason) for link in row.skipped),
    )


@register.simple_tag
def pipeline_groups(groups: Iterable[PipelineGroup]) -> SafeString:
    """Return groups of pipelines as cards: the responder, why, and each pipeline with its status."""
    parts: list[str] = []
    for group in groups:
        # A group has the key of its first pipeline, so that its head is the same for readers who see it in different places.
        parts.append(_group_head_html(group.first.pipeline.pk, group.rotation, _reason(group.first)))
        parts += [_item(row) for row in group.rows]
        parts.append(GROUP_END_HTML)
    return SafeString("".join(parts))  # nosec B703  # of HTML


@lru_cache(maxsize=MAX_CACHED_ROWS)
def _group_head_html(key: int, rotation: str, reason: Reason) -> SafeString:
    return format_html(
        GROUP_HEAD_HTML,
        key=key,
        rotation=rotation or "No rotation",
        responder=reason.responder,
        role=reason.role,
        absences=reason.absences,
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
    return SafeString("".join(_row(row) for row in rows))  # nosec B703  # of HTML


def _row(row: PipelineRow) -> SafeString:
    pipeline = row.pipeline
    return _row_html(
        pipeline.slug,
        str(pipeline),
        pipeline.name,
        pipeline.audience,
        row.status,
        readiness_badge(row.readiness),
        _reason(row),
        tuple(person(owner) for owner in row.owners),
    )


@lru_cache(maxsize=MAX_CACHED_ROWS)
def _row_html(
    slug: str,
    title: str,
    name: str,
    audience: str,
    status: PipelineStatus,
    readiness: SafeString,
    reason: Reason,
    owners: tuple[SafeString, ...],
) -> SafeString:
    return format_html(
        ROW_HTML,
        path=path_to("pipeline", slug),
        name=name,
        audience=_audience_html(audience),
        status=status_badges(status),
        readiness=readiness,
        responder=reason.responder,
        role=reason.role,
        absences=reason.absences,
        owners=format_html_join(" ", "{}", ((owner,) for owner in owners)),
        runbook=path_to("runbook", slug),
        title=title,
    )


def _audience_html(audience: str) -> SafeString:
    return format_html(' <span class="muted">{}</span>', audience) if audience else SafeString("")


@lru_cache(maxsize=1)
def _uncovered_badge() -> SafeString:
    return format_html('<span class="badge danger">{}Uncovered</span>', icon("user-round-x"))
