"""Blame: which open incident upstream explains a pipeline's failure."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
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


def failing_upstream(pipeline: int, *, parents: Neighbors, failing: Collection[int]) -> set[int]:
    """Return the failing pipelines upstream of one that are joined to it by failing pipelines only."""
    return set(closure(pipeline, neighbors=_failing_parents(parents, failing)))


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
    neighbors = _failing_parents(parents, failing)
    upstream = {pipeline: set(closure(pipeline, neighbors=neighbors)) & set(holding) for pipeline in pipelines}
    further = {
        pipeline: set(closure(pipeline, neighbors=neighbors)) & set(holding)
        for pipeline in set().union(*upstream.values())
    }
    result: dict[int, OpenIncident | None] = {}
    for pipeline, candidates in upstream.items():
        first = [incident for root in candidates if not further[root] for incident in holding[root]]
        result[pipeline] = min(first, key=lambda incident: (incident.opened_at, incident.key), default=None)
    return result


def _failing_parents(parents: Neighbors, failing: Collection[int]) -> Mapping[int, set[int]]:
    return {pipeline: set(upstream) & set(failing) for pipeline, upstream in parents.items()}
