"""API for events in the format of PagerDuty's Events API v2."""

from collections.abc import Callable, Mapping
from typing import IO, Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import api_view, authentication_classes, parser_classes, permission_classes
from rest_framework.exceptions import ParseError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.parsers import JsonParser
from incidents.domain.events import InvalidEventError, read_change, read_event
from incidents.services.events import TooManyEventsError, ingest_change, ingest_event

MAX_EVENT_BYTES = 512 * 1024
RETRY_SECONDS = "60"


class EventParser(JsonParser):
    """Parser of one event, up to 512 KiB."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the parsed event; raise ParseError."""
        if int((parser_context or {})["request"].META.get("CONTENT_LENGTH") or 0) > MAX_EVENT_BYTES:
            raise ParseError(f"The event is larger than {MAX_EVENT_BYTES // 1024} KiB")
        return super().parse(stream, media_type, parser_context)


class EventAcceptedSerializer(serializers.Serializer[Any]):
    """An accepted event, with the `dedup_key` that later events about the same problem must have."""

    status = serializers.CharField()
    message = serializers.CharField()
    dedup_key = serializers.CharField()


class EventRejectedSerializer(serializers.Serializer[Any]):
    """A rejected event, with all reasons."""

    status = serializers.CharField()
    message = serializers.CharField()
    errors = serializers.ListField(child=serializers.CharField())  # type: ignore[assignment]  # DRF takes it off the class


def event_view(accepted: type[serializers.Serializer[Any]]) -> Callable[[Callable[[Request], Response]], Any]:
    """Return the decorator of a view for events: anyone may post, since the routing key in the body decides."""
    schema = extend_schema(
        request=OpenApiTypes.OBJECT,
        auth=[],
        responses={
            202: accepted,
            400: OpenApiResponse(EventRejectedSerializer, description="Invalid event"),
            429: OpenApiResponse(EventRejectedSerializer, description="Too many events"),
        },
    )

    def decorate(view: Callable[[Request], Response]) -> Any:
        for decorator in (parser_classes([EventParser]), permission_classes([AllowAny]), authentication_classes([])):
            view = decorator(view)
        return schema(api_view(["POST"])(view))

    return decorate


@event_view(EventAcceptedSerializer)
def events(request: Request) -> Response:
    """Receive an event in the format of PagerDuty’s Events API v2: `trigger`, `acknowledge` or `resolve`.

    `routing_key` is a pipeline's integration key. PagerDuty clients use this URL as their base URL and append
    `/v2/enqueue`.
    """

    def process() -> dict[str, str]:
        return {"message": "Event processed", "dedup_key": ingest_event(read_event(request.data), at=timezone.now())}

    return _event_response(process, serializer=EventAcceptedSerializer)


class ChangeAcceptedSerializer(serializers.Serializer[Any]):
    """An accepted change event."""

    status = serializers.CharField()
    message = serializers.CharField()


@event_view(ChangeAcceptedSerializer)
def changes(request: Request) -> Response:
    """Receive a change event in the format of PagerDuty’s Events API v2, such as a deployment.

    It is added to the timelines of the pipeline's open incidents and does not open an incident.
    """

    def process() -> dict[str, str]:
        ingest_change(read_change(request.data), at=timezone.now())
        return {"message": "Change event processed"}

    return _event_response(process, serializer=ChangeAcceptedSerializer)


def _event_response(
    process: Callable[[], dict[str, str]], *, serializer: type[serializers.Serializer[Any]]
) -> Response:
    """Return 202 with the result of `process`, or an error response if the event is rejected."""
    try:
        body = {"status": "success", **process()}
    except (InvalidEventError, ParseError) as error:
        errors = error.errors if isinstance(error, InvalidEventError) else [str(error)]
        return _rejected(400, "invalid event", "Event object is invalid", errors)
    except TooManyEventsError:
        message = "This integration key has sent too many events. Try again in a minute."
        response = _rejected(429, "throttle exceeded", message, [message])
        response.headers["Retry-After"] = RETRY_SECONDS
        return response
    return Response(serializer(body).data, status=status.HTTP_202_ACCEPTED)


def _rejected(code: int, name: str, message: str, errors: list[str]) -> Response:
    body = {"status": name, "message": message, "errors": errors}
    return Response(EventRejectedSerializer(body).data, status=code)
