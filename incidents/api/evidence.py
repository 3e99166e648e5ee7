"""API of evidence: the evidence of an incident, and the evidence blocks of a runbook with their approvals."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.lists import paginate_list
from common.identifiers import SLUG_PATTERN
from incidents.models import Evidence
from incidents.queries.evidence import BlockState, runbook_blocks
from incidents.queries.steps import StepStatistic, step_statistics
from incidents.services.evidence import approve_block, revoke_block
from people.permissions import IsAdminOrReadOnly, request_user
from people.serializers import UsernameField
from runbooks.models import Runbook

KEY_PATTERN = "[0-9a-f]{64}"


class EvidenceSerializer(serializers.ModelSerializer[Evidence]):
    """The result of an evidence block. `rows` is empty and `rows_hidden` true for engineers unless an admin made the rows visible."""

    source = serializers.CharField(  # type: ignore[assignment]  # DRF has an attribute of that name
        source="source.name", allow_null=True, default=None, read_only=True
    )
    requested_by = UsernameField(read_only=True)
    run = serializers.IntegerField(source="run_id", read_only=True, allow_null=True, help_text="ID of the runbook run.")
    seconds = serializers.FloatField(read_only=True, allow_null=True)
    columns = serializers.ListField(child=serializers.CharField(), read_only=True)
    rows = serializers.SerializerMethodField()
    row_count = serializers.SerializerMethodField(help_text="Number of stored rows.")
    rows_hidden = serializers.SerializerMethodField()
    details = serializers.SerializerMethodField(help_text="The database’s error message, for admins only.")

    class Meta:
        model = Evidence
        fields = (
            "id",
            "key",
            "step",
            "step_text",
            "revision",
            "kind",
            "name",
            "source",
            "query",
            "check_id",
            "run",
            "state",
            "requested_at",
            "requested_by",
            "started_at",
            "finished_at",
            "seconds",
            "columns",
            "rows",
            "row_count",
            "is_truncated",
            "rows_hidden",
            "error",
            "details",
        )
        read_only_fields = fields

    def get_rows(self, row: Evidence) -> list[list[Any]]:
        """Return the rows, or none if the caller may not see values from the data source."""
        rows: list[list[Any]] = row.rows
        return rows if self._shows_rows(row) else []

    def get_row_count(self, row: Evidence) -> int:
        """Return the number of stored rows."""
        return len(row.rows)

    def get_rows_hidden(self, row: Evidence) -> bool:
        """Return True if there are rows that the caller may not see."""
        return bool(row.rows) and not self._shows_rows(row)

    def get_details(self, row: Evidence) -> str:
        """Return the details for admins, and nothing for others."""
        return row.error_details if request_user(self.context["request"]).is_staff else ""

    def _shows_rows(self, row: Evidence) -> bool:
        return row.shows_rows_to(request_user(self.context["request"]))


class RerunSerializer(serializers.Serializer[Any]):
    """The block to run again. Default: all blocks."""

    key = serializers.RegexField(
        rf"\A{KEY_PATTERN}\Z", required=False, help_text="`key` of a block. Default: every block."
    )


class BlockSerializer(serializers.Serializer[BlockState]):
    """An evidence block of a runbook. `state` is `ready`, `waiting` (for an admin's approval) or `problem`."""

    key = serializers.CharField(source="block.key")
    step = serializers.IntegerField()
    step_text = serializers.CharField()
    kind = serializers.ChoiceField(Evidence.Kind.choices, source="block.kind")
    name = serializers.CharField(source="block.name", help_text="Data source or check, as written.")
    source = serializers.CharField(  # type: ignore[assignment]  # DRF has an attribute of that name
        source="source.name", allow_null=True, default=None
    )
    query = serializers.CharField(source="block.query")
    look_alikes = serializers.ListField(
        child=serializers.CharField(),
        help_text="Characters in the query that look like other characters, such as a Cyrillic o. Review them before you approve the query.",
    )
    check_id = serializers.IntegerField(source="check.pk", allow_null=True, default=None)
    state = serializers.ChoiceField(["ready", "waiting", "problem"])
    problem = serializers.CharField()
    approved_by = serializers.CharField(source="approval.approved_by.username", allow_null=True, default=None)
    approved_at = serializers.DateTimeField(source="approval.approved_at", allow_null=True, default=None)
    rows_for_engineers = serializers.BooleanField(source="approval.rows_for_engineers", default=False)


class ApproveSerializer(serializers.Serializer[Any]):
    """Whether engineers can see the rows. Otherwise only admins can."""

    rows_for_engineers = serializers.BooleanField(default=False)


class StepStatisticSerializer(serializers.Serializer[StepStatistic]):
    """Statistics of a step of the current revision, over all runs that included it. Seconds are medians."""

    position = serializers.IntegerField()
    text = serializers.CharField()
    runs = serializers.IntegerField()
    done = serializers.IntegerField(help_text="Number of runs in which the step was marked as done.")
    fixed = serializers.IntegerField(help_text="Number of incidents that the step fixed.")
    seconds = serializers.FloatField(allow_null=True, help_text="Time since the previous step was done.")
    seconds_to_resolve = serializers.FloatField(
        allow_null=True, help_text="Time from opening to resolution of the incidents that the step fixed."
    )


class RunbookEvidenceViewSet(viewsets.GenericViewSet[Any]):
    """Evidence blocks of runbooks and statistics of their steps, by the slug of the pipeline."""

    lookup_field = "pipeline__slug"
    lookup_url_kwarg = "slug"
    lookup_value_regex = SLUG_PATTERN
    permission_classes = [IsAdminOrReadOnly]
    serializer_class = BlockSerializer
    queryset = Runbook.objects.select_related("pipeline")

    @extend_schema(responses=BlockSerializer(many=True))
    @action(detail=True)
    def evidence(self, request: Request, slug: str) -> Response:
        """List the evidence blocks under the steps of the current revision."""
        return paginate_list(self, request, runbook_blocks(self._runbook(slug)), serializer=BlockSerializer)

    @extend_schema(request=ApproveSerializer, responses=BlockSerializer)
    @action(detail=True, methods=["post"], url_path=f"evidence/(?P<key>{KEY_PATTERN})/approve")
    def approve(self, request: Request, slug: str, key: str) -> Response:
        """Approve the query of a block: this exact SQL may run on this data source. Admins only."""
        serializer = ApproveSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        runbook = self._runbook(slug)
        approve_block(runbook, key=key, by=request_user(request), at=timezone.now(), **serializer.validated_data)
        return self._block(runbook, key=key)

    @extend_schema(request=None, responses=BlockSerializer)
    @action(detail=True, methods=["post"], url_path=f"evidence/(?P<key>{KEY_PATTERN})/revoke")
    def revoke(self, request: Request, slug: str, key: str) -> Response:
        """Revoke the approval of a block's query. Admins only."""
        runbook = self._runbook(slug)
        revoke_block(runbook, key=key, by=request_user(request))
        return self._block(runbook, key=key)

    @extend_schema(responses=StepStatisticSerializer(many=True))
    @action(detail=True)
    def steps(self, request: Request, slug: str) -> Response:
        """List the steps of the current revision: how often each was done and fixed an incident, and how long it took."""
        return paginate_list(self, request, step_statistics(self._runbook(slug)), serializer=StepStatisticSerializer)

    def _runbook(self, slug: str) -> Runbook:
        return get_object_or_404(Runbook.objects.select_related("pipeline"), pipeline__slug=slug)

    def _block(self, runbook: Runbook, *, key: str) -> Response:
        state = next(one for one in runbook_blocks(runbook) if one.block.key == key)
        return Response(BlockSerializer(state).data, status=status.HTTP_200_OK)
