"""Live data for hand-off sheets: incidents, pipeline statuses, responders and action items."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.urls import reverse

from common.formatting import format_instant
from handoffs.domain.topics import TopicKind
from handoffs.models import ActionItem
from handoffs.queries.action_items import open_items
from incidents.models import Incident
from incidents.queries.incidents import open_incidents
from incidents.queries.statuses import PipelineStatus, statuses
from people.domain.person import Person
from pipelines.models import Pipeline
from scheduling.models import PipelineRotation
from scheduling.queries.on_call import responder_chains


@dataclass(frozen=True, slots=True)
class SheetItem:
    """A line of live data: its text, the page it links to, and its state (`ok`, `warn` or `danger`).

    `link` and `badge` are parts of the text: what to link, and what to show in the colour of the state.
    """

    text: str
    path: str = ""
    state: str = ""
    # A part of the text. Empty for the whole text, also in sheets that were frozen before this field existed.
    link: str = ""
    badge: str = ""

    @property
    def parts(self) -> tuple[str, str, str, str, str]:
        """The text before the link, the link, the text up to the badge, the badge, and the text after it."""
        before, link, after = self.text.partition(self.link) if self.link else ("", self.text, "")
        between, badge, end = after.rpartition(self.badge) if self.badge else (after, "", "")
        return before, link, between, badge, end


# Sheets stay readable, and small enough to send and to freeze, when hundreds of incidents are open.
MAX_SHEET_ITEMS = 50
# The page with all lines of a kind.
LIST_PAGES = {
    TopicKind.ACTIONS: "handoffs",
    TopicKind.ISSUES: "incidents",
    TopicKind.OUTAGES: "incidents",
    TopicKind.STATUS: "pipelines",
}

SheetData = Mapping[tuple[int, TopicKind], list[SheetItem]]


def live_items(rotations: Iterable[int], *, at: dt.datetime, max_items: int = MAX_SHEET_ITEMS) -> SheetData:
    """Return live data by rotation and kind, in a fixed number of queries.

    Each list has at most `max_items` lines, and then a line that says how many more there are.
    """
    keys = set(rotations)
    items: dict[tuple[int, TopicKind], list[SheetItem]] = {}
    for row in open_items(keys):
        items.setdefault((row.rotation_id, TopicKind.ACTIONS), []).append(_action(row))
    rows = PipelineRotation.objects.filter(rotation__in=keys).select_related("pipeline", "rotation")
    members = list(rows.order_by("pipeline__position", "pipeline"))
    for key, item in (*_incidents(members), *_statuses(members, at=at)):
        items.setdefault(key, []).append(item)
    return {key: _capped(rows, kind=key[1], max_items=max_items) for key, rows in items.items()}


def _capped(rows: list[SheetItem], *, kind: TopicKind, max_items: int) -> list[SheetItem]:
    if len(rows) <= max_items:
        return rows
    # The lines that need attention come first; the sort keeps the order otherwise.
    first = sorted(rows, key=lambda row: ("danger", "warn").index(row.state) if row.state in ("danger", "warn") else 2)
    return [*first[:max_items], SheetItem(f"{len(rows) - max_items:,} more", reverse(LIST_PAGES[kind]))]


def _action(row: ActionItem) -> SheetItem:
    return SheetItem(f"{row.text} ({row.pipeline})" if row.pipeline else row.text)


def _incidents(members: list[PipelineRotation]) -> list[tuple[tuple[int, TopicKind], SheetItem]]:
    rotations = {row.pipeline_id: row.rotation_id for row in members}
    rows = open_incidents().filter(pipeline__in=rotations)
    return [((rotations[row.pipeline_id], _incident_kind(row)), _incident(row)) for row in rows]


def _incident_kind(row: Incident) -> TopicKind:
    return TopicKind.ISSUES if row.kind == Incident.Kind.ISSUE else TopicKind.OUTAGES


def _incident(row: Incident) -> SheetItem:
    assignee = f"assigned to {row.assignee}" if row.assignee else "unassigned"
    since = format_instant(row.opened_at, dt.UTC)
    text = f"{row.get_kind_display()}: {row.title}, {row.pipeline}, since {since}, {assignee}"
    path, state = reverse("incident", args=[row.pk]), "warn" if row.assignee else "danger"
    return SheetItem(text, path, state, link=row.title, badge=assignee)


def _statuses(members: list[PipelineRotation], *, at: dt.datetime) -> list[tuple[tuple[int, TopicKind], SheetItem]]:
    pipelines = [row.pipeline for row in members]
    chains, known = responder_chains(pipelines, at=at), statuses(pipelines)
    return [
        (
            (row.rotation_id, TopicKind.STATUS),
            _status(row.pipeline, known[row.pipeline_id], responder=chains[row.pipeline_id].responder),
        )
        for row in members
    ]


def _status(pipeline: Pipeline, status: PipelineStatus, *, responder: Person | None) -> SheetItem:
    suffix = f"responder {responder}" if responder else "uncovered"
    path = reverse("pipeline", args=[pipeline.slug])
    state = status.badge if responder else "danger"
    text = f"{pipeline} — {status.label} — {suffix}"
    return SheetItem(text, path, state, link=str(pipeline), badge=status.label if responder else suffix)
