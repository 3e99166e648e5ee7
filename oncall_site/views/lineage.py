"""The Lineage page: which pipelines read the data of which others."""

from collections import Counter

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from lineage.domain.graph import Graph, Link
from lineage.domain.layout import arrange, neighborhood
from lineage.forms import DEFAULT_DEPTH, LineageForm
from lineage.models import DbtNode
from lineage.plots import BoxText, lineage_plot
from lineage.queries import present_links
from oncall_site.presenters import LineageRow, PipelineRow, SnapshotPresenter
from people.requests import SignedInRequest
from pipelines.models import Pipeline
from pipelines.queries import ownership
from scheduling.queries.on_call import on_call_snapshot

MAX_BOXES = 40


@require_safe
def lineage(request: SignedInRequest) -> HttpResponse:
    """Show the pipelines around one, or all if they are few, as a graph and as a table with the same data."""
    at = timezone.now()
    links = present_links(at=at)
    graph = Graph.from_links(links.all)
    linked = [row for row in ownership() if row.pk in graph.parents or row.pk in graph.children]
    form = LineageForm(request.GET or None, pipelines=linked)
    focus, depth = form.choice()
    if focus is None and len(linked) > MAX_BOXES:
        focus = max(linked, key=lambda row: len(graph.parents.get(row.pk, ())) + len(graph.children.get(row.pk, ())))
    drawn = _drawn(linked, graph=graph, focus=focus, depth=depth)
    presenter = SnapshotPresenter(on_call_snapshot(drawn, at=at), drawn, at=at)
    rows = {row.pk: presenter.pipeline_row(row) for row in drawn}
    names = Counter(row.name for row in drawn)
    texts = {key: _box_text(row, is_unique=names[row.pipeline.name] == 1, depth=depth) for key, row in rows.items()}
    layout = arrange(list(rows), links=links.all)
    context = {
        "form": form,
        "focus": focus,
        "plot": lineage_plot(layout, texts=texts, focus=focus.pk if focus else None, current=set(links.current)),
        "rows": _table(rows, links=layout.links, current=links.current),
        "linked": len(linked),
        "unlinked": Pipeline.objects.count() - len(linked),
        "unmapped": DbtNode.objects.filter(pipeline=None).count(),
    }
    return render(request, "lineage/lineage.html", context, status=400 if form.errors else 200)


def _drawn(linked: list[Pipeline], *, graph: Graph, focus: Pipeline | None, depth: int | None) -> list[Pipeline]:
    """Return the pipelines to draw: those around the focus, fewer links away if they would be too many."""
    if focus is None:
        return linked
    near = neighborhood(graph, focus.pk, depth=depth)
    smaller = depth or DEFAULT_DEPTH + 1
    while len(near) > MAX_BOXES and smaller > 1:
        smaller -= 1
        near = neighborhood(graph, focus.pk, depth=smaller)
    return [row for row in linked if row.pk in near]


def _box_text(row: PipelineRow, *, is_unique: bool, depth: int | None) -> BoxText:
    """Return the text of a box. The audience is left out if no other pipeline in the picture has the same name."""
    query = {"focus": row.pipeline.slug, "depth": depth or "all"}
    return BoxText(
        name=str(row.pipeline),
        short_name=row.pipeline.name if is_unique else str(row.pipeline),
        url=f"{reverse('lineage')}?{urlencode(query)}",
        status=row.status.label,
        badge=row.status.badge,
        responder=str(row.responder) if row.responder else "",
    )


def _table(rows: dict[int, PipelineRow], *, links: tuple[Link, ...], current: frozenset[Link]) -> list[LineageRow]:
    """Return the table's rows: each pipeline with its neighbors in the picture, and whether the edge is faded."""
    upstream: dict[int, list[tuple[Pipeline, bool]]] = {key: [] for key in rows}
    downstream: dict[int, list[tuple[Pipeline, bool]]] = {key: [] for key in rows}
    for link in links:
        is_faded = link not in current
        upstream[link.downstream].append((rows[link.upstream].pipeline, is_faded))
        downstream[link.upstream].append((rows[link.downstream].pipeline, is_faded))
    return [LineageRow(row, upstream[key], downstream[key]) for key, row in rows.items()]
