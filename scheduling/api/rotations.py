"""API endpoints for rotations and on-call engineers."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.params import AT, FROM, TO, check_window, instant_or_date, paginate_list
from common.datetimes import isoformat_z, parse_date_param, parse_instant_param
from people.queries import names_of
from scheduling.api.planning import PlanningCalls
from scheduling.loaders import roster_versions
from scheduling.models import Rotation
from scheduling.queries.on_call import OnCallShift, on_call_snapshot, rotation_timeline
from scheduling.queries.weeks import weeks_between


class NextTurnSerializer(serializers.Serializer[Any]):
    """The next on-call engineer, and when their shift starts."""

    engineer = serializers.CharField()
    starts_at = serializers.DateTimeField()


class TurnSerializer(serializers.Serializer[Any]):
    """The on-call engineer of a rotation at an instant."""

    rotation = serializers.CharField()
    at = serializers.DateTimeField()
    engineer = serializers.CharField(allow_null=True)
    planned_engineer = serializers.CharField(allow_null=True)
    covering = serializers.BooleanField()
    available = serializers.BooleanField()
    starts_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True)
    next = NextTurnSerializer(allow_null=True)


def serialize_shift(turn: OnCallShift, *, names: Mapping[int, str]) -> dict[str, object]:
    """Return a shift as API data."""
    following = None
    if turn.next_engineer is not None:
        following = {"engineer": names[turn.next_engineer], "starts_at": isoformat_z(turn.next_starts_at)}
    return {
        "rotation": turn.rotation.slug,
        "at": isoformat_z(turn.at),
        "engineer": names[turn.engineer] if turn.engineer else None,
        "planned_engineer": names[turn.planned_engineer] if turn.planned_engineer else None,
        "covering": turn.covering,
        "available": turn.available,
        "starts_at": isoformat_z(turn.starts_at),
        "ends_at": isoformat_z(turn.ends_at),
        "until": isoformat_z(turn.until),
        "next": following,
    }


class OnCallViewSet(viewsets.GenericViewSet[Rotation]):
    """The on-call engineer of each rotation."""

    queryset = Rotation.objects.order_by("pk")
    serializer_class = TurnSerializer

    @extend_schema(parameters=[AT], responses=TurnSerializer(many=True))
    def list(self, request: Request) -> Response:
        """List who is on call at an instant, until when, and who is next."""
        at = parse_instant_param(request.query_params)
        found = on_call_snapshot((), rotations=self.paginate_queryset(self.get_queryset()) or [], at=at)
        return self.get_paginated_response([serialize_shift(turn, names=found.usernames) for turn in found.shifts])


class RotationSerializer(serializers.ModelSerializer[Rotation]):
    """A rotation with its current roster."""

    starting = serializers.DateField(allow_null=True)
    roster = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Rotation
        fields = ("slug", "name", "time_zone", "handoff_weekday", "handoff_time", "starting", "roster")


class WeekSerializer(serializers.Serializer[Any]):
    """A week of a rotation."""

    starts_on = serializers.DateField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    engineer = serializers.CharField()
    planned_engineer = serializers.CharField()
    swapped = serializers.BooleanField()


class IntervalSerializer(serializers.Serializer[Any]):
    """A period of a rotation with one on-call engineer."""

    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    engineer = serializers.CharField(allow_null=True)
    because = serializers.ChoiceField(["week", "cover", "away"])


class RotationViewSet(PlanningCalls):
    """Rotations, by slug, with their weeks, timeline, rosters and plans."""

    queryset = Rotation.objects.order_by("pk")
    serializer_class = RotationSerializer
    lookup_field = "slug"
    lookup_value_regex = "[a-z0-9-]+"

    def list(self, request: Request) -> Response:
        """List the rotations."""
        rotations = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response(_rotation_rows(rotations))

    def retrieve(self, request: Request, slug: str) -> Response:
        """Retrieve a rotation."""
        return Response(_rotation_rows([self.get_object()])[0])

    @extend_schema(parameters=[FROM, TO], responses=WeekSerializer(many=True))
    @action(detail=True)
    def weeks(self, request: Request, slug: str) -> Response:
        """List the weeks that start between two dates, inclusive. Defaults to this week and the next eleven."""
        rotation, today = self.get_object(), dt.datetime.now(dt.UTC).date()
        first = parse_date_param(request.query_params, name="from", default=today - dt.timedelta(days=6))
        last = parse_date_param(request.query_params, name="to", default=first + dt.timedelta(days=83))
        check_window(first, last)
        weeks = weeks_between(rotation, first=first, last=last)
        names = names_of(key for week in weeks for key in (week.engineer, week.planned_engineer))
        rows = [
            {
                "starts_on": week.starts_on.isoformat(),
                "starts_at": isoformat_z(week.starts_at),
                "ends_at": isoformat_z(week.ends_at),
                "engineer": names[week.engineer],
                "planned_engineer": names[week.planned_engineer],
                "swapped": week.engineer != week.planned_engineer,
            }
            for week in weeks
        ]
        return paginate_list(self, request, rows)

    @extend_schema(parameters=[FROM, TO], responses=IntervalSerializer(many=True))
    @action(detail=True)
    def timeline(self, request: Request, slug: str) -> Response:
        """List a rotation's timeline between two instants, without gaps. Defaults to twelve weeks from now."""
        rotation = self.get_object()
        starts_at = instant_or_date(request, name="from", default=parse_instant_param({}))
        ends_at = instant_or_date(request, name="to", default=starts_at + dt.timedelta(weeks=12))
        check_window(starts_at, ends_at)
        parts = rotation_timeline(rotation, starts_at=starts_at, ends_at=ends_at)
        names = names_of(part.engineer for part in parts)
        rows = [
            {
                "starts_at": isoformat_z(part.starts_at),
                "ends_at": isoformat_z(part.ends_at),
                "engineer": names[part.engineer] if part.engineer else None,
                "because": part.because,
            }
            for part in parts
        ]
        return paginate_list(self, request, rows)


def _rotation_rows(rotations: list[Rotation]) -> list[dict[str, object]]:
    today = dt.datetime.now(dt.UTC).date()
    versions = roster_versions(rotations)
    names = names_of(key for known in versions.values() for version in known for key in version.engineers)
    rows = []
    for rotation in rotations:
        known = versions.get(rotation.pk, [])
        in_force = [version for version in known if version.starts_on <= today] or known[:1]
        rows.append(
            {
                "slug": rotation.slug,
                "name": rotation.name,
                "time_zone": rotation.time_zone,
                "handoff_weekday": rotation.handoff_weekday,
                "handoff_time": f"{rotation.handoff_time:%H:%M}",
                "starting": in_force[-1].starts_on.isoformat() if in_force else None,
                "roster": [names[engineer] for engineer in in_force[-1].engineers] if in_force else [],
            }
        )
    return rows
