"""API of incidents."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django_filters.filterset import FilterSet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.filters import IdFilter, ListFilterBackend, SlugFilter, WordFilter
from common.api.lists import paginate_list
from common.identifiers import ID_PATTERN
from incidents.api.evidence import EvidenceSerializer, RerunSerializer
from incidents.api.serializers import (
    CommentSerializer,
    FailureSerializer,
    IncidentDetailSerializer,
    IncidentRowSerializer,
    IncidentSerializer,
    IncidentUpdateSerializer,
    MarkStepSerializer,
    ReassignSerializer,
    ResolveSerializer,
    RunStepSerializer,
    SimilarIncidentSerializer,
    SnoozeSerializer,
    StopwatchStepSerializer,
    TimelineEntrySerializer,
)
from incidents.models import Evidence, Incident, RunStep, TimelineEntry
from incidents.queries.evidence import all_evidence
from incidents.queries.incidents import all_incidents, detailed_incidents
from incidents.queries.similar import similar_incidents
from incidents.queries.stopwatch import stopwatch
from incidents.services import transitions
from incidents.services.evidence import rerun_evidence
from incidents.services.runbook_runs import mark_step, start_run
from incidents.services.transitions import NewIncident, open_incident
from people.models import ApiToken
from people.permissions import request_user
from pipelines.models import Pipeline

UNRESOLVED = "unresolved"


class IncidentFilter(FilterSet):
    """Filters of the list."""

    pipeline = SlugFilter(noun="pipeline", queryset=Pipeline.objects.order_by("pk"), help_text="Slug of a pipeline.")
    severity = WordFilter(choices=Incident.Severity.choices)
    parent = IdFilter(
        noun="incident", queryset=Incident.objects.order_by("pk"), help_text="ID of an incident: those below it."
    )
    state = WordFilter(choices=[*Incident.State.choices, (UNRESOLVED, "Unresolved")], method="filter_state")

    def filter_state(self, rows: QuerySet[Incident], name: str, value: str) -> QuerySet[Incident]:
        """Return the incidents in a state; `unresolved` means open or acknowledged."""
        return rows.exclude(state=Incident.State.RESOLVED) if value == UNRESOLVED else rows.filter(state=value)


class IncidentViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Incident]):
    """Incidents: open, acknowledge, reassign, annotate, resolve and reopen them, and run their runbook."""

    lookup_value_regex = ID_PATTERN
    filter_backends = [ListFilterBackend]
    filterset_class = IncidentFilter

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        """Return the short serializer for lists, and the detailed one otherwise."""
        by_action = {"list": IncidentRowSerializer, "create": IncidentSerializer}
        return by_action.get(self.action, IncidentDetailSerializer)

    def get_queryset(self) -> QuerySet[Incident]:
        """Return every incident, open ones first."""
        return detailed_incidents() if self.action == "retrieve" else all_incidents()

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List incidents: open, then acknowledged, then resolved ones, each newest first."""
        return super().list(request, *args, **kwargs)

    @extend_schema(responses={201: IncidentDetailSerializer})
    def create(self, request: Request) -> Response:
        """Open an incident; the responder is notified."""
        fields = _validated(IncidentSerializer, request)
        source = Incident.Source.API if isinstance(request.auth, ApiToken) else Incident.Source.PERSON
        pipeline = fields.pop("pipeline")
        what = NewIncident(**fields, source=source)
        incident = open_incident(pipeline, what=what, by=request_user(request), at=timezone.now())
        return _detail(incident, status=status.HTTP_201_CREATED)

    @extend_schema(responses=StopwatchStepSerializer(many=True))
    @action(detail=True)
    def stopwatch(self, request: Request, pk: str) -> Response:
        """List how long each step took since the incident opened, in order."""
        return Response(StopwatchStepSerializer(stopwatch(self.get_object()), many=True).data)

    @extend_schema(request=IncidentUpdateSerializer, responses=IncidentDetailSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Edit the kind, severity, title or text."""
        fields = _validated(IncidentUpdateSerializer, request)
        incident = self.get_object()
        return _detail(transitions.update_incident(incident, by=request_user(request), at=timezone.now(), **fields))

    @extend_schema(request=None, responses=IncidentDetailSerializer)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str) -> Response:
        """Acknowledge an incident: it is assigned to you and stops escalating."""
        incident = self.get_object()
        return _detail(transitions.acknowledge(incident, by=request_user(request), at=timezone.now()))

    @extend_schema(request=ResolveSerializer, responses=IncidentDetailSerializer)
    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, pk: str) -> Response:
        """Resolve an incident, with the resolution and the runbook step that fixed it."""
        fields, incident = _validated(ResolveSerializer, request), self.get_object()
        return _detail(transitions.resolve(incident, by=request_user(request), at=timezone.now(), **fields))

    @extend_schema(request=CommentSerializer, responses=IncidentDetailSerializer)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str) -> Response:
        """Reopen an incident: escalation starts again with the responder."""
        fields, incident = _validated(CommentSerializer, request), self.get_object()
        return _detail(transitions.reopen(incident, by=request_user(request), at=timezone.now(), **fields))

    @extend_schema(request=ReassignSerializer, responses=IncidentDetailSerializer)
    @action(detail=True, methods=["post"])
    def reassign(self, request: Request, pk: str) -> Response:
        """Assign an incident to another engineer, who is notified."""
        fields, incident = _validated(ReassignSerializer, request), self.get_object()
        to = fields.pop("engineer")
        return _detail(transitions.reassign(incident, to=to, by=request_user(request), at=timezone.now(), **fields))

    @extend_schema(request=SnoozeSerializer, responses=IncidentDetailSerializer)
    @action(detail=True, methods=["post"])
    def snooze(self, request: Request, pk: str) -> Response:
        """Snooze an incident: nobody is notified until then, when escalation starts again."""
        fields, incident = _validated(SnoozeSerializer, request), self.get_object()
        return _detail(transitions.snooze(incident, by=request_user(request), at=timezone.now(), **fields))

    @extend_schema(responses=TimelineEntrySerializer(many=True))
    @action(detail=True)
    def timeline(self, request: Request, pk: str) -> Response:
        """List an incident's timeline, oldest first."""
        rows = self.get_object().timeline.select_related("by").order_by("pk")
        return paginate_list(self, request, rows, serializer=TimelineEntrySerializer)

    @extend_schema(responses=FailureSerializer(many=True))
    @action(detail=True)
    def failures(self, request: Request, pk: str) -> Response:
        """List the failing checks in an incident, oldest first."""
        return paginate_list(self, request, self.get_object().failures.order_by("pk"), serializer=FailureSerializer)

    @extend_schema(responses=SimilarIncidentSerializer(many=True))
    @action(detail=True)
    def similar(self, request: Request, pk: str) -> Response:
        """List up to three similar past incidents and their fixes."""
        return paginate_list(self, request, similar_incidents(self.get_object()), serializer=SimilarIncidentSerializer)

    @extend_schema(methods=["get"], responses=TimelineEntrySerializer(many=True))
    @extend_schema(methods=["post"], request=CommentSerializer, responses={201: IncidentDetailSerializer})
    @action(detail=True, methods=["get", "post"])
    def notes(self, request: Request, pk: str) -> Response:
        """List an incident's notes, oldest first, or add one."""
        incident = self.get_object()
        if request.method == "POST":
            fields = _validated(CommentSerializer, request)
            entry = transitions.add_note(incident, by=request_user(request), at=timezone.now(), **fields)
            return _detail(entry.incident, status=status.HTTP_201_CREATED)
        rows = incident.timeline.filter(kind=TimelineEntry.Kind.NOTE).select_related("by").order_by("pk")
        return paginate_list(self, request, rows, serializer=TimelineEntrySerializer)

    @extend_schema(methods=["get"], responses=RunStepSerializer(many=True))
    @extend_schema(methods=["post"], request=MarkStepSerializer, responses=RunStepSerializer)
    @action(detail=True, methods=["get", "post"])
    def steps(self, request: Request, pk: str) -> Response:
        """List the steps of the newest runbook run, or mark one and save its note; starts a run if none is active."""
        incident = self.get_object()
        if request.method == "POST":
            fields = _validated(MarkStepSerializer, request)
            if "note" not in fields:
                fields.setdefault("done", True)
            step = mark_step(incident, by=request_user(request), at=timezone.now(), start=True, **fields)
            return Response(RunStepSerializer(step).data)
        run = incident.runs.order_by("-pk").first()
        rows = RunStep.objects.filter(run=run).select_related("run", "done_by").order_by("position")
        return paginate_list(self, request, rows, serializer=RunStepSerializer)

    @extend_schema(methods=["get"], responses=EvidenceSerializer(many=True))
    @extend_schema(methods=["post"], request=RerunSerializer, responses={202: EvidenceSerializer(many=True)})
    @action(detail=True, methods=["get", "post"])
    def evidence(self, request: Request, pk: str) -> Response:
        """List the evidence of an incident, oldest first, or run one block or all of them again; a worker runs them."""
        incident = self.get_object()
        if request.method == "POST":
            fields = _validated(RerunSerializer, request)
            rerun_evidence(incident, by=request_user(request), at=timezone.now(), **fields)
        answer = paginate_list(self, request, all_evidence(incident), serialize=partial(_evidence, request=request))
        answer.status_code = status.HTTP_202_ACCEPTED if request.method == "POST" else status.HTTP_200_OK
        return answer

    @extend_schema(request=None, responses={201: IncidentDetailSerializer})
    @action(detail=True, methods=["post"])
    def run(self, request: Request, pk: str) -> Response:
        """Start the pipeline's runbook on an incident: its steps become a checklist."""
        incident = self.get_object()
        start_run(incident, by=request_user(request), at=timezone.now())
        return _detail(incident, status=status.HTTP_201_CREATED)


def _evidence(rows: Sequence[Evidence], *, request: Request) -> list[Any]:
    return list(EvidenceSerializer(rows, many=True, context={"request": request}).data)


def _detail(incident: Incident, *, status: int = status.HTTP_200_OK) -> Response:
    row = detailed_incidents().get(pk=incident.pk)
    return Response(IncidentDetailSerializer(row).data, status=status)


def _validated(serializer: type[serializers.BaseSerializer[Any]], request: Request) -> dict[str, Any]:
    instance = serializer(data=request.data)
    instance.is_valid(raise_exception=True)
    return dict(instance.validated_data)
