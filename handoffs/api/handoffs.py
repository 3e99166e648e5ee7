"""API views for hand-offs: meetings, sheets and signatures."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.fields import InstantField, LineField, MultilineField
from common.api.filters import InstantFilter, ListFilterBackend, RangeFilterSet
from common.identifiers import ID_PATTERN
from handoffs.models import MAX_NOTE_CHARACTERS, Handoff
from handoffs.queries.handoffs import all_handoffs
from handoffs.queries.sheet_items import MAX_SHEET_ITEMS
from handoffs.queries.sheets import Topic, handoff_sheets
from handoffs.services.sheets import (
    NoteChange,
    SheetChange,
    change_sheet,
    close_handoff,
    sign_handoff,
    withdraw_signature,
)
from people.permissions import request_user
from people.serializers import UsernameField
from scheduling.api.filters import rotation_filter

Rows = list[dict[str, Any]]
MAX_ITEMS_IN_LIST = 5
MAX_TOPICS = 200


class ItemSerializer(serializers.Serializer[Any]):
    """A line of live data: its text, the page it links to, and its state (ok, warn, danger or none).

    `link` and `badge` are parts of `text`: what to link, and what to show in the colour of the state.
    """

    text = serializers.CharField()
    path = serializers.CharField(allow_blank=True)
    state = serializers.CharField(allow_blank=True)
    link = serializers.CharField(allow_blank=True)
    badge = serializers.CharField(allow_blank=True)


class TopicSerializer(serializers.Serializer[Any]):
    """A topic of the sheet with its live data and its note."""

    title = LineField(max_length=400)
    items = ItemSerializer(many=True, read_only=True)
    notes = MultilineField(allow_blank=True, trim_whitespace=False, max_length=MAX_NOTE_CHARACTERS)
    version = serializers.IntegerField(
        min_value=0,
        max_value=2_000_000_000,
        default=0,
        help_text="Rises with every change of the notes. Send the one you read: if the notes changed since, the answer is 409.",
    )


class HandoffSerializer(serializers.ModelSerializer[Handoff]):
    """A hand-off: both engineers, the time, the meeting, the sheet and the signatures."""

    rotation = serializers.SlugRelatedField[Any](slug_field="slug", read_only=True)
    outgoing = UsernameField(read_only=True)
    incoming = UsernameField(read_only=True)
    closed_by = UsernameField(read_only=True)
    topics = serializers.SerializerMethodField()

    class Meta:
        model = Handoff
        fields = (
            "id",
            "rotation",
            "at",
            "outgoing",
            "incoming",
            "meeting_starts_at",
            "meeting_ends_at",
            "topics",
            "signed_outgoing_at",
            "signed_incoming_at",
            "closed_at",
            "closed_by",
        )
        read_only_fields = fields

    @extend_schema(responses=TopicSerializer(many=True))
    def get_topics(self, handoff: Handoff) -> list[dict[str, Any]]:
        """Return the topics of the hand-off's sheet."""
        sheets: dict[int, list[Topic]] = self.context["sheets"]
        return [topic.to_json() for topic in sheets[handoff.pk]]


class SheetSerializer(serializers.Serializer[Any]):
    """A change to a hand-off: notes by topic title, and the meeting time."""

    topics = TopicSerializer(many=True, required=False, max_length=MAX_TOPICS)  # type: ignore[call-arg]  # DRF passes it to the list
    meeting_starts_at = InstantField(required=False)
    meeting_ends_at = InstantField(required=False)

    def change(self) -> SheetChange:
        """Return the validated change."""
        fields = self.validated_data
        return SheetChange(
            notes={topic["title"]: NoteChange(topic["notes"], topic["version"]) for topic in fields.get("topics", ())},
            meeting_starts_at=fields.get("meeting_starts_at"),
            meeting_ends_at=fields.get("meeting_ends_at"),
        )


class SignatureSerializer(serializers.Serializer[Any]):
    """A signature. `confirm_early` allows it before the meeting."""

    confirm_early = serializers.BooleanField(default=False)


class HandoffFilter(RangeFilterSet):
    """Hand-offs of a rotation, and those in the window from `from` until before `to`."""

    rotation = rotation_filter()
    to = InstantFilter(field_name="at", lookup_expr="lt", help_text="End of the window: a date or an instant.")
    from_ = InstantFilter(field_name="at", lookup_expr="gte", help_text="Start of the window: a date or an instant.")


class HandoffViewSet(viewsets.GenericViewSet[Handoff]):
    """Hand-offs, oldest first. Every user can write notes; only the two engineers can sign."""

    serializer_class = HandoffSerializer
    lookup_value_regex = ID_PATTERN
    filter_backends = [ListFilterBackend]
    filterset_class = HandoffFilter

    def get_queryset(self) -> QuerySet[Handoff]:
        """Return hand-offs that are not cancelled."""
        return all_handoffs()

    def list(self, request: Request) -> Response:
        """List past and upcoming hand-offs with their sheets. Each topic has at most 5 lines here."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        return self.get_paginated_response(self._rows(page, max_items=MAX_ITEMS_IN_LIST))

    def retrieve(self, request: Request, pk: str) -> Response:
        """Return a hand-off with its sheet."""
        return Response(self._rows([self.get_object()])[0])

    @extend_schema(request=SheetSerializer, responses=HandoffSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Update notes and the meeting time in one transaction. Returns 409 after both engineers have signed."""
        row = self.get_object()
        serializer = SheetSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        change_sheet(row, change=serializer.change(), by=request_user(request), at=timezone.now())
        return self.retrieve(request, pk)

    @extend_schema(request=SignatureSerializer, responses=HandoffSerializer)
    @action(detail=True, methods=["post"])
    def sign(self, request: Request, pk: str) -> Response:
        """Sign a hand-off as its outgoing or incoming engineer. The second signature freezes the sheet.

        Returns 409 more than a day before the hand-off, and before the meeting without `confirm_early`.
        """
        # The body is optional.
        serializer = SignatureSerializer(data=request.data if request.content_type == "application/json" else {})
        serializer.is_valid(raise_exception=True)
        row, confirm_early = self.get_object(), serializer.validated_data["confirm_early"]
        sign_handoff(row, by=request_user(request), at=timezone.now(), confirm_early=confirm_early)
        return self.retrieve(request, pk)

    @extend_schema(request=None, responses=HandoffSerializer)
    @action(detail=True, methods=["post"])
    def unsign(self, request: Request, pk: str) -> Response:
        """Withdraw your signature. Returns 409 after both engineers have signed."""
        withdraw_signature(self.get_object(), by=request_user(request))
        return self.retrieve(request, pk)

    @extend_schema(request=None, responses=HandoffSerializer)
    @action(detail=True, methods=["post"])
    def close(self, request: Request, pk: str) -> Response:
        """Close a past hand-off whose missing signer was deactivated. The sheet is frozen."""
        close_handoff(self.get_object(), by=request_user(request), at=timezone.now())
        return self.retrieve(request, pk)

    def _rows(self, rows: Iterable[Handoff], *, max_items: int = MAX_SHEET_ITEMS) -> Rows:
        handoffs = list(rows)
        context = {
            **self.get_serializer_context(),
            "sheets": handoff_sheets(handoffs, at=timezone.now(), max_items=max_items),
        }
        return list(HandoffSerializer(handoffs, many=True, context=context).data)
