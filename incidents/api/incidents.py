"""The API's calls about incidents (product.md §8, §10)."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.params import paginate_list
from common.exceptions import InvalidInputError
from incidents.api.serializers import (
    ChangeSerializer,
    CommentSerializer,
    EntrySerializer,
    IncidentSerializer,
    MarkSerializer,
    ReassignSerializer,
    ResolveSerializer,
    StepSerializer,
    WholeIncidentSerializer,
)
from incidents.models import EscalationStep, Incident, RunbookRun, RunStep, TimelineEntry
from incidents.queries.incidents import all_incidents
from incidents.services import transitions
from incidents.services.opening import NewIncident, open_incident
from incidents.services.runbook_runs import mark_step, start_run
from incidents.services.transitions import add_note, reassign, update_incident
from people.models import ApiToken
from people.permissions import request_user
from pipelines.models import Pipeline

LINK = "[0-9]{1,15}"
UNRESOLVED = "unresolved"
STATES = (*Incident.State.values, UNRESOLVED)


class IncidentViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Incident]):
    """Incidents: opened, acknowledged, handed over, noted, resolved, reopened, and the runbook run against them."""

    lookup_value_regex = LINK

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        """Return the whole incident for one, its row for a list."""
        return IncidentSerializer if self.action in ("list", "create") else WholeIncidentSerializer

    def get_queryset(self) -> QuerySet[Incident]:
        """Return every incident, those nobody has acknowledged first; narrowed by `?pipeline=` and `?state=`."""
        rows: QuerySet[Incident] = all_incidents()
        asked = self.request.query_params
        if slug := asked.get("pipeline", ""):
            pipeline = Pipeline.objects.filter(slug=slug.replace("\0", "")).first()
            if pipeline is None:
                raise InvalidInputError({"pipeline": ["Name a pipeline by its slug."]})
            rows = rows.filter(pipeline=pipeline)
        if state := asked.get("state", ""):
            if state not in STATES:
                raise InvalidInputError({"state": [f"One of {', '.join(STATES)}."]})
            rows = rows.exclude(state=Incident.State.RESOLVED) if state == UNRESOLVED else rows.filter(state=state)
        return rows if self.action == "list" else with_everything(rows)

    @extend_schema(
        parameters=[
            OpenApiParameter("pipeline", OpenApiTypes.STR, description="A pipeline's slug."),
            OpenApiParameter("state", OpenApiTypes.STR, enum=STATES),
        ]
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List incidents, those that nobody has acknowledged first, the resolved last."""
        return super().list(request, *args, **kwargs)

    @extend_schema(responses={201: WholeIncidentSerializer})
    def create(self, request: Request) -> Response:
        """Open an incident; the responder is told."""
        given = IncidentSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        fields = dict(given.validated_data)
        source = Incident.Source.API if isinstance(request.auth, ApiToken) else Incident.Source.PERSON
        pipeline = fields.pop("pipeline")
        what = NewIncident(**fields, source=source)
        incident = open_incident(pipeline, what=what, by=request_user(request), at=timezone.now())
        return self._whole(incident, code=status.HTTP_201_CREATED)

    @extend_schema(request=ChangeSerializer, responses=WholeIncidentSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Correct the kind, the title or the text."""
        fields = _given(ChangeSerializer, request)
        update_incident(self.get_object(), by=request_user(request), at=timezone.now(), **fields)
        return self._whole(self.get_object())

    @extend_schema(request=None, responses=WholeIncidentSerializer)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str) -> Response:
        """Take an incident: nobody else is told from now on."""
        incident = transitions.acknowledge(self.get_object(), by=request_user(request), at=timezone.now())
        return self._whole(incident)

    @extend_schema(request=ResolveSerializer, responses=WholeIncidentSerializer)
    @action(detail=True, methods=["post"])
    def resolve(self, request: Request, pk: str) -> Response:
        """Close an incident, with a word and the step of the runbook that ended it."""
        fields = _given(ResolveSerializer, request)
        incident = transitions.resolve(self.get_object(), by=request_user(request), at=timezone.now(), **fields)
        return self._whole(incident)

    @extend_schema(request=CommentSerializer, responses=WholeIncidentSerializer)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str) -> Response:
        """Open an incident again: escalation starts from the beginning."""
        fields = _given(CommentSerializer, request)
        incident = transitions.reopen(self.get_object(), by=request_user(request), at=timezone.now(), **fields)
        return self._whole(incident)

    @extend_schema(request=ReassignSerializer, responses=WholeIncidentSerializer)
    @action(detail=True, methods=["post"])
    def handover(self, request: Request, pk: str) -> Response:
        """Give an incident to another engineer, who is told."""
        fields = _given(ReassignSerializer, request)
        to = fields.pop("engineer")
        incident = reassign(self.get_object(), to=to, by=request_user(request), at=timezone.now(), **fields)
        return self._whole(incident)

    @extend_schema(methods=["get"], responses=EntrySerializer(many=True))
    @extend_schema(methods=["post"], request=CommentSerializer, responses={201: WholeIncidentSerializer})
    @action(detail=True, methods=["get", "post"])
    def notes(self, request: Request, pk: str) -> Response:
        """List the notes on an incident, or add one."""
        incident = self.get_object()
        if request.method == "POST":
            add_note(incident, by=request_user(request), at=timezone.now(), **_given(CommentSerializer, request))
            return self._whole(incident, code=status.HTTP_201_CREATED)
        notes = [entry for entry in incident.timeline.all() if entry.kind == TimelineEntry.Kind.NOTED]
        return paginate_list(self, request, list(EntrySerializer(notes, many=True).data))

    @extend_schema(methods=["get"], responses=StepSerializer(many=True))
    @extend_schema(methods=["post"], request=MarkSerializer, responses=StepSerializer)
    @action(detail=True, methods=["get", "post"])
    def steps(self, request: Request, pk: str) -> Response:
        """List the steps of the runbook's newest run, or tick one, untick it, write its note; starts a run where none is."""
        incident = self.get_object()
        if request.method == "POST":
            return self._mark(incident, request)
        return paginate_list(self, request, WholeIncidentSerializer(incident).data["steps"])

    def _mark(self, incident: Incident, request: Request) -> Response:
        fields, by, at = _given(MarkSerializer, request), request_user(request), timezone.now()
        if "note" not in fields:
            fields.setdefault("done", True)
        step = mark_step(incident, by=by, at=at, starting=True, **fields)
        return Response(StepSerializer(step).data)

    @extend_schema(request=None, responses={201: WholeIncidentSerializer})
    @action(detail=True, methods=["post"])
    def run(self, request: Request, pk: str) -> Response:
        """Start the runbook against an incident: its numbered steps become a checklist."""
        incident = self.get_object()
        start_run(incident, by=request_user(request), at=timezone.now())
        return self._whole(incident, code=status.HTTP_201_CREATED)

    def _whole(self, incident: Incident, *, code: int = status.HTTP_200_OK) -> Response:
        row = with_everything(all_incidents()).get(pk=incident.pk)
        return Response(WholeIncidentSerializer(row).data, status=code)


def with_everything(rows: QuerySet[Incident]) -> QuerySet[Incident]:
    """Return incidents with their timelines, who was told, and the runs of their runbooks."""
    return rows.prefetch_related(
        Prefetch("timeline", queryset=TimelineEntry.objects.select_related("by").order_by("at", "pk")),
        Prefetch("tellings", queryset=EscalationStep.objects.select_related("engineer").order_by("round", "at", "pk")),
        Prefetch("runs", queryset=RunbookRun.objects.order_by("-started_at", "-pk")),
        Prefetch("runs__steps", queryset=RunStep.objects.select_related("run", "done_by").order_by("position")),
    )


def _given(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    given = serializer(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)
