"""API for action items."""

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django_filters.filterset import FilterSet
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.fields import LineField
from common.api.filters import BooleanFilter, ListFilterBackend
from common.exceptions import InvalidInputError
from common.identifiers import ID_PATTERN
from handoffs.models import ActionItem
from handoffs.queries.action_items import all_items, rotation_or_only
from handoffs.services.action_items import ItemChange, add_item, change_item
from people.permissions import request_user
from people.serializers import UsernameField
from pipelines.serializers import PipelineField
from scheduling.api.filters import rotation_filter
from scheduling.api.serializers import RotationField


class ActionItemFilter(FilterSet):
    """Filters of the list."""

    rotation = rotation_filter()
    done = BooleanFilter(
        field_name="done_at", lookup_expr="isnull", exclude=True, help_text="Filter by completion: true or false."
    )


class ActionItemSerializer(serializers.ModelSerializer[ActionItem]):
    """An action item. It appears on every hand-off sheet until it is done."""

    rotation = RotationField(required=False)
    pipeline = PipelineField(required=False, allow_null=True)
    text = LineField(max_length=500)
    created_by = UsernameField(read_only=True)
    done_by = UsernameField(read_only=True)
    done = serializers.BooleanField(required=False)

    class Meta:
        model = ActionItem
        fields = ("id", "rotation", "text", "pipeline", "created_by", "created_at", "done", "done_by", "done_at")
        read_only_fields = ("created_at", "done_at")

    def to_representation(self, instance: ActionItem) -> dict[str, Any]:
        """Return the item with its `done` flag."""
        instance.done = instance.done_at is not None  # type: ignore[attr-defined]  # read by the field above
        return super().to_representation(instance)


class ActionItemViewSet(mixins.RetrieveModelMixin, mixins.ListModelMixin, viewsets.GenericViewSet[ActionItem]):
    """Action items. Every user can create them and mark them as done."""

    serializer_class = ActionItemSerializer
    lookup_value_regex = ID_PATTERN

    filter_backends = [ListFilterBackend]
    filterset_class = ActionItemFilter

    def get_queryset(self) -> QuerySet[ActionItem]:
        """Return all items, open ones first."""
        return all_items()

    def create(self, request: Request) -> Response:
        """Create an action item. You can omit the rotation if there is only one."""
        serializer = self.get_serializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        fields = serializer.validated_data
        rotation = fields.get("rotation") or rotation_or_only("")
        if rotation is None:
            raise InvalidInputError({"rotation": ["Required if there is more than one rotation."]})
        person, at = request_user(request), timezone.now()
        item = add_item(rotation, text=fields["text"], by=person, at=at, pipeline=fields.get("pipeline"))
        return Response(self.get_serializer(item).data, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Edit an action item, mark it as done, or reopen it."""
        item = self.get_object()
        serializer = self.get_serializer(data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        fields = serializer.validated_data
        if fields.get("rotation", item.rotation) != item.rotation:
            raise InvalidInputError({"rotation": ["An action item cannot change its rotation."]})
        change = ItemChange(
            text=fields.get("text"),
            done=fields.get("done"),
            about="pipeline" in fields,
            pipeline=fields.get("pipeline"),
        )
        changed = change_item(item, change=change, by=request_user(request), at=timezone.now())
        return Response(self.get_serializer(changed).data)
