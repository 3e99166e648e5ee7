"""Status, open incidents and maintenance of each pipeline, in a fixed number of queries."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count
from django.db.models.functions import Now

from incidents.domain.status import pipeline_status
from incidents.models import Incident, MaintenanceWindow
from pipelines.models import Pipeline
from validation.models import Check, ExternalCheck


@dataclass(frozen=True, slots=True)
class PipelineStatus:
    """A pipeline's status, one of `incidents.domain.status.STATUSES`, its number of unresolved incidents, and maintenance."""

    name: str
    open_incidents: int
    in_maintenance: bool

    @property
    def badge(self) -> str:
        """The badge's CSS class: ok, warn, danger or none."""
        return {"ok": "ok", "unknown": "", "warn": "warn", "delayed": "warn", "stale": "warn"}.get(self.name, "danger")


def statuses(pipelines: Iterable[Pipeline]) -> dict[int, PipelineStatus]:
    """Return the status by pipeline, in four queries for any number of pipelines.

    A pipeline's checks are its enabled checks and those of external tools.
    """
    keys = [row.pk for row in pipelines]
    counts: dict[int, dict[str, int]] = {key: {} for key in keys}
    rows = Incident.objects.unresolved().without_drills().filter(pipeline__in=keys).order_by()
    for pipeline, kind, count in rows.values_list("pipeline", "kind").annotate(Count("pk")):
        counts[pipeline][kind] = count
    results: dict[int, set[str]] = {key: set() for key in keys}
    own = Check.objects.filter(pipeline__in=keys, is_active=True).order_by().values_list("pipeline", "last_status")
    # A check whose last run was skipped because something upstream failed counts as stale besides its last result.
    external = ExternalCheck.objects.filter(pipeline__in=keys).order_by().values_list("pipeline", "status", "is_stale")
    for pipeline, result in own.distinct():
        results[pipeline].add(result)
    for pipeline, result, is_stale in external.distinct():
        if pipeline is not None:
            results[pipeline] |= {result, "stale"} if is_stale else {result}
    windows = MaintenanceWindow.objects.filter(pipeline__in=keys, starts_at__lte=Now(), ends_at__gt=Now())
    in_maintenance = set(windows.order_by().values_list("pipeline", flat=True))
    return {
        key: PipelineStatus(
            name=pipeline_status(kinds=kinds, results=results[key]),
            open_incidents=sum(kinds.values()),
            in_maintenance=key in in_maintenance,
        )
        for key, kinds in counts.items()
    }
