"""Blame: which open incident upstream explains a pipeline's failure."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from lineage.domain.graph import Neighbors, closure


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """An unresolved incident of a pipeline. `acknowledge_by` is None while nobody has been notified of it."""

    key: int
    pipeline: int
    opened_at: dt.datetime
    acknowledge_by: dt.datetime | None = None
    is_acknowledged: bool = False
    has_recovered: bool = False

    def holds(self, at: dt.datetime) -> bool:
        """Return True if it may hold the incidents below it: it still fails, and somebody works on it or was notified in time."""
        if self.has_recovered:
            return False
        return self.is_acknowledged or (self.acknowledge_by is not None and at < self.acknowledge_by)


def failing_upstream(pipelines: Iterable[int], *, parents: Neighbors, failing: Collection[int]) -> dict[int, set[int]]:
    """Return the failing pipelines upstream of each pipeline that are joined to it by failing pipelines only."""
    bad = frozenset(failing)
    failing_parents = {pipeline: bad.intersection(upstream) for pipeline, upstream in parents.items()}
    return {pipeline: set(closure(pipeline, neighbors=failing_parents)) for pipeline in set(pipelines)}


def roots(
    pipelines: Iterable[int],
    *,
    parents: Neighbors,
    failing: Collection[int],
    incidents: Iterable[OpenIncident],
    at: dt.datetime,
) -> dict[int, OpenIncident | None]:
    """Return the incident that explains the failure of each pipeline, or None if it has to escalate itself.

    `parents` holds only the edges that count. The incident is of a pipeline that has no other such incident further upstream. Of
    several, the one that was opened first counts.
    """
    holding: dict[int, list[OpenIncident]] = defaultdict(list)
    for incident in incidents:
        if incident.holds(at):
            holding[incident.pipeline].append(incident)
    upstream = failing_upstream(pipelines, parents=parents, failing=failing)
    further = failing_upstream(holding, parents=parents, failing=failing)
    first_pipelines = {pipeline for pipeline in holding if further[pipeline].isdisjoint(holding)}
    result: dict[int, OpenIncident | None] = {}
    for pipeline, candidates in upstream.items():
        first = [incident for root in candidates & first_pipelines for incident in holding[root]]
        result[pipeline] = min(first, key=lambda incident: (incident.opened_at, incident.key), default=None)
    return result
