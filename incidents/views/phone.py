"""What the provider of SMS and calls (Twilio) posts to the site. Each request is signed with the account's secret."""

from collections.abc import Mapping
from html import escape

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from common.crypto import DecryptionError
from common.http import discard_body, query_param
from incidents.services.replies import answer_key, answer_reply
from notifications.channels.phone.channel import callback_message
from notifications.channels.phone.twilio import is_signed
from notifications.channels.voice.channel import spoken_text
from notifications.models import Message
from notifications.queries.contact_methods import address_digest, has_number, people_by_number
from notifications.queries.outbox import absolute_url
from notifications.queries.phone_account import phone_account
from notifications.services.phone_reports import record_answer, record_opt_out, record_status
from people.models import User

MAX_TEXT_LENGTH = 1600
# The provider's requests have less than 16 KiB.
MAX_BODY_BYTES = 64 * 1024


@csrf_exempt
@login_not_required
@require_POST
def sms(request: HttpRequest) -> HttpResponse:
    """Answer an SMS reply: "a" acknowledges, "r" resolves, "stop" and "start" turn SMS off and on. A number that does not belong to exactly one person gets no answer."""
    fields = _signed_fields(request)
    number, text = fields.get("From", ""), fields.get("Body", "")
    digest = address_digest(Message.Channel.SMS, number)
    if record_opt_out(text, digest=digest):
        return _script("")
    people = people_by_number(Message.Channel.SMS, number)
    if len(people) != 1:
        return _script("")
    person = User.objects.filter(pk=people[0], is_active=True).first()
    if person is None:
        return _script("")
    record_answer(person.pk, channel=Message.Channel.SMS, digest=digest)
    answer = answer_reply(person, text=text, at=timezone.now())
    return _script(f"<Message>{escape(answer[:MAX_TEXT_LENGTH])}</Message>")


@csrf_exempt
@login_not_required
@require_POST
def call(request: HttpRequest) -> HttpResponse:
    """Answer a key pressed in a call: 1 acknowledges, 2 resolves."""
    fields = _signed_fields(request)
    message = callback_message(query_param(request, "message"))
    if message is None or not message.recipient.is_active or not has_number(message):
        return _script(spoken_text("This call has expired. Open the site to respond."))
    record_answer(message.recipient_id, channel=message.channel, method=message.contact_method)
    return _script(spoken_text(answer_key(message, key=fields.get("Digits", ""), at=timezone.now())))


@csrf_exempt
@login_not_required
@require_POST
def status(request: HttpRequest) -> HttpResponse:
    """Record the delivery report of an SMS or a call."""
    fields = _signed_fields(request)
    message = callback_message(query_param(request, "message"))
    if message is not None:
        reported = fields.get("MessageStatus") or fields.get("CallStatus", "")
        record_status(message, status=reported, error_code=fields.get("ErrorCode", "")[:6])
    return HttpResponse(status=204)


def _signed_fields(request: HttpRequest) -> Mapping[str, str]:
    """Return the posted fields; raise PermissionDenied unless the request has the provider's signature."""
    try:
        account = phone_account()
    except DecryptionError as error:
        raise PermissionDenied("The account for SMS and calls cannot be used.") from error
    header = request.headers.get("X-Twilio-Signature", "")
    if account is None or not header or int(request.headers.get("Content-Length") or 0) > MAX_BODY_BYTES:
        # Refuse it before parsing: anyone can send a form.
        discard_body(request)
        raise PermissionDenied("This request is not signed by the provider.")
    fields = {name: str(request.POST[name]) for name in request.POST}
    # The address that the provider was given, whatever proxies are in between.
    url = absolute_url(request.get_full_path())
    if not is_signed(account.token, url=url, fields=fields, header=header):
        raise PermissionDenied("This request is not signed by the provider.")
    return fields


def _script(content: str) -> HttpResponse:
    return HttpResponse(f"<Response>{content}</Response>", content_type="text/xml")
