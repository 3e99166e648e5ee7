"""Services that record, add and cut the edges between pipelines. All of them hold one lock: cycles depend on every edge."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction

from common.db import advisory_lock
from common.exceptions import DomainError
from lineage.domain.graph import Graph, Link
from lineage.models import Edge, EdgeQuerySet, Source
from lineage.queries import current_graph
from people.models import User
from pipelines.models import Pipeline


@dataclass(frozen=True, slots=True)
class EdgeReport:
    """What a tool's edges changed: counts, and a sentence for each edge that was refused."""

    new: int
    seen: int
    removed: int
    refused: tuple[str, ...]


def lock_lineage() -> None:
    """Wait for the lock on all edges and hold it until the transaction ends."""
    advisory_lock("lineage")


@transaction.atomic
def record_edges(
    links: Collection[Link], *, source: Source, at: dt.datetime, project: str = "", is_complete: bool = False
) -> EdgeReport:
    """Record the edges that a tool reports. Those of a pipeline to itself are ignored.

    An edge that would close a cycle is refused and the others are recorded. If the report is complete, as a dbt manifest is,
    the edges of the same source and project that it leaves out are removed. An edge that an admin cut stays cut, whichever
    source reports it.
    """
    lock_lineage()
    wanted = sorted({link for link in links if link.upstream != link.downstream})
    rows = {
        Link(row.upstream_id, row.downstream_id): row
        for row in Edge.objects.select_for_update().filter(source=source, project=project).order_by("pk")
    }
    cuts = {
        Link(row.upstream_id, row.downstream_id): row
        for row in Edge.objects.filter(cut_at__isnull=False).order_by("cut_at")
    }
    missing = set(rows) - set(wanted) if is_complete else set()
    removed = [rows[link] for link in missing if rows[link].removed_at is None]
    Edge.objects.filter(pk__in=[row.pk for row in removed]).update(removed_at=at)

    graph = current_graph(at=at)
    new, seen, refused = [], [], []
    for link in wanted:
        row, cut = rows.get(link), cuts.get(link)
        if cut is None:
            cycle = graph.cycle(link)
            if cycle:
                refused.append(cycle)
                continue
            graph.add(link)
        if row is None:
            new.append(_edge(link, source=source, project=project, at=at, cut=cut))
        else:
            row.last_seen_at, row.removed_at = max(at, row.last_seen_at), None
            seen.append(row)
    Edge.objects.bulk_create(new, batch_size=1000)
    Edge.objects.bulk_update(seen, ["last_seen_at", "removed_at"], batch_size=1000)
    return EdgeReport(new=len(new), seen=len(seen), removed=len(removed), refused=_refusals(refused))


@transaction.atomic
def add_edge(*, upstream: Pipeline, downstream: Pipeline, at: dt.datetime) -> Edge:
    """Add an admin's edge between two pipelines, and restore those of other sources between them that were cut.

    Raises DomainError if it joins a pipeline to itself or would close a cycle.
    """
    lock_lineage()
    link = Link(upstream.pk, downstream.pk)
    _check_cycle(link, graph=current_graph(at=at))
    edge, created = Edge.objects.get_or_create(
        upstream=upstream,
        downstream=downstream,
        source=Source.ADMIN,
        project="",
        defaults={"first_seen_at": at, "last_seen_at": at},
    )
    _between(link).filter(cut_at__isnull=False).update(cut_at=None, cut_by=None)
    if not created:
        Edge.objects.filter(pk=edge.pk).update(last_seen_at=at, removed_at=None)
        edge.refresh_from_db()
    return edge


@transaction.atomic
def cut_edge(edge: Edge, *, by: User, at: dt.datetime) -> int:
    """Cut the edges of every source between two pipelines; return how many were cut. Tools cannot bring them back."""
    lock_lineage()
    return _between(Link(edge.upstream_id, edge.downstream_id)).filter(cut_at=None).update(cut_at=at, cut_by=by)


@transaction.atomic
def restore_edge(edge: Edge, *, at: dt.datetime) -> int:
    """Restore the cut edges between two pipelines; return how many. Raises DomainError if that would close a cycle."""
    lock_lineage()
    link = Link(edge.upstream_id, edge.downstream_id)
    _check_cycle(link, graph=current_graph(at=at))
    return _between(link).filter(cut_at__isnull=False).update(cut_at=None, cut_by=None)


def _between(link: Link) -> EdgeQuerySet:
    return Edge.objects.filter(upstream=link.upstream, downstream=link.downstream)


def _check_cycle(link: Link, *, graph: Graph) -> None:
    cycle = graph.cycle(link)
    if cycle:
        raise DomainError(_refusals([cycle])[0])


def _edge(link: Link, *, source: Source, project: str, at: dt.datetime, cut: Edge | None) -> Edge:
    return Edge(
        upstream_id=link.upstream,
        downstream_id=link.downstream,
        source=source,
        project=project,
        first_seen_at=at,
        last_seen_at=at,
        cut_at=cut.cut_at if cut else None,
        cut_by_id=cut.cut_by_id if cut else None,
    )


def _refusals(cycles: Collection[tuple[int, ...]]) -> tuple[str, ...]:
    """Return a sentence for each cycle, which starts with the refused edge."""
    names = {row.pk: str(row) for row in Pipeline.objects.filter(pk__in={pk for cycle in cycles for pk in cycle})}
    sentences = []
    for cycle in cycles:
        first, second, *rest = (names[pk] for pk in cycle)
        if first == second:
            sentences.append(f"{first} cannot be upstream of itself.")
        else:
            back = " → ".join([second, *rest])
            sentences.append(f"{first} cannot be upstream of {second}, because {back} already exists.")
    return tuple(sentences)
