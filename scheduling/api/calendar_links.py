"""API endpoints for the caller's linked calendar."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import api_view
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.fields import LineField
from people.permissions import request_user
from scheduling.models import CalendarLink
from scheduling.queries.calendar_links import linked_calendar
from scheduling.services.calendar_links import link_calendar, sync_link, unlink_calendar


class SkippedEventSerializer(serializers.Serializer[Any]):
    """An event that could not be read, and why."""

    title = serializers.CharField()
    reason = serializers.CharField()


class CalendarLinkSerializer(serializers.ModelSerializer[CalendarLink]):
    """A linked calendar and its sync status; the address (URL) is write-only."""

    address = LineField(write_only=True, max_length=2000)
    problem = serializers.SerializerMethodField()
    skipped_events = SkippedEventSerializer(many=True, read_only=True)

    class Meta:
        model = CalendarLink
        fields = ("address", "host", "state", "problem", "skipped_events", "last_read_at", "last_success_at")
        read_only_fields = ("host", "state", "last_read_at", "last_success_at")

    def get_problem(self, link: CalendarLink) -> str:
        """Return what is wrong, with the titles of skipped events."""
        titles = ", ".join(f"“{event['title']}”" for event in link.skipped_events)
        return f"{link.problem} Skipped: {titles}." if link.state == CalendarLink.State.PARTIAL else link.problem


NOT_LINKED = OpenApiResponse(description="No calendar is linked")


@extend_schema(methods=["GET"], responses={200: CalendarLinkSerializer, 404: NOT_LINKED})
@extend_schema(methods=["PUT"], request=CalendarLinkSerializer, responses=CalendarLinkSerializer)
@extend_schema(methods=["DELETE"], request=None, responses={204: None, 404: NOT_LINKED})
@api_view(["GET", "PUT", "DELETE"])
def calendar_link(request: Request) -> Response:
    """Get, connect or disconnect your calendar. Connecting also syncs it."""
    person = request_user(request)
    if request.method == "PUT":
        serializer = CalendarLinkSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        fields: dict[str, Any] = serializer.validated_data
        new_link = link_calendar(person, address=fields["address"], by=person)
        return Response(CalendarLinkSerializer(sync_link(new_link, at=timezone.now())).data)
    link = linked_calendar(person)
    if link is None:
        raise NotFound("You have not linked a calendar.")
    if request.method == "DELETE":
        unlink_calendar(link, by=person)
        return Response(status=status.HTTP_204_NO_CONTENT)
    return Response(CalendarLinkSerializer(link).data)
