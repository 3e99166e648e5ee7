"""Incidents upstream that hold others below them, and the held ones that have to escalate after all."""

import datetime as dt
from collections.abc import Collection, Iterable

from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet

from incidents.domain.blame import OpenIncident, failing_upstream, roots
from incidents.models import EscalationStep, Incident, MaintenanceWindow
from lineage.queries import current_graph
from lineage.queries import parents as direct_parents
from pipelines.models import Pipeline
from validation.domain.results import ResultStatus
from validation.models import Check, ExternalCheck


def upstream_incident(pipeline: Pipeline, *, at: dt.datetime) -> OpenIncident | None:
    """Return the open incident upstream that explains a failure of a pipeline now, or None: then its own incident escalates."""
    if not direct_parents([pipeline.pk], at=at)[pipeline.pk]:
        return None
    graph = current_graph(at=at)
    ancestors = graph.ancestors(pipeline.pk)
    rows = Incident.objects.unresolved().without_drills().filter(pipeline__in=ancestors).select_related("pipeline")
    incidents, failing = holders(rows).values(), failing_pipelines(ancestors)
    return roots([pipeline.pk], parents=graph.parents, failing=failing, incidents=incidents, at=at)[pipeline.pk]


def holders(rows: Iterable[Incident]) -> dict[int, OpenIncident]:
    """Return what decides whether each unresolved incident holds those below it, by primary key, in one statement."""
    incidents = {row.pk: row for row in rows}
    steps = EscalationStep.objects.filter(incident__in=list(incidents), round=F("incident__round")).order_by()
    first = dict(steps.values_list("incident").annotate(Min("at")))
    return {
        pk: OpenIncident(
            key=pk,
            pipeline=row.pipeline_id,
            opened_at=row.opened_at,
            acknowledge_by=first[pk] + row.acknowledgement_time if pk in first else None,
            is_acknowledged=row.state == Incident.State.ACKNOWLEDGED,
            has_recovered=row.recovered_at is not None,
        )
        for pk, row in incidents.items()
    }


def failing_pipelines(pipelines: Collection[int]) -> set[int]:
    """Return those of some pipelines that fail, are late or are stale: by a check or by an open incident that has not recovered."""
    incidents = Incident.objects.unresolved().without_drills().filter(pipeline__in=pipelines, recovered_at=None)
    own = Check.objects.filter(pipeline__in=pipelines, is_active=True, last_status=ResultStatus.FAIL)
    is_bad = Q(status=ResultStatus.FAIL) | Q(is_stale=True)
    external = ExternalCheck.objects.filter(is_bad, pipeline__in=pipelines)
    rows = (incidents, own, external)
    return {key for query in rows for key in query.order_by().values_list("pipeline", flat=True).distinct() if key}


def release_reasons(children: Iterable[Incident], *, at: dt.datetime) -> dict[int, str]:
    """Return why the incidents that nothing upstream holds any more escalate, by primary key. Those that are held are left out.

    The number of statements is the same however many incidents there are.
    """
    rows = list(children)
    parents = Incident.objects.select_related("pipeline").in_bulk({row.parent_id for row in rows if row.parent_id})
    upstream = holders(parents.values())
    graph = current_graph(at=at)
    ancestors = {pipeline: graph.ancestors(pipeline) for pipeline in {row.pipeline_id for row in rows}}
    failing = failing_pipelines(set().union(*ancestors.values()))
    blamed = failing_upstream(ancestors, parents=graph.parents, failing=failing)
    reasons = {}
    for row in rows:
        holder = parents.get(row.parent_id or 0)
        if holder is None or holder.is_resolved:
            reasons[row.pk] = "The upstream incident was resolved."
        elif holder.recovered_at is not None:
            reasons[row.pk] = f"{holder.pipeline} recovered."
        elif not upstream[holder.pk].holds(at):
            reasons[row.pk] = "Nobody acknowledged the upstream incident in time."
        elif holder.pipeline_id not in ancestors[row.pipeline_id]:
            reasons[row.pk] = f"{holder.pipeline} is no longer upstream."
        elif holder.pipeline_id not in blamed[row.pipeline_id]:
            reasons[row.pk] = f"A pipeline between this one and {holder.pipeline} recovered."
    return reasons


def incidents_held_upstream(*, at: dt.datetime) -> QuerySet[Incident]:
    """Return the failing incidents that an incident upstream holds, except those of pipelines in maintenance."""
    windows = MaintenanceWindow.objects.active(at=at).filter(pipeline=OuterRef("pipeline"))
    rows = Incident.objects.filter(
        ~Exists(windows),
        state=Incident.State.OPEN,
        hold=Incident.Hold.UPSTREAM,
        snoozed_until=None,
        recovered_at=None,
    )
    return rows.order_by("pk")
