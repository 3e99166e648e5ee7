"""The API's calls about rotations, who is on call, and holidays."""

import datetime as dt
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from people.instants import date_asked, instant_asked, written
from people.models import User
from people.pagination import Pages
from people.queries import all_people, names_of
from people.refusals import Forbidden, Invalid
from scheduling import commands, queries
from scheduling.commands import Dates
from scheduling.models import HolidayBlock, Rotation
from scheduling.worlds import versions_of

AT = OpenApiParameter("at", OpenApiTypes.DATETIME, description="The instant asked about; now where it is not given.")
FROM = OpenApiParameter("from", OpenApiTypes.STR, description="From when.")
TO = OpenApiParameter("to", OpenApiTypes.STR, description="Until when.")
LONGEST_WINDOW = dt.timedelta(days=5 * 366)


class NextTurnSerializer(serializers.Serializer[Any]):
    """Who is on call next, and from when."""

    engineer = serializers.CharField()
    starts_at = serializers.DateTimeField()


class TurnSerializer(serializers.Serializer[Any]):
    """Who is on call in a rotation at an instant."""

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


def turn_row(turn: queries.Turn, *, names: dict[int, str]) -> dict[str, object]:
    """Return a turn as the API answers it."""
    following = None
    if turn.next_engineer is not None:
        following = {"engineer": names[turn.next_engineer], "starts_at": written(turn.next_starts_at)}
    return {
        "rotation": turn.rotation.slug,
        "at": written(turn.at),
        "engineer": names[turn.engineer] if turn.engineer else None,
        "planned_engineer": names[turn.planned_engineer] if turn.planned_engineer else None,
        "covering": turn.covering,
        "available": turn.available,
        "starts_at": written(turn.starts_at),
        "ends_at": written(turn.ends_at),
        "until": written(turn.until),
        "next": following,
    }


class OnCallViewSet(viewsets.GenericViewSet[Rotation]):
    """Who is on call, one row a rotation."""

    queryset = Rotation.objects.order_by("pk")
    serializer_class = TurnSerializer

    @extend_schema(parameters=[AT], responses=TurnSerializer(many=True))
    def list(self, request: Request) -> Response:
        """List who is on call at an instant, until when, and who is next."""
        at = instant_asked(request.query_params)
        # A page of a list, since rotations are few: a count of them would cost as much as reading them.
        turns = queries.turns(self.paginate_queryset(list(self.get_queryset())) or [], at=at)
        names = names_of(key for turn in turns for key in (turn.engineer, turn.planned_engineer, turn.next_engineer))
        return self.get_paginated_response([turn_row(turn, names=names) for turn in turns])


class RotationSerializer(serializers.ModelSerializer[Rotation]):
    """A rotation, with the roster in force."""

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
    """A stretch of a rotation's time."""

    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    engineer = serializers.CharField(allow_null=True)
    because = serializers.ChoiceField(["week", "cover", "away"])


class RotationViewSet(viewsets.GenericViewSet[Rotation]):
    """Rotations, by slug; their weeks, and their time in unbroken intervals."""

    queryset = Rotation.objects.order_by("pk")
    serializer_class = RotationSerializer
    lookup_field = "slug"
    lookup_value_regex = "[a-z0-9-]+"

    def list(self, request: Request) -> Response:
        """List the rotations."""
        rotations = self.paginate_queryset(self.get_queryset()) or []
        return self.get_paginated_response(_rotation_rows(rotations))

    def retrieve(self, request: Request, slug: str) -> Response:
        """Answer one rotation."""
        return Response(_rotation_rows([self.get_object()])[0])

    @extend_schema(parameters=[FROM, TO], responses=WeekSerializer(many=True))
    @action(detail=True)
    def weeks(self, request: Request, slug: str) -> Response:
        """List the weeks that start between two dates, both included: this week and the next eleven where none are given."""
        rotation, today = self.get_object(), dt.datetime.now(dt.UTC).date()
        first = date_asked(request.query_params, name="from", default=today - dt.timedelta(days=6))
        last = date_asked(request.query_params, name="to", default=first + dt.timedelta(days=83))
        _check_window(first, last)
        weeks = queries.weeks_between(rotation, first=first, last=last)
        names = names_of(key for week in weeks for key in (week.engineer, week.planned_engineer))
        rows = [
            {
                "starts_on": week.starts_on.isoformat(),
                "starts_at": written(week.starts_at),
                "ends_at": written(week.ends_at),
                "engineer": names[week.engineer],
                "planned_engineer": names[week.planned_engineer],
                "swapped": week.engineer != week.planned_engineer,
            }
            for week in weeks
        ]
        return paged(self, request, rows)

    @extend_schema(parameters=[FROM, TO], responses=IntervalSerializer(many=True))
    @action(detail=True)
    def timeline(self, request: Request, slug: str) -> Response:
        """List a rotation's time from one instant to another, without a break: twelve weeks from now where none are given."""
        rotation = self.get_object()
        starts_at = _instant_or_date(request, name="from", default=instant_asked({}))
        ends_at = _instant_or_date(request, name="to", default=starts_at + dt.timedelta(weeks=12))
        _check_window(starts_at, ends_at)
        parts = queries.timeline_of(rotation, starts_at=starts_at, ends_at=ends_at)
        names = names_of(part.engineer for part in parts)
        rows = [
            {
                "starts_at": written(part.starts_at),
                "ends_at": written(part.ends_at),
                "engineer": names[part.engineer] if part.engineer else None,
                "because": part.because,
            }
            for part in parts
        ]
        return paged(self, request, rows)


class HolidaySerializer(serializers.ModelSerializer[HolidayBlock]):
    """A holiday block; its note is answered to its engineer and to admins only."""

    engineer = serializers.SlugRelatedField(slug_field="username", queryset=all_people(), required=False)

    class Meta:
        model = HolidayBlock
        fields = ("id", "engineer", "starts_on", "ends_on", "starts_at_time", "ends_at_time", "kind", "note")

    def to_representation(self, instance: HolidayBlock) -> dict[str, Any]:
        """Return the block as the caller may see it."""
        row = super().to_representation(instance)
        reader = self.context["request"].user
        if not may_read_note(instance, reader=reader):
            row["note"] = ""
        return row


def may_read_note(block: HolidayBlock, *, reader: object) -> bool:
    """Tell whether somebody may read a block's private note: its engineer and admins (product.md §11)."""
    return isinstance(reader, User) and (reader.is_staff or reader.pk == block.engineer_id)


class HolidayViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[HolidayBlock]):
    """The shared calendar."""

    serializer_class = HolidaySerializer
    lookup_value_regex = "[0-9]{1,15}"

    def get_queryset(self) -> QuerySet[HolidayBlock]:
        """Return every block, in order."""
        return HolidayBlock.objects.select_related("engineer").order_by("starts_on", "pk")

    def create(self, request: Request) -> Response:
        """Block dates; the answer says what that does to the schedule."""
        engineer, dates = self._given(request)
        effects = queries.effects_of(commands.block_of(engineer, dates=dates))
        block = commands.block_holiday(engineer, dates=dates, by=person_of(request))
        row = {**self.get_serializer(block).data, "effects": effects_row(effects)}
        return Response(row, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change a block."""
        block = self.get_object()
        _, dates = self._given(request, block=block)
        return Response(self.get_serializer(commands.change_holiday(block, dates=dates, by=person_of(request))).data)

    def destroy(self, request: Request, pk: str) -> Response:
        """Remove a block."""
        commands.remove_holiday(self.get_object(), by=person_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(detail=False, methods=["post"])
    def preview(self, request: Request) -> Response:
        """Say what a block would do, and save nothing."""
        engineer, dates = self._given(request)
        return Response(effects_row(queries.effects_of(commands.block_of(engineer, dates=dates))))

    def _given(self, request: Request, *, block: HolidayBlock | None = None) -> tuple[User, Dates]:
        """Return whose block is meant, the caller's where none is named, and its dates; raise Invalid or Forbidden."""
        given = self.get_serializer(block, data=request.data, partial=block is not None)
        given.is_valid(raise_exception=True)
        fields = dict(given.validated_data)
        person = person_of(request)
        engineer: User = fields.pop("engineer", block.engineer if block else person)
        if block is not None and engineer.pk != block.engineer_id:
            raise Invalid({"engineer": ["A block stays its engineer's: remove it and block the dates for the other."]})
        if engineer.pk != person.pk and not person.is_staff:
            raise Forbidden("Only an admin blocks dates for somebody else.")
        kept = {name: getattr(block, name) for name in Dates.__dataclass_fields__} if block else {}
        return engineer, Dates(**{**kept, **fields})


def effects_row(effects: queries.Effects) -> dict[str, object]:
    """Return what a block does, as the API answers it."""
    names = {key: user.username for key, user in effects.people.items()}
    return {
        "weeks": [
            {
                "rotation": hit.rotation.slug,
                "week": hit.week.starts_on.isoformat(),
                "starts_at": written(hit.starts_at),
                "ends_at": written(hit.ends_at),
            }
            for hit in effects.weeks
        ],
        "stepping_in": [
            {
                "pipeline": pipeline.slug,
                "starts_at": written(change.starts_at),
                "ends_at": written(change.ends_at),
                "from": names[change.before] if change.before else None,
                "to": names[change.after] if change.after else None,
            }
            for pipeline, change in effects.changes
        ],
        "uncovered": [
            {"pipeline": pipeline.slug, "starts_at": written(change.starts_at), "ends_at": written(change.ends_at)}
            for pipeline, change in effects.uncovered
        ],
        "also_away": [
            {
                "engineer": row.engineer.username,
                "starts_on": row.starts_on.isoformat(),
                "ends_on": row.ends_on.isoformat(),
            }
            for row in effects.also_away
        ],
    }


def paged(view: viewsets.GenericViewSet[Any], request: Request, rows: list[dict[str, Any]]) -> Response:
    """Return a page of rows that are not a table's."""
    pages = Pages()
    return pages.get_paginated_response(pages.paginate_queryset(rows, request, view=view) or [])


def _rotation_rows(rotations: list[Rotation]) -> list[dict[str, object]]:
    today = dt.datetime.now(dt.UTC).date()
    versions = versions_of(rotations)
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


def _instant_or_date(request: Request, *, name: str, default: dt.datetime) -> dt.datetime:
    """Return the instant of a parameter, the first of the day in UTC where it is a date."""
    text = request.query_params.get(name, "")
    if not text:
        return default
    if "T" in text:
        return instant_asked(request.query_params, name=name)
    return dt.datetime.combine(date_asked(request.query_params, name=name, default=default.date()), dt.time(), dt.UTC)


def _check_window(first: dt.date, last: dt.date) -> None:
    if last < first:
        raise Invalid({"to": ["This comes before “from”."]})
    if last - first > LONGEST_WINDOW:
        raise Invalid({"to": ["At most five years at once."]})


def person_of(request: Request) -> User:
    """Return the caller; raise Forbidden where nobody is signed in."""
    if not isinstance(request.user, User):
        raise Forbidden("Sign in first.")
    return request.user
