"""A dbt project, as its `manifest.json` describes it, and the links between pipelines that follow from it."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from lineage.domain.graph import Link

TESTS = ("test", "unit_test")
KINDS = ("model", "seed", "snapshot", "source", *TESTS, "metric", "semantic_model", "saved_query", "function")


@dataclass(frozen=True, slots=True)
class CodeOwner:
    """An owner that the code names. Both parts may be empty."""

    name: str = ""
    email: str = ""


@dataclass(frozen=True, slots=True)
class ManifestNode:
    """A model, seed, snapshot, source, test, metric or the like. `pipeline` is its `meta.pipeline`; `tested` the node of a test."""

    key: str
    kind: str
    name: str
    path: str
    package: str
    group: str = ""
    pipeline: str = ""
    owner: CodeOwner = CodeOwner()
    parents: tuple[str, ...] = ()
    tested: str = ""


@dataclass(frozen=True, slots=True)
class ManifestGroup:
    """A dbt group with its owner."""

    key: str
    name: str
    pipeline: str
    owner: CodeOwner


@dataclass(frozen=True, slots=True)
class ManifestExposure:
    """Something outside dbt that reads its models, such as a dashboard."""

    key: str
    name: str
    kind: str
    url: str
    description: str
    owner: CodeOwner
    parents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of a manifest. `generated_at` is None if it has no readable instant."""

    project: str
    schema: int
    dbt_version: str
    generated_at: dt.datetime | None
    nodes: Mapping[str, ManifestNode]
    groups: Mapping[str, ManifestGroup]
    exposures: Mapping[str, ManifestExposure]


@dataclass(frozen=True, slots=True)
class Placement:
    """The pipeline of a node and the rule that it comes from, or None and the reason."""

    pipeline: int | None
    reason: str


def feeding_pipelines(nodes: Mapping[str, ManifestNode], *, pipelines: Mapping[str, int]) -> dict[str, frozenset[int]]:
    """Return, by node, the pipelines whose data reaches it from above, through nodes without a pipeline.

    `pipelines` has the pipeline of each node that is in one. A test passes no data on.
    """
    result: dict[str, frozenset[int]] = {}
    for start in nodes:
        # Depth first without recursion: a node is finished after its parents. One that is open closes a cycle and adds nothing.
        stack, opened = [start], set()
        while stack:
            key = stack[-1]
            if key in result:
                stack.pop()
                continue
            through = [parent for parent in _data_parents(key, nodes=nodes) if parent not in pipelines]
            waiting = [parent for parent in through if parent not in result and parent not in opened]
            if key not in opened and waiting:
                opened.add(key)
                stack.extend(waiting)
                continue
            opened.add(key)
            direct = {pipelines[parent] for parent in _data_parents(key, nodes=nodes) if parent in pipelines}
            result[key] = frozenset(direct.union(*(result.get(parent, frozenset()) for parent in through)))
            stack.pop()
    return result


def pipeline_links(
    nodes: Mapping[str, ManifestNode], *, pipelines: Mapping[str, int], feeding: Mapping[str, Collection[int]]
) -> set[Link]:
    """Return the links between pipelines: a node of the lower one reads, directly or not, a node of the upper one."""
    return {
        Link(upstream, pipelines[key])
        for key, node in nodes.items()
        if key in pipelines and node.kind not in TESTS
        for upstream in feeding[key]
        if upstream != pipelines[key]
    }


def _data_parents(key: str, *, nodes: Mapping[str, ManifestNode]) -> list[str]:
    return [parent for parent in nodes[key].parents if parent in nodes and nodes[parent].kind not in TESTS]
