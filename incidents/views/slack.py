"""The endpoint for clicks on buttons in Slack messages."""

import json
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from incidents.domain.slack import read_click
from incidents.services.slack import perform_click
from notifications.queries.slack import UNKNOWN_MEMBER, person_in_slack
from notifications.services.slack import answer_later
from notifications.views.slack import slack_fields


@csrf_exempt
@login_not_required
@require_POST
def interactivity(request: HttpRequest) -> HttpResponse:
    """Perform a click.

    Slack ignores the content of this response: the message is updated, or a separate response says why not.
    """
    click = read_click(_payload(slack_fields(request)))
    if click is None:
        return HttpResponse()
    person = person_in_slack(click.slack_id)
    answer = UNKNOWN_MEMBER if person is None else perform_click(click, by=person, at=timezone.now())
    if answer and click.response_url:
        answer_later(response_url=click.response_url, text=answer)
    return HttpResponse()


def _payload(fields: Mapping[str, str]) -> Mapping[str, Any]:
    try:
        payload = json.loads(fields.get("payload", ""))
    except (ValueError, RecursionError) as error:
        raise BadRequest("The payload is not JSON.") from error
    if not isinstance(payload, dict):
        raise BadRequest("The payload is not a JSON object.")
    return payload
