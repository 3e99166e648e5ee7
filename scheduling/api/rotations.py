"""API endpoints for rotations and on-call engineers."""

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import Min
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.fields import DayField, LineField, ListField, MultilineField, TimeOfDayField
from common.api.lists import paginate_list
from common.api.pagination import LongPagination
from common.api.params import AT, FROM, IF_NONE_MATCH, TO, UNCHANGED, check_window
from common.datetimes import isoformat_z, parse_date_param, parse_instant_or_date_param, parse_instant_param
from common.exceptions import InvalidInputError
from common.response_cache import mark_period
from common.version_cache import ValidityPeriod
from people.permissions import request_user
from people.serializers import UsernameField
from scheduling.api.planning import MAX_ENGINEERS, PlanningActions
from scheduling.api.serializers import PersonField
from scheduling.domain.responder_chain import Interval
from scheduling.domain.weeks import RosterVersion, active_roster, current_week
from scheduling.loaders import roster_versions, rotation_hours
from scheduling.models import MAX_DESCRIPTION_LENGTH, Rotation
from scheduling.models.rotations import Weekday
from scheduling.queries.on_call import OnCallShift, on_call_snapshot, rotation_timeline
from scheduling.queries.weeks import upcoming_week_dates, weeks_between
from scheduling.services.rosters import change_roster
from scheduling.services.rotations import archive_rotation, create_rotation, update_rotation

DEFAULT_WEEKS = 12
LATEST_INSTANT = dt.datetime.max.replace(tzinfo=dt.UTC)


class NextShiftSerializer(serializers.Serializer[OnCallShift]):
    """The next on-call engineer, and when their shift starts."""

    engineer = PersonField(source="next_engineer")
    starts_at = serializers.DateTimeField(source="next_starts_at")

    def to_representation(self, instance: OnCallShift) -> Any:
        """Return the next shift, or None if there is none."""
        return None if instance.next_engineer is None else super().to_representation(instance)


class OnCallShiftSerializer(serializers.Serializer[Any]):
    """The on-call engineer of a rotation at an instant."""

    rotation = serializers.CharField(source="rotation.slug")
    at = serializers.DateTimeField()
    engineer = PersonField(allow_null=True)
    planned_engineer = PersonField(allow_null=True)
    covering = serializers.BooleanField()
    available = serializers.BooleanField()
    starts_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)
    until = serializers.DateTimeField(allow_null=True)
    next = NextShiftSerializer(source="*", allow_null=True)


class OnCallViewSet(viewsets.GenericViewSet[Rotation]):
    """The on-call engineer of each rotation."""

    queryset = Rotation.objects.order_by("pk")
    serializer_class = OnCallShiftSerializer

    @extend_schema(parameters=[AT, IF_NONE_MATCH], responses={200: OnCallShiftSerializer(many=True), **UNCHANGED})
    def list(self, request: Request) -> Response:
        """List who is on call at an instant, until when, and who is next."""
        at = parse_instant_param(request.query_params)
        active = Rotation.objects.active(at=at)
        rotations = self.paginate_queryset(active) or []
        snapshot = on_call_snapshot((), rotations=rotations, at=at)
        response = self.get_paginated_response(OnCallShiftSerializer(snapshot.shifts, many=True).data)
        # The list itself changes when a rotation is archived.
        archival = active.order_by().aggregate(at=Min("archived_at"))["at"]
        until = min(snapshot.until, archival) if archival else snapshot.until
        return mark_period(response, ValidityPeriod(at, until, is_past=snapshot.is_past))


class RotationSerializer(serializers.ModelSerializer[Rotation]):
    """A rotation with its current roster, or its first one if it has not started."""

    handoff_time = serializers.TimeField(format="%H:%M")
    drill_time = serializers.TimeField(format="%H:%M")
    starting = serializers.SerializerMethodField()
    roster = serializers.SerializerMethodField()

    class Meta:
        model = Rotation
        fields = (
            "slug",
            "name",
            "time_zone",
            "handoff_weekday",
            "handoff_time",
            "weekly_drill",
            "drill_weekday",
            "drill_time",
            "starting",
            "roster",
            "archived_at",
        )

    def get_starting(self, rotation: Rotation) -> dt.date | None:
        """Return the start date of the roster's first shift."""
        version = self._version(rotation)
        return version.starts_on if version else None

    def get_roster(self, rotation: Rotation) -> list[str]:
        """Return the engineers' user names, in order."""
        version = self._version(rotation)
        return [engineer.username for engineer in version.engineers] if version else []

    def _version(self, rotation: Rotation) -> RosterVersion | None:
        versions: list[RosterVersion] = self.context["rosters"].get(rotation.pk, [])
        return active_roster(versions, week=current_week(rotation_hours(rotation), at=timezone.now())) or next(
            iter(versions), None
        )


def serialize_rotations(rotations: Iterable[Rotation]) -> Any:
    """Return rotations as API data; the number of queries does not depend on how many there are."""
    rows = list(rotations)
    return RotationSerializer(rows, many=True, context={"rosters": roster_versions(rows)}).data


class RotationDataSerializer(serializers.Serializer[Any]):
    """A rotation's name, description, hand-off, weekly drill and roster, as an admin creates or changes it.

    `starting` is the start date of the first shift of `roster`: by default this week for a new rotation, else next week.
    """

    name = LineField(max_length=120)
    description = MultilineField(required=False, allow_blank=True, max_length=MAX_DESCRIPTION_LENGTH)
    time_zone = LineField(required=False, max_length=64)
    handoff_weekday = serializers.ChoiceField(choices=Weekday.choices, required=False)
    handoff_time = TimeOfDayField(required=False)
    weekly_drill = serializers.BooleanField(required=False)
    drill_weekday = serializers.ChoiceField(choices=Weekday.choices, required=False)
    drill_time = TimeOfDayField(required=False)
    roster = ListField(child=UsernameField(), allow_empty=False, max_length=MAX_ENGINEERS)
    starting = DayField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Raise ValidationError for a start date without a roster."""
        if "starting" in attrs and "roster" not in attrs:
            raise serializers.ValidationError({"roster": ["Enter the roster that starts on this date."]})
        return attrs


# The services' names of the fields that the API calls otherwise.
FIELD_NAMES = {"engineers": "roster", "starts_on": "starting"}


@contextmanager
def api_field_names() -> Iterator[None]:
    """Name the API's fields in the errors that a service raises."""
    try:
        yield
    except InvalidInputError as error:
        raise InvalidInputError({FIELD_NAMES.get(name, name): why for name, why in error.problems.items()}) from error


class WeekSerializer(serializers.Serializer[Any]):
    """A shift of a rotation."""

    starts_on = serializers.DateField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    engineer = PersonField()
    planned_engineer = PersonField()
    swapped = serializers.SerializerMethodField()

    def get_swapped(self, week: Any) -> bool:
        """Return True if the engineer is not the planned one."""
        return bool(week.engineer != week.planned_engineer)


class IntervalSerializer(serializers.Serializer[Any]):
    """A period of a rotation with one on-call engineer; null while the engineer is away."""

    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    engineer = PersonField(allow_null=True)
    because = serializers.ChoiceField(["week", "cover", "away"])


def serialize_intervals(intervals: Iterable[Interval]) -> list[dict[str, object]]:
    """Return intervals in the shape of IntervalSerializer, which takes three times as long for the thousands of a year."""
    rows: list[dict[str, object]] = []
    end, text = None, None
    for starts_at, ends_at, engineer, because in intervals:
        start = text if starts_at == end else isoformat_z(starts_at)
        end, text = ends_at, isoformat_z(ends_at)
        username = engineer.username if engineer else None
        rows.append({"starts_at": start, "ends_at": text, "engineer": username, "because": because})
    return rows


class RotationViewSet(PlanningActions):
    """Rotations, by slug, with their shifts, timeline, rosters and plans."""

    queryset = Rotation.objects.order_by("pk")
    serializer_class = RotationSerializer
    lookup_field = "slug"
    lookup_value_regex = "[a-z0-9-]+"

    def list(self, request: Request) -> Response:
        """List the rotations that are not archived."""
        rotations = self.paginate_queryset(Rotation.objects.active()) or []
        return self.get_paginated_response(serialize_rotations(rotations))

    @extend_schema(request=RotationDataSerializer, responses={201: RotationSerializer})
    def create(self, request: Request) -> Response:
        """Create a rotation with its first roster. Admins only."""
        serializer = RotationDataSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        fields = dict(serializer.validated_data)
        roster = {"engineers": fields.pop("roster"), "starts_on": fields.pop("starting", None)}
        with api_field_names():
            rotation = create_rotation(**fields, **roster, by=request_user(request), at=timezone.now())
        return Response(serialize_rotations([rotation])[0], status=status.HTTP_201_CREATED)

    @extend_schema(request=RotationDataSerializer(partial=True), responses={200: RotationSerializer})
    def partial_update(self, request: Request, slug: str) -> Response:
        """Change a rotation. A new roster applies from `starting`, by default from next week. Admins only."""
        rotation, person, at = self.get_object(), request_user(request), timezone.now()
        serializer = RotationDataSerializer(data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        fields = dict(serializer.validated_data)
        engineers, starts_on = fields.pop("roster", None), fields.pop("starting", None)
        with api_field_names(), transaction.atomic():
            update_rotation(rotation, **fields, by=person, at=at)
            if engineers is not None:
                [next_week] = upcoming_week_dates(rotation, at=at, limit=1)
                change_roster(rotation, engineers=engineers, starts_on=starts_on or next_week, by=person, at=at)
        return Response(serialize_rotations([rotation])[0])

    @extend_schema(request=None, responses={204: None})
    def destroy(self, request: Request, slug: str) -> Response:
        """Archive a rotation: nobody is on call in it from now on, and its past stays. Admins only."""
        archive_rotation(self.get_object(), by=request_user(request), at=timezone.now())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses={200: RotationSerializer})
    @action(detail=True, methods=["post"])
    def archive(self, request: Request, slug: str) -> Response:
        """Archive a rotation, as DELETE does, and return it. Admins only."""
        rotation = self.get_object()
        archive_rotation(rotation, by=request_user(request), at=timezone.now())
        return Response(serialize_rotations([rotation])[0])

    def retrieve(self, request: Request, slug: str) -> Response:
        """Get a rotation."""
        return Response(serialize_rotations([self.get_object()])[0])

    @extend_schema(parameters=[FROM, TO], responses=WeekSerializer(many=True))
    @action(detail=True)
    def weeks(self, request: Request, slug: str) -> Response:
        """List the shifts that start between two dates, inclusive. Defaults to this week and the next eleven."""
        rotation, today = self.get_object(), dt.datetime.now(dt.UTC).date()
        first = parse_date_param(request.query_params, name="from", default=today - dt.timedelta(days=6))
        last = parse_date_param(
            request.query_params, name="to", default=first + dt.timedelta(weeks=DEFAULT_WEEKS, days=-1)
        )
        check_window(first, last)
        weeks = weeks_between(rotation, first=first, last=last)
        return paginate_list(self, request, list(WeekSerializer(weeks, many=True).data))

    @extend_schema(parameters=[FROM, TO, IF_NONE_MATCH], responses={200: IntervalSerializer(many=True), **UNCHANGED})
    @action(detail=True)
    def timeline(self, request: Request, slug: str) -> Response:
        """List a rotation's timeline between two instants, without gaps. Defaults to twelve weeks from now."""
        rotation = self.get_object()
        starts_at = parse_instant_or_date_param(request.query_params, name="from") or timezone.now()
        ends_at = parse_instant_or_date_param(request.query_params, name="to")
        ends_at = ends_at or starts_at + dt.timedelta(weeks=DEFAULT_WEEKS)
        check_window(starts_at, ends_at)
        intervals = rotation_timeline(rotation, starts_at=starts_at, ends_at=ends_at)
        response = paginate_list(self, request, intervals, serialize=serialize_intervals, paginator=LongPagination())
        if not request.query_params.get("from") or not request.query_params.get("to"):
            return response
        return mark_period(response, ValidityPeriod(timezone.now(), LATEST_INSTANT, is_past=False))
