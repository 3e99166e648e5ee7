"""API endpoints for admins to change rosters and plan around time off."""

import datetime as dt
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.datetimes import EARLIEST, INVALID_DATE, LATEST
from common.exceptions import NotAllowedError
from people.models import User
from people.permissions import request_user
from people.queries import names_of
from people.serializers import UsernameField
from scheduling.api.moves import MoveSerializer, move_row
from scheduling.api.swaps import SwapSerializer
from scheduling.domain.optimizer import Infeasible
from scheduling.domain.weeks import Move
from scheduling.models import Rotation
from scheduling.queries.rosters import RosterChange, roster_change
from scheduling.queries.suggestions import plan_for
from scheduling.services.optimizer import apply_moves
from scheduling.services.rosters import change_roster


class RosterSerializer(serializers.Serializer[Any]):
    """Ordered engineers, and the start date of the first engineer's week."""

    starts_on = serializers.DateField()
    engineers = serializers.ListField(child=UsernameField(), allow_empty=False, max_length=500)

    def validate_starts_on(self, day: dt.date) -> dt.date:
        """Return the date; raise ValidationError if it is out of range."""
        if not EARLIEST <= day < LATEST:
            raise serializers.ValidationError(INVALID_DATE)
        return day


class RosterChangeSerializer(serializers.Serializer[Any]):
    """The impact of a roster: weeks that change hands, weeks gained and lost, and swaps that become void."""

    weeks = MoveSerializer(many=True)
    gained = serializers.DictField(child=serializers.IntegerField())
    lost = serializers.DictField(child=serializers.IntegerField())
    swaps_lost = serializers.ListField(child=serializers.DictField())


class PlanSerializer(serializers.Serializer[Any]):
    """The fewest moves that leave nobody on call while away, or the reason why there are none."""

    exists = serializers.BooleanField()
    optimal = serializers.BooleanField()
    moves = MoveSerializer(many=True)
    reason = serializers.CharField(allow_blank=True)


class MovesSerializer(serializers.Serializer[Any]):
    """Moves to apply together."""

    moves = MoveSerializer(many=True, allow_empty=False)


class PlanningCalls(viewsets.GenericViewSet[Rotation]):
    """Roster and planning endpoints of a rotation."""

    @extend_schema(request=RosterSerializer, responses=RosterChangeSerializer)
    @action(detail=True, methods=["post"])
    def roster(self, request: Request, slug: str) -> Response:
        """Change a rotation's roster from an upcoming week on. Return the weeks that change hands. Admins only."""
        rotation, person = self.get_object(), request_user(request)
        engineers, starts_on = _roster_given(request)
        change = roster_change(rotation, engineers=engineers, starts_on=starts_on)
        change_roster(rotation, engineers=engineers, starts_on=starts_on, by=person, at=timezone.now())
        return Response(_change_row(change))

    @extend_schema(request=RosterSerializer, responses=RosterChangeSerializer)
    @action(detail=True, methods=["post"], url_path="roster/preview")
    def roster_preview(self, request: Request, slug: str) -> Response:
        """Preview which weeks a new roster would move, without saving it."""
        engineers, starts_on = _roster_given(request)
        return Response(_change_row(roster_change(self.get_object(), engineers=engineers, starts_on=starts_on)))

    @extend_schema(responses=PlanSerializer)
    @action(detail=True)
    def plan(self, request: Request, slug: str) -> Response:
        """Compute the fewest moves in the next 26 weeks that leave nobody on call while away. Admins only."""
        if not request_user(request).is_staff:
            raise NotAllowedError("Only an admin plans.")
        found = plan_for(self.get_object(), at=timezone.now())
        if isinstance(found, Infeasible):
            return Response({"exists": False, "optimal": False, "moves": [], "reason": found.reason})
        names = names_of(key for move in found.moves for key in (move.giver, move.taker))
        moves = [move_row(move, names=names) for move in found.moves]
        return Response({"exists": True, "optimal": found.optimal, "moves": moves, "reason": ""})

    @extend_schema(request=MovesSerializer, responses=SwapSerializer(many=True))
    @action(detail=True, methods=["post"], url_path="plan/apply")
    def plan_apply(self, request: Request, slug: str) -> Response:
        """Apply a plan's moves, all or none. Each is recorded as an accepted swap. Admins only."""
        rotation, person = self.get_object(), request_user(request)
        given = MovesSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        keys = dict(User.objects.values_list("username", "pk"))
        moves = [
            Move(row["week"], keys.get(row["from"], 0), keys.get(row["to"], 0)) for row in given.validated_data["moves"]
        ]
        made = apply_moves(rotation, moves=moves, by=person, at=timezone.now())
        return Response(SwapSerializer(made, many=True).data)


def _roster_given(request: Request) -> tuple[list[User], dt.date]:
    given = RosterSerializer(data=request.data)
    given.is_valid(raise_exception=True)
    return given.validated_data["engineers"], given.validated_data["starts_on"]


def _change_row(change: RosterChange) -> dict[str, object]:
    return {
        "weeks": [
            {"week": day.isoformat(), "from": old.username, "to": new.username} for day, old, new in change.weeks
        ],
        "gained": {user.username: number for user, number in change.gained.items()},
        "lost": {user.username: number for user, number in change.lost.items()},
        "swaps_lost": [{"id": swap.pk, "reason": reason} for swap, reason in change.swaps_lost],
    }
