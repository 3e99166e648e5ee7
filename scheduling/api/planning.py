"""API endpoints for admins to change rosters and to plan around time off."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.fields import DayField, ListField
from common.exceptions import NotAllowedError
from people.permissions import request_user
from people.queries import people_by_username
from people.serializers import UsernameField
from scheduling.api.serializers import MoveSerializer
from scheduling.api.swaps import SwapSerializer
from scheduling.domain.optimizer import Infeasible
from scheduling.domain.weeks import Move
from scheduling.models import Rotation, SwapRequest
from scheduling.queries.rosters import RosterChange, roster_change
from scheduling.queries.suggestions import plan_for
from scheduling.services.optimizer import apply_moves
from scheduling.services.rosters import change_roster, check_roster_change

MAX_ENGINEERS = 500
MAX_MOVES = 100


class RosterSerializer(serializers.Serializer[Any]):
    """Ordered engineers, and the start date of the first engineer's shift."""

    starts_on = DayField()
    engineers = ListField(child=UsernameField(), allow_empty=False, max_length=MAX_ENGINEERS)


class CancelledSwapSerializer(serializers.Serializer[Any]):
    """A swap that a roster change would cancel, and why."""

    id = serializers.IntegerField()
    reason = serializers.CharField()

    def to_representation(self, instance: tuple[SwapRequest, str]) -> dict[str, Any]:
        """Return a swap and the reason as one row."""
        swap, reason = instance
        return super().to_representation({"id": swap.pk, "reason": reason})


class RosterChangeSerializer(serializers.Serializer[RosterChange]):
    """The effect of a roster change: shifts that move, shifts gained and lost per engineer, and swaps it cancels."""

    weeks = MoveSerializer(many=True)
    gained = serializers.SerializerMethodField()
    lost = serializers.SerializerMethodField()
    swaps_lost = CancelledSwapSerializer(many=True)

    def get_gained(self, change: RosterChange) -> dict[str, int]:
        """Return how many shifts each engineer gains, by user name."""
        return {person.username: count for person, count in change.gained.items()}

    def get_lost(self, change: RosterChange) -> dict[str, int]:
        """Return how many shifts each engineer loses, by user name."""
        return {person.username: count for person, count in change.lost.items()}


class PlanSerializer(serializers.Serializer[Any]):
    """The fewest moves that leave nobody on call while away, or the reason why there are none."""

    exists = serializers.BooleanField()
    optimal = serializers.BooleanField()
    moves = MoveSerializer(many=True)
    reason = serializers.CharField(allow_blank=True)


class MovesSerializer(serializers.Serializer[Any]):
    """Moves to apply together."""

    moves = MoveSerializer(many=True, allow_empty=False, max_length=MAX_MOVES)  # type: ignore[call-arg]  # DRF passes it to the list


class PlanningActions(viewsets.GenericViewSet[Rotation]):
    """Roster and planning endpoints of a rotation."""

    @extend_schema(request=RosterSerializer, responses={200: RosterChangeSerializer})
    @action(detail=True, methods=["post"])
    def roster(self, request: Request, slug: str) -> Response:
        """Change a rotation's roster from an upcoming shift on. Return the shifts that move. Admins only."""
        rotation, person, roster = self.get_object(), request_user(request), _read_roster(request)
        change = roster_change(rotation, **roster)
        change_roster(rotation, **roster, by=person, at=timezone.now())
        return Response(RosterChangeSerializer(change).data)

    @extend_schema(request=RosterSerializer, responses={200: RosterChangeSerializer})
    @action(detail=True, methods=["post"], url_path="roster/preview")
    def roster_preview(self, request: Request, slug: str) -> Response:
        """Preview which shifts a new roster would move, without saving it."""
        rotation, roster = self.get_object(), _read_roster(request)
        check_roster_change(rotation, **roster, at=timezone.now())
        return Response(RosterChangeSerializer(roster_change(rotation, **roster)).data)

    @extend_schema(responses={200: PlanSerializer})
    @action(detail=True)
    def plan(self, request: Request, slug: str) -> Response:
        """Find the fewest moves in the next 26 weeks that leave nobody on call while away. Admins only."""
        if not request_user(request).is_staff:
            raise NotAllowedError("Only an admin can plan around time off.")
        plan = plan_for(self.get_object(), at=timezone.now())
        if isinstance(plan, Infeasible):
            return Response(
                PlanSerializer({"exists": False, "optimal": False, "moves": (), "reason": plan.reason}).data
            )
        result = {"exists": True, "optimal": plan.optimal, "moves": plan.moves, "reason": ""}
        return Response(PlanSerializer(result).data)

    @extend_schema(request=MovesSerializer, responses={200: SwapSerializer(many=True)})
    @action(detail=True, methods=["post"], url_path="plan/apply")
    def plan_apply(self, request: Request, slug: str) -> Response:
        """Apply a plan's moves, all or none. Each is recorded as an accepted swap. Admins only."""
        rotation, person = self.get_object(), request_user(request)
        serializer = MovesSerializer(data=request.data, context={"people": people_by_username()})
        serializer.is_valid(raise_exception=True)
        moves = [Move(**row) for row in serializer.validated_data["moves"]]
        swaps = apply_moves(rotation, moves=moves, by=person, at=timezone.now())
        return Response(SwapSerializer(swaps, many=True).data)


def _read_roster(request: Request) -> dict[str, Any]:
    serializer = RosterSerializer(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)
