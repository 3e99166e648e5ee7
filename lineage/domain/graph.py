"""A graph of pipelines, given by primary key: who reads whose data."""

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

Neighbors: TypeAlias = Mapping[int, Collection[int]]


@dataclass(frozen=True, slots=True, order=True)
class Link:
    """Data flows from the pipeline `upstream` to the pipeline `downstream`."""

    upstream: int
    downstream: int


@dataclass(slots=True)
class Graph:
    """Parents and children of every pipeline. A pipeline without edges is missing from both."""

    parents: dict[int, set[int]] = field(default_factory=dict)
    children: dict[int, set[int]] = field(default_factory=dict)

    @classmethod
    def from_links(cls, links: Iterable[Link]) -> "Graph":
        """Return the graph with these links."""
        graph = cls()
        for link in links:
            graph.add(link)
        return graph

    def add(self, link: Link) -> None:
        """Add a link; adding it twice changes nothing."""
        self.parents.setdefault(link.downstream, set()).add(link.upstream)
        self.children.setdefault(link.upstream, set()).add(link.downstream)

    def ancestors(self, pipeline: int, *, depth: int | None = None) -> dict[int, int]:
        """Return the pipelines upstream of one, at most `depth` links away, with their distance."""
        return closure(pipeline, neighbors=self.parents, depth=depth)

    def descendants(self, pipeline: int, *, depth: int | None = None) -> dict[int, int]:
        """Return the pipelines downstream of one, at most `depth` links away, with their distance."""
        return closure(pipeline, neighbors=self.children, depth=depth)

    def cycle(self, link: Link) -> tuple[int, ...]:
        """Return the cycle that a new link would close, from its upstream end and back to it, or ()."""
        if link.upstream == link.downstream:
            return (link.upstream, link.downstream)
        path = shortest_path(link.downstream, link.upstream, neighbors=self.children)
        return (link.upstream, *path) if path else ()


def closure(start: int, *, neighbors: Neighbors, depth: int | None = None) -> dict[int, int]:
    """Return everything reachable from `start` within `depth` steps, with its distance, nearest first, without `start`."""
    distances = {start: 0}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        if depth is not None and distances[node] >= depth:
            continue
        for neighbor in sorted(neighbors.get(node, ())):
            if neighbor not in distances:
                distances[neighbor] = distances[node] + 1
                queue.append(neighbor)
    del distances[start]
    return distances


def shortest_path(start: int, end: int, *, neighbors: Neighbors) -> tuple[int, ...]:
    """Return a shortest path with both ends, or () if there is none."""
    previous: dict[int, int | None] = {start: None}
    queue = deque([start])
    while queue:
        node = queue.popleft()
        if node == end:
            path = [node]
            while (before := previous[path[-1]]) is not None:
                path.append(before)
            return tuple(reversed(path))
        for neighbor in sorted(neighbors.get(node, ())):
            if neighbor not in previous:
                previous[neighbor] = node
                queue.append(neighbor)
    return ()
