"""Incidents as lists and pages show them."""

from collections.abc import Iterable

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.fields.json import KT

from incidents.models import Alert, AlertQuerySet, Incident, IncidentQuerySet, RunbookRun, RunStep, TimelineEntry
from people.models import User
from pipelines.models import Pipeline


def all_incidents() -> IncidentQuerySet:
    """Return every incident with its pipeline and people, those that nobody has acknowledged first."""
    people = ("opened_by", "acknowledged_by", "resolved_by", "assignee")
    return Incident.objects.all().select_related("pipeline", *people).open_first()


def open_incidents(*, pipeline: Pipeline | None = None) -> IncidentQuerySet:
    """Return the incidents that are not resolved, of all pipelines or of one."""
    rows = all_incidents().unresolved()
    return rows if pipeline is None else rows.filter(pipeline=pipeline)


def open_counts(pipelines: Iterable[Pipeline]) -> dict[int, int]:
    """Return how many incidents each pipeline has that are not resolved, by pipeline."""
    rows = Incident.objects.unresolved().filter(pipeline__in=[row.pk for row in pipelines])
    return dict(rows.order_by().values_list("pipeline").annotate(Count("pk")))


def incidents_to_run(pipeline: Pipeline) -> QuerySet[Incident]:
    """Return a pipeline's open incidents; `under_way` tells whether the runbook is being run against one already."""
    runs = RunbookRun.objects.filter(incident=OuterRef("pk"), ended_at=None)
    return open_incidents(pipeline=pipeline).annotate(under_way=Exists(runs))


def timeline_of(incident: Incident) -> QuerySet[TimelineEntry]:
    """Return the steps of an incident's timeline, newest first; `whom` is the name of the engineer a step is about."""
    named = User.objects.get_queryset().filter(username=OuterRef("user_name")).values("display_name")
    rows = incident.timeline.annotate(user_name=KT("data__engineer")).annotate(whom=Subquery(named))
    return rows.select_related("by").order_by("-at", "-pk")


def runs_of(incident: Incident) -> QuerySet[RunbookRun]:
    """Return the runs of runbooks against an incident with their steps, the running one first."""
    steps = RunStep.objects.select_related("done_by").order_by("position")
    rows = incident.runs.select_related("runbook__pipeline", "started_by")
    return rows.prefetch_related(Prefetch("steps", queryset=steps)).order_by("-started_at", "-pk")


def running(incident: Incident) -> RunbookRun | None:
    """Return the run of a runbook against an incident that has not ended, or None."""
    return runs_of(incident).filter(ended_at=None).first()


def latest_of(*, check_key: int | None = None, fingerprint: str = "") -> Incident | None:
    """Return the newest incident of a check or of an alert, or None; an unresolved one before all others."""
    named = Q(check_key=check_key) if check_key is not None else Q(fingerprint=fingerprint)
    return Incident.objects.filter(named).select_related("pipeline").open_first().first()


def alerts() -> AlertQuerySet:
    """Return every alert with its pipeline, newest first."""
    return Alert.objects.select_related("pipeline").order_by("-received_at", "-pk")
