"""API endpoints for cover requests."""

from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.fields import InstantField, LineField
from common.api.filters import ListFilterBackend
from people.permissions import request_user
from people.serializers import UsernameField
from scheduling.api.filters import CoverRequestFilter
from scheduling.api.serializers import RotationField
from scheduling.models import Cover, CoverRequest
from scheduling.queries.cover_requests import all_cover_requests, open_periods
from scheduling.services.cover_requests import (
    CoverProposal,
    accept_cover_request,
    cancel_cover_request,
    decline_cover_request,
    remind_cover_request,
    request_cover,
)


class PeriodSerializer(serializers.Serializer[Any]):
    """A period that is still open."""

    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class CoverPartSerializer(serializers.ModelSerializer[Cover]):
    """An accepted part: the cover, its engineer and its period."""

    cover = serializers.IntegerField(source="pk", read_only=True)
    engineer = UsernameField(read_only=True)

    class Meta:
        model = Cover
        fields = ("cover", "engineer", "starts_at", "ends_at")
        read_only_fields = fields


class RequestedCoverSerializer(serializers.ModelSerializer[CoverRequest]):
    """A cover request. `open` is the time that it still asks for, `accepted` the parts that engineers have accepted."""

    rotation = RotationField()
    requester = UsernameField(read_only=True)
    counterpart = UsernameField(required=False, allow_null=True)
    starts_at = InstantField(required=False)
    ends_at = InstantField()
    message = LineField(required=False, allow_blank=True, max_length=200, default="")
    open = serializers.SerializerMethodField()
    accepted = CoverPartSerializer(source="covers", many=True, read_only=True)
    requested_by = UsernameField(read_only=True)
    decided_by = UsernameField(read_only=True)

    class Meta:
        model = CoverRequest
        fields = (
            "id",
            "rotation",
            "requester",
            "counterpart",
            "starts_at",
            "ends_at",
            "state",
            "message",
            "open",
            "accepted",
            "reason",
            "requested_by",
            "decided_by",
            "created_at",
            "expires_at",
            "decided_at",
            "reminded_at",
        )
        read_only_fields = ("state", "reason", "created_at", "expires_at", "decided_at", "reminded_at")
        # Skip the serializer's validators: the service explains overlaps in words.
        validators: list[Any] = []

    @extend_schema_field(PeriodSerializer(many=True))
    def get_open(self, request: CoverRequest) -> Any:
        """Return the time that is still open, from the context."""
        periods = self.context["open_periods"][request.pk]
        return PeriodSerializer([{"starts_at": begin, "ends_at": end} for begin, end in periods], many=True).data


class CoverAcceptanceSerializer(serializers.Serializer[Any]):
    """An acceptance: the part, by default all that is open, the engineer an admin accepts for, and acknowledged conflicts."""

    starts_at = InstantField(required=False)
    ends_at = InstantField(required=False)
    engineer = UsernameField(required=False)
    acknowledge_conflicts = serializers.BooleanField(required=False, default=False)


class CoverDeclineSerializer(serializers.Serializer[Any]):
    """A refusal: the engineer an admin declines for, and a reason."""

    engineer = UsernameField(required=False)
    reason = LineField(required=False, allow_blank=True, max_length=500, default="")


class CoverRequestViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[CoverRequest]):
    """Cover requests: create, accept in full or in part, decline or withdraw them."""

    queryset = all_cover_requests()
    serializer_class = RequestedCoverSerializer
    filter_backends = (ListFilterBackend,)
    filterset_class = CoverRequestFilter
    lookup_value_regex = "[0-9]{1,15}"

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List cover requests, newest first."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self._rows(page or []))

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return a cover request."""
        return Response(self._data(self.get_object()))

    def create(self, request: Request) -> Response:
        """Request a cover for your on-call time, from a named engineer or from anyone. The start defaults to now."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        fields, at = dict(serializer.validated_data), timezone.now()
        rotation = fields.pop("rotation")
        proposal = CoverProposal(**{"starts_at": at, **fields})
        row = request_cover(rotation, proposal=proposal, by=request_user(request), at=at)
        return Response(self._data(row), status=status.HTTP_201_CREATED)

    @extend_schema(request=CoverAcceptanceSerializer, responses={200: RequestedCoverSerializer})
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, pk: str) -> Response:
        """Accept a cover request in full, or from `starts_at` to `ends_at`. You are on call for that time at once."""
        serializer = CoverAcceptanceSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        row = self.get_object()
        accept_cover_request(row, by=request_user(request), at=timezone.now(), **serializer.validated_data)
        return Response(self._data(self.get_object()))

    @extend_schema(request=CoverDeclineSerializer, responses={200: RequestedCoverSerializer})
    @action(detail=True, methods=["post"])
    def decline(self, request: Request, pk: str) -> Response:
        """Decline a cover request, with an optional reason."""
        serializer = CoverDeclineSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        fields = serializer.validated_data
        decline_cover_request(
            self.get_object(),
            by=request_user(request),
            at=timezone.now(),
            engineer=fields.get("engineer"),
            comment=fields["reason"],
        )
        return Response(self._data(self.get_object()))

    @extend_schema(request=None, responses={200: RequestedCoverSerializer})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Withdraw what is still open of a cover request. Accepted covers stay."""
        cancel_cover_request(self.get_object(), by=request_user(request), at=timezone.now())
        return Response(self._data(self.get_object()))

    @extend_schema(request=None, responses={200: RequestedCoverSerializer})
    @action(detail=True, methods=["post"])
    def remind(self, request: Request, pk: str) -> Response:
        """Remind those who have not answered a cover request, at most once in 24 hours."""
        remind_cover_request(self.get_object(), by=request_user(request), at=timezone.now())
        return Response(self._data(self.get_object()))

    def _data(self, row: CoverRequest) -> Any:
        return self._rows([row])[0]

    def _rows(self, rows: Sequence[CoverRequest]) -> Any:
        """Return requests as data; two statements find the open time of all of them."""
        context = {**self.get_serializer_context(), "open_periods": open_periods(rows, at=timezone.now())}
        return RequestedCoverSerializer(rows, many=True, context=context).data
