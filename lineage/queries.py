"""Queries for lineage. Only current edges count: not cut, still reported, and not faded."""

import datetime as dt
from collections.abc import Collection

from lineage.domain.graph import Graph, Link
from lineage.models import Edge, EdgeQuerySet
from pipelines.models import Pipeline


def current_graph(*, at: dt.datetime) -> Graph:
    """Return the graph of all current edges, in one statement."""
    rows = Edge.objects.current(at).order_by().values_list("upstream_id", "downstream_id").distinct()
    return Graph.from_links(Link(upstream, downstream) for upstream, downstream in rows)


def parents(pipelines: Collection[int], *, at: dt.datetime) -> dict[int, set[int]]:
    """Return the direct upstream pipelines of each pipeline, in one statement. A pipeline without any has an empty set."""
    result: dict[int, set[int]] = {pipeline: set() for pipeline in pipelines}
    rows = Edge.objects.current(at).filter(downstream__in=pipelines).order_by()
    for upstream, downstream in rows.values_list("upstream_id", "downstream_id"):
        result[downstream].add(upstream)
    return result


def children(pipelines: Collection[int], *, at: dt.datetime) -> dict[int, set[int]]:
    """Return the direct downstream pipelines of each pipeline, in one statement. A pipeline without any has an empty set."""
    result: dict[int, set[int]] = {pipeline: set() for pipeline in pipelines}
    rows = Edge.objects.current(at).filter(upstream__in=pipelines).order_by()
    for upstream, downstream in rows.values_list("upstream_id", "downstream_id"):
        result[upstream].add(downstream)
    return result


def upstream_edges(pipeline: Pipeline) -> EdgeQuerySet:
    """Return the edges into a pipeline that are neither cut nor removed, faded ones included, in the order of the table."""
    return Edge.objects.present().filter(downstream=pipeline).select_related("upstream")


def downstream_edges(pipeline: Pipeline) -> EdgeQuerySet:
    """Return the edges out of a pipeline that are neither cut nor removed, faded ones included, in the order of the table."""
    return Edge.objects.present().filter(upstream=pipeline).select_related("downstream")
