"""Incidents for lists, pages and the API."""

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Count, Exists, F, OuterRef, Prefetch, QuerySet, Subquery, Value, When, Window
from django.db.models.fields.json import KT
from django.db.models.functions import RowNumber

from incidents.models import (
    Alert,
    AlertQuerySet,
    EscalationStep,
    Evidence,
    Failure,
    Incident,
    IncidentQuerySet,
    MaintenanceWindow,
    RunbookRun,
    RunStep,
    TimelineEntry,
)
from incidents.queries.evidence import with_check_names
from people.models import User
from pipelines.models import Pipeline
from scheduling.domain.responder_chain import Link
from scheduling.queries.on_call import responder_chains
from validation.models import Check

# An incident lists at most this many timeline entries and notifications; the timeline has a list of its own.
MAX_DETAIL_ROWS = 50


def all_incidents() -> IncidentQuerySet:
    """Return every incident with its pipeline and people: open, then acknowledged, then resolved ones."""
    people = ("opened_by", "acknowledged_by", "resolved_by", "assignee")
    return Incident.objects.all().select_related("pipeline", "parent__pipeline", *people).open_first()


def detailed_incidents() -> QuerySet[Incident]:
    """Return every incident with its newest timeline entries, notifications and failures, in order, and its newest runbook run."""
    entries = TimelineEntry.objects.select_related("by").order_by("pk")
    escalation_steps = EscalationStep.objects.select_related("engineer").order_by("pk")
    children = Incident.objects.only("pk", "parent").order_by("-pk")
    run_steps = RunStep.objects.select_related("run", "done_by").order_by("position")
    return all_incidents().prefetch_related(
        Prefetch("timeline", queryset=_newest_per_incident(entries, limit=MAX_DETAIL_ROWS)),
        Prefetch("failures", queryset=_newest_per_incident(Failure.objects.order_by("pk"), limit=MAX_DETAIL_ROWS)),
        Prefetch("escalation_steps", queryset=_newest_per_incident(escalation_steps, limit=MAX_DETAIL_ROWS)),
        Prefetch("runs", queryset=_newest_per_incident(RunbookRun.objects.order_by("pk"), limit=1)),
        Prefetch("runs__steps", queryset=run_steps),
        Prefetch("children", queryset=_newest_per(children, "parent", limit=MAX_DETAIL_ROWS)),
    )


def _newest_per_incident(rows: QuerySet[Any], *, limit: int) -> QuerySet[Any]:
    return _newest_per(rows, "incident", limit=limit)


def _newest_per(rows: QuerySet[Any], name: str, *, limit: int) -> QuerySet[Any]:
    rank = Window(RowNumber(), partition_by=F(name), order_by=F("pk").desc())
    newest: QuerySet[Any] = rows.annotate(newest_rank=rank).filter(newest_rank__lte=limit)
    return newest


def active_maintenance(*, at: dt.datetime) -> QuerySet[MaintenanceWindow]:
    """Return the maintenance windows that cover an instant, with their pipelines, the first to end first."""
    rows: QuerySet[MaintenanceWindow] = MaintenanceWindow.objects.active(at=at).select_related("pipeline")
    return rows.order_by("ends_at", "pk")


def next_maintenance_change(*, at: dt.datetime, until: dt.datetime) -> dt.datetime:
    """Return the first instant after `at` at which a maintenance window starts or ends, at most `until`."""
    rows = MaintenanceWindow.objects.order_by().filter(ends_at__gt=at, starts_at__lt=until)
    spans: list[tuple[dt.datetime, dt.datetime]] = list(rows.values_list("starts_at", "ends_at"))
    return min([until, *(instant for span in spans for instant in span if instant > at)])


def open_incidents(*, pipeline: Pipeline | None = None) -> IncidentQuerySet:
    """Return the unresolved incidents of one pipeline, or of all, without drills."""
    rows = all_incidents().unresolved().without_drills()
    return rows if pipeline is None else rows.filter(pipeline=pipeline)


def check_incident(check_id: int) -> Incident | None:
    """Return the unresolved incident in which a check fails, or None."""
    return open_incidents().filter(failures__check_id=check_id, failures__is_open=True).first()


def open_by_urgency() -> IncidentQuerySet:
    """Return the unresolved incidents, the most severe first, and of those the oldest first."""
    ranks = [When(severity=severity, then=Value(rank)) for rank, severity in enumerate(Incident.Severity.values)]
    return open_incidents().annotate(severity_rank=Case(*ranks)).order_by("severity_rank", "opened_at", "pk")


def open_counts(pipelines: Iterable[Pipeline]) -> dict[int, int]:
    """Return the number of unresolved incidents by pipeline."""
    rows = Incident.objects.unresolved().without_drills().filter(pipeline__in=[row.pk for row in pipelines])
    return dict(rows.order_by().values_list("pipeline").annotate(Count("pk")))


def incidents_to_run(pipeline: Pipeline) -> QuerySet[Incident]:
    """Return a pipeline's unresolved incidents; `under_way` says whether the runbook is in progress."""
    runs = RunbookRun.objects.filter(incident=OuterRef("pk"), ended_at=None)
    return open_incidents(pipeline=pipeline).annotate(under_way=Exists(runs))


def timeline(incident: Incident) -> QuerySet[TimelineEntry]:
    """Return an incident's timeline, newest first; `engineer_name` is the display name of the engineer in an entry's data."""
    names = User.objects.get_queryset().filter(username=OuterRef("username")).values("display_name")
    rows = incident.timeline.annotate(username=KT("data__engineer")).annotate(engineer_name=Subquery(names))
    return rows.select_related("by").order_by("-pk")


def runbook_runs(incident: Incident) -> QuerySet[RunbookRun]:
    """Return an incident's runbook runs with their steps and newest evidence, newest first."""
    steps = RunStep.objects.select_related("done_by").order_by("position")
    evidence = with_check_names(Evidence.objects.select_related("source", "approval", "requested_by")).order_by("-pk")
    rows = incident.runs.select_related("runbook__pipeline", "started_by")
    prefetched = (
        Prefetch("steps", queryset=steps),
        Prefetch("evidence", queryset=_newest_per(evidence, "run", limit=MAX_DETAIL_ROWS)),
    )
    return rows.prefetch_related(*prefetched).order_by("-started_at", "-pk")


def active_run(incident: Incident) -> RunbookRun | None:
    """Return an incident's runbook run that has not ended, or None."""
    return runbook_runs(incident).filter(ended_at=None).first()


@dataclass(frozen=True, slots=True)
class EscalationLink:
    """A link of the escalation chain: its engineer, their notification in this round if any, and whether they are next."""

    link: Link
    engineer: User
    step: EscalationStep | None
    is_next: bool

    @property
    def role_label(self) -> str:
        return str(EscalationStep.Role(self.link.role).label)


def escalation_chain(incident: Incident, *, at: dt.datetime) -> list[EscalationLink]:
    """Return the escalation chain of an incident's pipeline at `at`, in order; of a resolved incident, as it escalated."""
    steps = {step.engineer_id: step for step in incident.escalation_steps.filter(round=incident.round)}
    if incident.state == Incident.State.RESOLVED:
        at = min((step.at for step in steps.values()), default=incident.opened_at)
    chain = responder_chains([incident.pipeline], at=at)[incident.pipeline_id]
    people = User.objects.get_queryset().in_bulk([link.engineer.id for link in chain.links])
    next_engineer = None
    if incident.next_escalation_at is not None and not _is_assignee_next(incident, notified=steps):
        next_engineer = next(
            (link.engineer for link in chain.links if link.available and link.engineer.id not in steps), None
        )
    return [
        EscalationLink(
            link=link,
            engineer=people[link.engineer.id],
            step=steps.get(link.engineer.id),
            is_next=link.engineer == next_engineer,
        )
        for link in chain.links
    ]


def _is_assignee_next(incident: Incident, *, notified: Collection[int]) -> bool:
    assignee = incident.assignee
    return assignee is not None and assignee.is_active and assignee.pk not in notified


def next_notified(incident: Incident, *, chain: Iterable[EscalationLink]) -> User | None:
    """Return who is notified next if nobody acknowledges the incident; None for the admins, or if nobody is."""
    if incident.next_escalation_at is None:
        return None
    notified = incident.escalation_steps.filter(round=incident.round).values_list("engineer", flat=True)
    if _is_assignee_next(incident, notified=set(notified)):
        return incident.assignee
    return next((link.engineer for link in chain if link.is_next), None)


def incidents_below(incident: Incident) -> IncidentQuerySet:
    """Return the incidents that one explains: open, then acknowledged, then resolved ones."""
    return all_incidents().filter(parent=incident)


def incident_failures(incident: Incident) -> QuerySet[Failure]:
    """Return the failing checks in an incident, those that have not recovered first; `has_page` unless the check was deleted."""
    has_page = Exists(Check.objects.filter(pk=OuterRef("check_id")))
    return incident.failures.annotate(has_page=has_page).order_by(F("recovered_at").asc(nulls_first=True), "pk")


def alerts() -> AlertQuerySet:
    """Return every alert with its pipeline, newest first."""
    return Alert.objects.select_related("pipeline").order_by("-received_at", "-pk")
