"""The slash command /oncall."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from notifications.queries.slack import UNKNOWN_MEMBER, person_in_slack
from notifications.views.slack import slack_fields
from scheduling.slack_answers import answer_on_call


@csrf_exempt
@login_not_required
@require_POST
def commands(request: HttpRequest) -> JsonResponse:
    """Answer /oncall to the person who typed it."""
    fields = slack_fields(request)
    person = person_in_slack(fields.get("user_id", "").replace("\0", ""))
    if person is None:
        text = UNKNOWN_MEMBER
    else:
        text = answer_on_call(fields.get("text", ""), reader=person, at=timezone.now())
    return JsonResponse({"response_type": "ephemeral", "text": text})
