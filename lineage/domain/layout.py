"""Layout of the lineage graph: columns from upstream to downstream, and an order with few crossings."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise

from lineage.domain.graph import Graph, Link

LAYOUT_SWEEPS = 4


@dataclass(frozen=True, slots=True)
class Layout:
    """What is in each column, top to bottom: pipelines, and a bend of a long link as a negative number.

    `routes` has, for each link, its pipelines with the bends between them.
    """

    columns: tuple[tuple[int, ...], ...]
    routes: Mapping[Link, tuple[int, ...]]

    @property
    def links(self) -> tuple[Link, ...]:
        return tuple(self.routes)


def neighborhood(graph: Graph, focus: int, *, depth: int | None) -> set[int]:
    """Return a pipeline with those upstream and downstream of it, at most `depth` links away."""
    return {focus, *graph.ancestors(focus, depth=depth), *graph.descendants(focus, depth=depth)}


def arrange(pipelines: Collection[int], *, links: Collection[Link]) -> Layout:
    """Return the layout of pipelines: each is in a column right of everything upstream of it. Links must not form a cycle.

    The order is the given one, then by the average place of the neighbors in the column before and after.
    """
    drawn = set(pipelines)
    inside = sorted(link for link in set(links) if link.upstream in drawn and link.downstream in drawn)
    depths = _depths(pipelines, graph=Graph.from_links(inside))
    columns: list[list[int]] = [[] for _ in range(max(depths.values(), default=-1) + 1)]
    for pipeline in pipelines:
        columns[depths[pipeline]].append(pipeline)
    routes: dict[Link, tuple[int, ...]] = {}
    bends = 0
    for link in inside:
        between = range(depths[link.upstream] + 1, depths[link.downstream])
        for number, place in enumerate(between, start=bends + 1):
            columns[place].append(-number)
        routes[link] = (link.upstream, *(-bends - number - 1 for number in range(len(between))), link.downstream)
        bends += len(between)
    graph = Graph.from_links(Link(*pair) for route in routes.values() for pair in pairwise(route))
    for sweep in range(LAYOUT_SWEEPS):
        forward = sweep % 2 == 0
        places = {pipeline: place for column in columns for place, pipeline in enumerate(column)}
        for column in columns if forward else reversed(columns):
            neighbors = graph.parents if forward else graph.children
            column.sort(key=lambda pipeline: _average(pipeline, neighbors=neighbors, places=places))
            places |= {pipeline: place for place, pipeline in enumerate(column)}
    return Layout(tuple(tuple(column) for column in columns), routes)


def _depths(pipelines: Collection[int], *, graph: Graph) -> dict[int, int]:
    """Return the length of the longest chain of links above each pipeline."""
    missing = {pipeline: len(graph.parents.get(pipeline, ())) for pipeline in pipelines}
    ready = [pipeline for pipeline in pipelines if not missing[pipeline]]
    depths = dict.fromkeys(ready, 0)
    while ready:
        pipeline = ready.pop()
        for child in graph.children.get(pipeline, ()):
            depths[child] = max(depths.get(child, 0), depths[pipeline] + 1)
            missing[child] -= 1
            if not missing[child]:
                ready.append(child)
    return {pipeline: depths.get(pipeline, 0) for pipeline in pipelines}


def _average(pipeline: int, *, neighbors: Mapping[int, Collection[int]], places: Mapping[int, int]) -> float:
    near = [places[neighbor] for neighbor in neighbors.get(pipeline, ())]
    return sum(near) / len(near) if near else places[pipeline]
