"""Each pipeline's status and how many incidents are open, in a fixed number of statements."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count

from incidents.domain.status import status_of
from incidents.models import Incident
from pipelines.models import Pipeline
from validation.models import Check, ExternalCheck


@dataclass(frozen=True, slots=True)
class PipelineStatus:
    """A pipeline's status, one of `incidents.domain.status.STATUSES`, and how many of its incidents are not resolved."""

    word: str
    open_incidents: int

    @property
    def badge(self) -> str:
        """The colour that repeats the word: ok, warn, danger, or none."""
        return {"ok": "ok", "unknown": "", "warn": "warn", "delayed": "warn", "stale": "warn"}.get(self.word, "danger")


def statuses(pipelines: Iterable[Pipeline]) -> dict[int, PipelineStatus]:
    """Return the status of each of these pipelines, by pipeline, in three statements for any number of them.

    Its checks are those of this site that are switched on, and those of other tools.
    """
    keys = [row.pk for row in pipelines]
    counts: dict[int, dict[str, int]] = {key: {} for key in keys}
    rows = Incident.objects.unresolved().filter(pipeline__in=keys).order_by()
    for pipeline, kind, count in rows.values_list("pipeline", "kind").annotate(Count("pk")):
        counts[pipeline][kind] = count
    results: dict[int, set[str]] = {key: set() for key in keys}
    own = Check.objects.filter(pipeline__in=keys, is_active=True).order_by().values_list("pipeline", "last_status")
    # A check whose last run was skipped because something upstream failed counts as stale besides its last result.
    others = ExternalCheck.objects.filter(pipeline__in=keys).order_by().values_list("pipeline", "status", "is_stale")
    for pipeline, said in own.distinct():
        results[pipeline].add(said)
    for pipeline, said, is_stale in others.distinct():
        if pipeline is not None:
            results[pipeline] |= {said, "stale"} if is_stale else {said}
    return {
        key: PipelineStatus(word=status_of(kinds=kinds, results=results[key]), open_incidents=sum(kinds.values()))
        for key, kinds in counts.items()
    }
