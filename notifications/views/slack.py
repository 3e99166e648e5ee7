"""Views for requests from Slack, each signed with the app's secret."""

from collections.abc import Mapping

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, QueryDict
from django.utils import timezone

from notifications.services.slack import NotFromSlackError, accept_request

FORM_TYPE = "application/x-www-form-urlencoded"


def slack_fields(request: HttpRequest) -> Mapping[str, str]:
    """Return the fields that Slack posted; raise PermissionDenied unless it signed them, for the first time and just now."""
    if request.content_type != FORM_TYPE:
        raise PermissionDenied("The request body is not a form.")
    body = request.body
    try:
        accept_request(
            body=body,
            timestamp=request.headers.get("X-Slack-Request-Timestamp", ""),
            header=request.headers.get("X-Slack-Signature", ""),
            at=timezone.now(),
        )
    except NotFromSlackError as error:
        raise PermissionDenied(str(error)) from error
    fields = QueryDict(body, encoding="utf-8")
    return {name: str(fields[name]) for name in fields}
