"""API endpoints for the shared calendar."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from common.datetimes import isoformat_z
from common.exceptions import InvalidInputError, NotAllowedError
from people.models import User
from people.permissions import request_user
from people.queries import all_users
from scheduling.api.swaps import suggestion_row
from scheduling.models import HolidayBlock
from scheduling.queries.impact import HolidayImpact, holiday_impact
from scheduling.services.holidays import HolidayData, build_holiday, create_holiday, delete_holiday, update_holiday


class HolidaySerializer(serializers.ModelSerializer[HolidayBlock]):
    """A holiday block; only its engineer and admins can read the note."""

    engineer = serializers.SlugRelatedField(slug_field="username", queryset=all_users(), required=False)

    class Meta:
        model = HolidayBlock
        fields = ("id", "engineer", "starts_on", "ends_on", "starts_at_time", "ends_at_time", "kind", "note")

    def to_representation(self, instance: HolidayBlock) -> dict[str, Any]:
        """Return the block, without its note if the caller cannot read it."""
        row = super().to_representation(instance)
        reader = self.context["request"].user
        if not may_read_note(instance, reader=reader):
            row["note"] = ""
        return row


def may_read_note(block: HolidayBlock, *, reader: object) -> bool:
    """Return True if `reader` can read a block's private note: its engineer or an admin."""
    return isinstance(reader, User) and (reader.is_staff or reader.pk == block.engineer_id)


class HolidayViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[HolidayBlock]):
    """Time off in the shared calendar."""

    serializer_class = HolidaySerializer
    lookup_value_regex = "[0-9]{1,15}"

    def get_queryset(self) -> QuerySet[HolidayBlock]:
        """Return all blocks, in order."""
        return HolidayBlock.objects.select_related("engineer").order_by("starts_on", "pk")

    def create(self, request: Request) -> Response:
        """Add time off. The response includes its impact on the schedule."""
        engineer, dates = self._given(request)
        # Compute the impact under the locks, so that it includes a swap accepted at the same time.
        with transaction.atomic():
            block = create_holiday(engineer, data=dates, by=request_user(request))
            effects = holiday_impact(block, at=timezone.now())
        row = {**self.get_serializer(block).data, "effects": effects_row(effects)}
        return Response(row, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Update time off."""
        block = self.get_object()
        _, dates = self._given(request, block=block)
        return Response(self.get_serializer(update_holiday(block, data=dates, by=request_user(request))).data)

    def destroy(self, request: Request, pk: str) -> Response:
        """Delete time off."""
        delete_holiday(self.get_object(), by=request_user(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(detail=False, methods=["post"])
    def preview(self, request: Request) -> Response:
        """Preview the impact of time off without saving it."""
        engineer, dates = self._given(request)
        return Response(effects_row(holiday_impact(build_holiday(engineer, data=dates), at=timezone.now())))

    def _given(self, request: Request, *, block: HolidayBlock | None = None) -> tuple[User, HolidayData]:
        """Return the engineer, by default the caller, and the dates in the request; raise Invalid or Forbidden."""
        given = self.get_serializer(block, data=request.data, partial=block is not None)
        given.is_valid(raise_exception=True)
        fields = dict(given.validated_data)
        person = request_user(request)
        engineer: User = fields.pop("engineer", block.engineer if block else person)
        if block is not None and engineer.pk != block.engineer_id:
            raise InvalidInputError(
                {"engineer": ["A block stays its engineer's: remove it and block the dates for the other."]}
            )
        if engineer.pk != person.pk and not person.is_staff:
            raise NotAllowedError("Only an admin blocks dates for somebody else.")
        kept = {name: getattr(block, name) for name in HolidayData.__dataclass_fields__} if block else {}
        return engineer, HolidayData(**{**kept, **fields})


def effects_row(effects: HolidayImpact) -> dict[str, object]:
    """Return the impact of a block as API data."""
    names = {key: user.username for key, user in effects.people.items()}
    return {
        "weeks": [
            {
                "rotation": hit.rotation.slug,
                "week": hit.week.starts_on.isoformat(),
                "starts_at": isoformat_z(hit.starts_at),
                "ends_at": isoformat_z(hit.ends_at),
            }
            for hit in effects.weeks
        ],
        "stepping_in": [
            {
                "pipeline": pipeline.slug,
                "starts_at": isoformat_z(change.starts_at),
                "ends_at": isoformat_z(change.ends_at),
                "from": names[change.before] if change.before else None,
                "to": names[change.after] if change.after else None,
            }
            for pipeline, change in effects.changes
        ],
        "uncovered": [
            {
                "pipeline": pipeline.slug,
                "starts_at": isoformat_z(change.starts_at),
                "ends_at": isoformat_z(change.ends_at),
            }
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
        "suggestions": [
            {
                "rotation": hit.rotation.slug,
                "week": hit.week.starts_on.isoformat(),
                **suggestion_row(suggestion, names=names),
            }
            for hit, suggestions in effects.suggestions
            for suggestion in suggestions
        ],
    }
