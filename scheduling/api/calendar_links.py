"""API endpoints for the caller's linked calendar."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import api_view
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from people.permissions import request_user
from scheduling.models import CalendarLink
from scheduling.queries.calendar_links import link_of
from scheduling.services.calendar_links import link_calendar, sync_link, unlink_calendar


class CalendarLinkSerializer(serializers.ModelSerializer[CalendarLink]):
    """A linked calendar and its status; the address is write-only."""

    address = serializers.CharField(write_only=True, max_length=2000)

    class Meta:
        model = CalendarLink
        fields = ("address", "host", "state", "problem", "last_read_at", "last_success_at")
        read_only_fields = ("host", "state", "problem", "last_read_at", "last_success_at")


@extend_schema(methods=["GET"], responses=CalendarLinkSerializer)
@extend_schema(methods=["PUT"], request=CalendarLinkSerializer, responses=CalendarLinkSerializer)
@extend_schema(methods=["DELETE"], request=None, responses={204: None})
@api_view(["GET", "PUT", "DELETE"])
def calendar_link(request: Request) -> Response:
    """Get, link or unlink your calendar. Linking also syncs it."""
    person = request_user(request)
    if request.method == "PUT":
        given = CalendarLinkSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        fields: dict[str, Any] = given.validated_data
        made = link_calendar(person, address=fields["address"], by=person)
        return Response(CalendarLinkSerializer(sync_link(made, at=timezone.now())).data)
    link = link_of(person)
    if link is None:
        raise NotFound("No calendar is linked.")
    if request.method == "DELETE":
        unlink_calendar(link, by=person)
        return Response(status=status.HTTP_204_NO_CONTENT)
    return Response(CalendarLinkSerializer(link).data)
