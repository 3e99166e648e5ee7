"""API endpoints for swap requests and suggestions."""

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.params import paginate_list
from common.datetimes import parse_date_param
from common.exceptions import InvalidInputError
from people.permissions import request_user
from people.queries import names_of
from people.serializers import UsernameField
from scheduling.api.moves import MoveSerializer, move_row
from scheduling.domain.suggestions import Suggestion
from scheduling.models import Rotation, SwapRequest
from scheduling.queries.suggestions import suggestions_for
from scheduling.queries.swaps import all_swaps
from scheduling.services.swaps import SwapProposal, accept_swap, cancel_swap, decline_swap, request_swap

LINK = "[0-9]{1,15}"


class SwapSerializer(serializers.ModelSerializer[SwapRequest]):
    """A swap request, with weeks by start date and people by username."""

    rotation = serializers.SlugRelatedField(slug_field="slug", queryset=Rotation.objects.order_by("pk"))
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
            "acknowledge_conflicts",
        )
        read_only_fields = ("state", "reason", "created_at", "expires_at", "decided_at")

    def get_accepted_by(self, swap: SwapRequest) -> list[str]:
        """Return the engineers who have accepted a three-way swap."""
        return [one.username for one in (swap.counterpart, swap.third) if one and one.pk in swap.accepted_by]


class AnswerSerializer(serializers.Serializer[Any]):
    """A response to a swap request: the engineer an admin responds for, acknowledged conflicts and a comment."""

    engineer = UsernameField(required=False)
    acknowledge_conflicts = serializers.BooleanField(required=False, default=False)
    word = serializers.CharField(required=False, allow_blank=True, max_length=500, default="")


class SuggestionSerializer(serializers.Serializer[Any]):
    """A suggested way to give away a week."""

    kind = serializers.ChoiceField(["two_way", "three_way", "one_way"])
    moves = MoveSerializer(many=True)
    score = serializers.FloatField()
    why = serializers.ListField(child=serializers.CharField())


class SwapViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[SwapRequest]):
    """Swap requests: create, accept, decline or withdraw them."""

    serializer_class = SwapSerializer
    lookup_value_regex = LINK

    def get_queryset(self) -> QuerySet[SwapRequest]:
        """Return all requests, newest first, filtered by `?state=` if given."""
        rows = all_swaps()
        state = self.request.query_params.get("state", "")
        if state and state not in SwapRequest.State.values:
            raise InvalidInputError({"state": [f"One of {', '.join(SwapRequest.State.values)}."]})
        return rows.filter(state=state) if state else rows

    def create(self, request: Request) -> Response:
        """Request a swap of one of your weeks."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        fields = dict(given.validated_data)
        rotation = fields.pop("rotation")
        swap = request_swap(rotation, proposal=SwapProposal(**fields), by=request_user(request), at=timezone.now())
        return Response(self.get_serializer(swap).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=AnswerSerializer, responses=SwapSerializer)
    @action(detail=True, methods=["post"])
    def accept(self, request: Request, pk: str) -> Response:
        """Accept a swap request. The weeks change hands at once."""
        answer = _answer(request)
        swap = accept_swap(
            self.get_object(),
            by=request_user(request),
            at=timezone.now(),
            engineer=answer.get("engineer"),
            acknowledge_conflicts=answer["acknowledge_conflicts"],
        )
        return Response(self.get_serializer(swap).data)

    @extend_schema(request=AnswerSerializer, responses=SwapSerializer)
    @action(detail=True, methods=["post"])
    def decline(self, request: Request, pk: str) -> Response:
        """Decline a swap request, with an optional comment."""
        answer = _answer(request)
        swap = decline_swap(
            self.get_object(),
            by=request_user(request),
            at=timezone.now(),
            engineer=answer.get("engineer"),
            comment=answer["word"],
        )
        return Response(self.get_serializer(swap).data)

    @extend_schema(request=None, responses=SwapSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Withdraw a swap request."""
        swap = cancel_swap(self.get_object(), by=request_user(request), at=timezone.now())
        return Response(self.get_serializer(swap).data)

    @extend_schema(
        parameters=[
            OpenApiParameter("rotation", OpenApiTypes.STR, required=True),
            OpenApiParameter("week", OpenApiTypes.DATE, required=True),
        ],
        responses=SuggestionSerializer(many=True),
    )
    @action(detail=False)
    def suggestions(self, request: Request) -> Response:
        """Suggest engineers who could take a week, best first, with reasons."""
        rotation = Rotation.objects.filter(slug=request.query_params.get("rotation", "").replace("\0", "")).first()
        if rotation is None:
            raise InvalidInputError({"rotation": ["Name a rotation by its slug."]})
        week = parse_date_param(request.query_params, name="week", default=dt.date.min)
        found = suggestions_for(rotation, week=week, at=timezone.now())
        if found is None:
            raise InvalidInputError({"week": ["Name a coming week of the rotation by the date it starts on."]})
        names = names_of(key for one in found for move in one.moves for key in (move.giver, move.taker))
        return paginate_list(self, request, [suggestion_row(one, names=names) for one in found])


def suggestion_row(suggestion: Suggestion, *, names: dict[int, str]) -> dict[str, Any]:
    """Return a suggestion as API data."""
    return {
        "kind": suggestion.kind,
        "moves": [move_row(move, names=names) for move in suggestion.moves],
        "score": suggestion.score,
        "why": list(suggestion.why),
    }


def _answer(request: Request) -> dict[str, Any]:
    given = AnswerSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)
