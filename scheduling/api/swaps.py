"""API endpoints for swap requests and suggestions."""

import datetime as dt
from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.fields import DayField, LineField
from common.api.filters import ListFilterBackend
from common.api.lists import paginate_list
from common.datetimes import parse_date_param
from common.exceptions import InvalidInputError
from people.permissions import request_user
from people.serializers import UsernameField
from scheduling.api.filters import SwapFilter
from scheduling.api.serializers import RotationField, SuggestionSerializer
from scheduling.models import Rotation, SwapRequest
from scheduling.queries.suggestions import suggestions_for
from scheduling.queries.swaps import all_swaps
from scheduling.services.swaps import SwapProposal, accept_swap, cancel_swap, decline_swap, remind_swap, request_swap


class SwapSerializer(serializers.ModelSerializer[SwapRequest]):
    """A swap request, with shifts by start date and people by user name."""

    rotation = RotationField()
    offered_week = DayField()
    wanted_week = DayField(required=False, allow_null=True)
    third_week = DayField(required=False, allow_null=True)
    requester = UsernameField(read_only=True)
    counterpart = UsernameField(required=False, allow_null=True)
    third = UsernameField(required=False, allow_null=True)
    decided_by = UsernameField(read_only=True)
    requested_by = UsernameField(read_only=True)
    kind = serializers.CharField(read_only=True)
    accepted_by = serializers.SerializerMethodField()
    acknowledge_conflicts = serializers.BooleanField(write_only=True, required=False, default=False)

    class Meta:
        model = SwapRequest
        fields = (
            "id",
            "rotation",
            "kind",
            "offered_week",
            "wanted_week",
            "third_week",
            "requester",
            "counterpart",
            "third",
            "accepted_by",
            "state",
            "message",
            "reason",
            "requested_by",
            "decided_by",
            "created_at",
            "expires_at",
            "decided_at",
            "reminded_at",
            "acknowledge_conflicts",
        )
        read_only_fields = ("state", "reason", "created_at", "expires_at", "decided_at", "reminded_at")

    def get_accepted_by(self, swap: SwapRequest) -> list[str]:
        """Return the engineers who have accepted a three-way swap."""
        return [
            person.username for person in (swap.counterpart, swap.third) if person and person.pk in swap.accepted_by
        ]


class SwapResponseSerializer(serializers.Serializer[Any]):
    """A response to a swap request: the engineer an admin responds for, acknowledged conflicts and a reason."""

    engineer = UsernameField(required=False)
    acknowledge_conflicts = serializers.BooleanField(required=False, default=False)
    reason = LineField(required=False, allow_blank=True, max_length=500, default="")


class SwapViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[SwapRequest]):
    """Swap requests: create, accept, decline or withdraw them."""

    queryset = all_swaps()
    serializer_class = SwapSerializer
    filter_backends = (ListFilterBackend,)
    filterset_class = SwapFilter
    lookup_value_regex = "[0-9]{1,15}"

    def create(self, request: Request) -> Response:
        """Request a swap of one of your shifts."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        fields = dict(serializer.validated_data)
        rotation = fields.pop("rotation")
        swap = request_swap(rotation, proposal=SwapProposal(**fields), by=request_user(request), at=timezone.now())
        return Response(self.get_serializer(swap).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=SwapResponseSerializer, responses={200: SwapSerializer})
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, pk: str) -> Response:
        """Accept a swap request. The shifts change hands at once."""
        fields = _read_response(request)
        swap = accept_swap(
            self.get_object(),
            by=request_user(request),
            at=timezone.now(),
            engineer=fields.get("engineer"),
            acknowledge_conflicts=fields["acknowledge_conflicts"],
        )
        return Response(self.get_serializer(swap).data)

    @extend_schema(request=SwapResponseSerializer, responses={200: SwapSerializer})
    @action(detail=True, methods=["post"])
    def decline(self, request: Request, pk: str) -> Response:
        """Decline a swap request, with an optional reason."""
        fields = _read_response(request)
        swap = decline_swap(
            self.get_object(),
            by=request_user(request),
            at=timezone.now(),
            engineer=fields.get("engineer"),
            comment=fields["reason"],
        )
        return Response(self.get_serializer(swap).data)

    @extend_schema(request=None, responses={200: SwapSerializer})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Withdraw a swap request."""
        swap = cancel_swap(self.get_object(), by=request_user(request), at=timezone.now())
        return Response(self.get_serializer(swap).data)

    @extend_schema(request=None, responses={200: SwapSerializer})
    @action(detail=True, methods=["post"])
    def remind(self, request: Request, pk: str) -> Response:
        """Remind those who have not answered a swap request, at most once in 24 hours."""
        swap = remind_swap(self.get_object(), by=request_user(request), at=timezone.now())
        return Response(self.get_serializer(swap).data)

    @extend_schema(
        parameters=[
            OpenApiParameter("rotation", OpenApiTypes.STR, required=True),
            OpenApiParameter("week", OpenApiTypes.DATE, required=True),
        ],
        filters=False,
        responses=SuggestionSerializer(many=True),
    )
    @action(detail=False)
    def suggestions(self, request: Request) -> Response:
        """Suggest engineers who could take a shift, best first, with reasons."""
        rotation = Rotation.objects.filter(slug=request.query_params.get("rotation", "").replace("\0", "")).first()
        if rotation is None:
            raise InvalidInputError({"rotation": ["Enter the slug of a rotation."]})
        week = parse_date_param(request.query_params, name="week", default=dt.date.min)
        suggestions = suggestions_for(rotation, week=week, at=timezone.now())
        if suggestions is None:
            raise InvalidInputError({"week": ["Enter the start date of an upcoming shift of the rotation."]})
        return paginate_list(self, request, list(SuggestionSerializer(suggestions, many=True).data))


def _read_response(request: Request) -> dict[str, Any]:
    serializer = SwapResponseSerializer(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
