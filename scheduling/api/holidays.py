"""API endpoints for time off."""

from typing import Any

from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.fields import DayField, TimeOfDayField
from common.api.filters import ListFilterBackend
from common.exceptions import InvalidInputError, NotAllowedError
from people.models import User
from people.permissions import request_user
from people.serializers import UsernameField
from pipelines.models import Pipeline
from scheduling.api.filters import HolidayFilter
from scheduling.api.serializers import FromToSerializer, PersonField, SuggestionSerializer
from scheduling.domain.impact import Change
from scheduling.domain.suggestions import Suggestion
from scheduling.models import HolidayBlock
from scheduling.models.absences import PUBLIC_KIND
from scheduling.queries.impact import AffectedWeek, HolidayImpact, holiday_impact
from scheduling.services.holidays import HolidayData, build_holiday, create_holiday, delete_holiday, update_holiday


class AffectedWeekSerializer(serializers.Serializer[Any]):
    """The part of a shift that falls into the time off."""

    rotation = serializers.CharField(source="rotation.slug")
    week = serializers.DateField(source="week.starts_on")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class PipelineChangeSerializer(serializers.Serializer[Any]):
    """A period in which a pipeline's responder changes."""

    pipeline = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()

    def to_representation(self, instance: tuple[Pipeline, Change]) -> dict[str, Any]:
        """Return a pipeline and its change as one row."""
        pipeline, change = instance
        period = {"pipeline": pipeline.slug, "starts_at": change.starts_at, "ends_at": change.ends_at}
        return super().to_representation({**period, "before": change.before, "after": change.after})


class ResponderChangeSerializer(FromToSerializer, PipelineChangeSerializer):
    """Who responds for a pipeline instead, `from` one engineer `to` another; null is nobody."""

    source_of_from = "before"
    to = PersonField(source="after", allow_null=True)


class OverlappingAbsenceSerializer(serializers.Serializer[Any]):
    """Time off of another engineer that overlaps."""

    engineer = serializers.CharField(source="engineer.username")
    starts_on = serializers.DateField()
    ends_on = serializers.DateField()


class WeekSuggestionSerializer(SuggestionSerializer):
    """A suggested way to hand over an affected shift."""

    rotation = serializers.CharField()
    week = serializers.DateField()

    def to_representation(self, instance: tuple[AffectedWeek, Suggestion]) -> dict[str, Any]:
        """Return a shift and one suggestion for it as one row."""
        affected, suggestion = instance
        return super().to_representation(
            {
                "rotation": affected.rotation.slug,
                "week": affected.week.starts_on,
                "kind": suggestion.kind,
                "moves": suggestion.moves,
                "score": suggestion.score,
                "why": suggestion.why,
            }
        )


class HolidayImpactSerializer(serializers.Serializer[Any]):
    """What time off would change: shifts affected, who responds instead, coverage gaps, who else is away, best swaps."""

    weeks = AffectedWeekSerializer(many=True)
    stepping_in = ResponderChangeSerializer(many=True, source="changes")
    uncovered = PipelineChangeSerializer(many=True)
    also_away = OverlappingAbsenceSerializer(many=True)
    suggestions = serializers.SerializerMethodField()

    @extend_schema_field(WeekSuggestionSerializer(many=True))
    def get_suggestions(self, impact: HolidayImpact) -> Any:
        """Return the suggestions of all affected shifts in one list."""
        rows = [(affected, suggestion) for affected, suggestions in impact.suggestions for suggestion in suggestions]
        return WeekSuggestionSerializer(rows, many=True).data


def serialize_impact(impact: HolidayImpact) -> Any:
    """Return an impact as API data."""
    return HolidayImpactSerializer(impact).data


class HolidaySerializer(serializers.ModelSerializer[HolidayBlock]):
    """Time off. Only its engineer and admins can read the note and whether it is sick leave.

    Others get an empty note, and `other` for the kinds `sick` and `other`.
    """

    engineer = UsernameField(required=False)
    starts_on = DayField(label="First day")
    ends_on = DayField(label="Last day")
    starts_at_time = TimeOfDayField(
        required=False, allow_null=True, label="From", help_text="On the first day. Leave empty for all day."
    )
    ends_at_time = TimeOfDayField(
        required=False, allow_null=True, label="Until", help_text="On the last day. Leave empty for all day."
    )

    class Meta:
        model = HolidayBlock
        fields = (
            "id",
            "engineer",
            "starts_on",
            "ends_on",
            "starts_at_time",
            "ends_at_time",
            "kind",
            "note",
            "time_zone",
        )
        read_only_fields = ("time_zone",)

    def to_representation(self, instance: HolidayBlock) -> dict[str, Any]:
        """Return the row without what the caller cannot read."""
        row = super().to_representation(instance)
        reader = request_user(self.context["request"])
        if not instance.is_readable_by(reader):
            row["note"] = ""
        if instance.hides_kind_from(reader):
            row["kind"] = PUBLIC_KIND
        return row


class NewHolidaySerializer(HolidaySerializer):
    """New time off with its impact."""

    effects = serializers.SerializerMethodField()

    class Meta(HolidaySerializer.Meta):
        fields = (*HolidaySerializer.Meta.fields, "effects")  # type: ignore[assignment]  # extends the parent's fields

    @extend_schema_field(HolidayImpactSerializer)
    def get_effects(self, _block: HolidayBlock) -> Any:
        """Return the impact, which the view computed when it saved the time off."""
        return serialize_impact(self.context["impact"])


class HolidayViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[HolidayBlock]):
    """Time off in the shared calendar."""

    queryset = HolidayBlock.objects.select_related("engineer").order_by("starts_on", "pk")
    serializer_class = HolidaySerializer
    filter_backends = (ListFilterBackend,)
    filterset_class = HolidayFilter
    lookup_value_regex = "[0-9]{1,15}"

    @extend_schema(request=HolidaySerializer, responses={201: NewHolidaySerializer})
    def create(self, request: Request) -> Response:
        """Add time off. The response includes its impact on the schedule."""
        engineer, dates = self._read(request)
        # Compute the impact under the locks, so that it includes a swap accepted at the same time.
        with transaction.atomic():
            block = create_holiday(engineer, data=dates, by=request_user(request))
            impact = holiday_impact(block, at=timezone.now())
        context = {**self.get_serializer_context(), "impact": impact}
        return Response(NewHolidaySerializer(block, context=context).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses=HolidaySerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Update time off."""
        block = self.get_object()
        _, dates = self._read(request, block=block)
        return Response(self.get_serializer(update_holiday(block, data=dates, by=request_user(request))).data)

    @extend_schema(request=None, responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete time off."""
        delete_holiday(self.get_object(), by=request_user(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=HolidaySerializer, responses={200: HolidayImpactSerializer})
    @action(detail=False, methods=["post"])
    def preview(self, request: Request) -> Response:
        """Preview the impact of time off without saving it."""
        engineer, dates = self._read(request)
        return Response(serialize_impact(holiday_impact(build_holiday(engineer, data=dates), at=timezone.now())))

    def _read(self, request: Request, *, block: HolidayBlock | None = None) -> tuple[User, HolidayData]:
        """Return the engineer, by default the caller, and the dates; raise InvalidInputError or NotAllowedError."""
        serializer = self.get_serializer(block, data=request.data, partial=block is not None)
        serializer.is_valid(raise_exception=True)
        fields = dict(serializer.validated_data)
        person = request_user(request)
        engineer: User = fields.pop("engineer", block.engineer if block else person)
        if block is not None and engineer.pk != block.engineer_id:
            raise InvalidInputError(
                {"engineer": ["Time off cannot move to another engineer. Delete it and add it for them."]}
            )
        if engineer.pk != person.pk and not person.is_staff:
            raise NotAllowedError("Only an admin can manage time off for other engineers.")
        current = {name: getattr(block, name) for name in HolidayData.__dataclass_fields__} if block else {}
        return engineer, HolidayData(**{**current, **fields})
