"""Delivery reports of the provider of SMS and calls, and answers from numbers."""

from django.db import transaction
from django.db.models.functions import Now

from notifications.channels.phone.twilio import GONE_CODES, OPTED_OUT_CODE, STOP_TEXT
from notifications.models import ContactMethod, Message

DELIVERED_STATUSES = frozenset({"delivered", "completed"})
FAILED_STATUSES = frozenset({"undelivered", "failed"})
# Twilio's opt-out keywords (https://help.twilio.com/articles/223134027). Twilio replies to them itself and blocks a reply of the site.
STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
START_WORDS = frozenset({"START", "YES", "UNSTOP"})
UNANSWERED_STATUSES = frozenset({"busy", "no-answer", "canceled"})


@transaction.atomic
def record_status(message: Message, *, status: str, error_code: str) -> None:
    """Record the delivery report of an SMS or a call, and turn off a number that no longer exists.

    A number that is already off keeps its reason: a report can arrive after the reply STOP.
    """
    method = ContactMethod.objects.filter(pk=message.contact_method)
    active = method.filter(switched_off_at=None)
    if status in DELIVERED_STATUSES:
        method.record_delivery()
        return
    if status not in FAILED_STATUSES | UNANSWERED_STATUSES:
        return
    code = int(error_code) if error_code.isascii() and error_code.isdigit() else None
    problem = f"Twilio reported: {status}" + (f", error {code}" if code else "")
    if code in GONE_CODES:
        active.update(switched_off_at=Now(), problem=STOP_TEXT if code == OPTED_OUT_CODE else problem)
    else:
        active.update(problem=problem)
    sent = Message.objects.filter(pk=message.pk, state=Message.State.SENT)
    if status in FAILED_STATUSES:
        sent.update(state=Message.State.FAILED, sent_at=None, problem=problem)
    else:
        sent.update(problem=problem)


def record_opt_out(text: str, *, digest: str) -> bool:
    """Turn SMS to a number off after STOP, or on again after START; return True if the text is one of these keywords.

    START turns on only what STOP turned off, here or at Twilio, and verifies the number again, as any reply does.
    """
    word = text.strip().upper()
    rows = ContactMethod.objects.filter(channel=Message.Channel.SMS, address_digest=digest, verified_at__isnull=False)
    if word in STOP_WORDS:
        rows.filter(switched_off_at=None).update(switched_off_at=Now(), problem=STOP_TEXT)
    elif word in START_WORDS:
        stopped = rows.filter(switched_off_at__isnull=False, problem=STOP_TEXT)
        stopped.update(switched_off_at=None, reported_at=None, problem="", verified_at=Now())
    return word in STOP_WORDS | START_WORDS


def record_answer(person_id: int, *, channel: str, digest: str = "", method: int = 0) -> None:
    """Record that a person answered from a contact method: messages arrive there."""
    rows = ContactMethod.objects.live().filter(person=person_id, channel=channel)
    rows = rows.filter(pk=method) if method else rows.filter(address_digest=digest)
    rows.update(verified_at=Now())
