"""Replies by SMS and keys pressed in a call: they acknowledge and resolve incidents."""

import datetime as dt
import re

from common.exceptions import DomainError
from incidents.models import Incident
from incidents.services.transitions import acknowledge, resolve
from notifications.models import Message
from notifications.registry import load
from people.models import User

# A reply without a number is about the newest incident of this period.
REPLY_WINDOW = dt.timedelta(days=1)
# Matches text in which each run of spaces is a single space: a pattern for such runs takes seconds on a long text.
REPLY_PATTERN = re.compile(r"(a|ack|acknowledge|r|res|resolve) ?#?([0-9]{1,15})? ?[.!]?", re.IGNORECASE)
ACKNOWLEDGE_KEY, RESOLVE_KEY = "1", "2"
MESSAGES_SEARCHED = 20
MAX_OTHERS_LISTED = 2
HELP_TEXT = "Reply A to acknowledge or R to resolve. To choose an incident, add its number, such as A 42."


def answer_reply(person: User, *, text: str, at: dt.datetime) -> str:
    """Perform the action in an SMS reply; return the text to send back."""
    match = REPLY_PATTERN.fullmatch(" ".join(text.split()))
    if match is None:
        return HELP_TEXT
    incident = _incident(int(match[2])) if match[2] else newest_incident(person, at=at)
    if incident is None:
        return (
            f"Incident not found. {HELP_TEXT}"
            if match[2]
            else "No incident was sent to you by SMS in the last 24 hours."
        )
    answer = _act(incident, person=person, is_acknowledgement=match[1].casefold().startswith("a"), at=at)
    others = [
        row for row in recent_sms_incidents(person, at=at) if row.state == Incident.State.OPEN and row != incident
    ]
    lines = [f"Still open: {row.marked_title} (A {row.pk})" for row in others[:MAX_OTHERS_LISTED]]
    if len(others) > MAX_OTHERS_LISTED:
        lines.append(f"And {len(others) - MAX_OTHERS_LISTED} more.")
    return "\n".join([answer, *lines])


def answer_key(message: Message, *, key: str, at: dt.datetime) -> str:
    """Perform the action of a key pressed in a call; return what the call says."""
    incident = message_incident(message)
    if incident is None or key not in (ACKNOWLEDGE_KEY, RESOLVE_KEY):
        return "Nothing changed."
    return _act(incident, person=message.recipient, is_acknowledgement=key == ACKNOWLEDGE_KEY, at=at)


def _act(incident: Incident, *, person: User, is_acknowledgement: bool, at: dt.datetime) -> str:
    try:
        if is_acknowledgement:
            acknowledge(incident, by=person, at=at)
        else:
            resolve(incident, by=person, at=at, text="Resolved by phone.")
    except DomainError as error:
        return f"{incident.marked_title}: {error}"
    return f"{'Acknowledged' if is_acknowledgement else 'Resolved'}: {incident.marked_title}"


def newest_incident(person: User, *, at: dt.datetime) -> Incident | None:
    """Return the incident of the newest SMS that a person got in the last 24 hours, or None."""
    return next(iter(recent_sms_incidents(person, at=at)), None)


def recent_sms_incidents(person: User, *, at: dt.datetime) -> list[Incident]:
    """Return the incidents that a person got SMS about in the last 24 hours, newest first, without duplicates."""
    rows = Message.objects.filter(recipient=person, channel=Message.Channel.SMS, sent_at__gt=at - REPLY_WINDOW)
    newest = rows.order_by("-sent_at", "-pk")[:MESSAGES_SEARCHED]
    numbers = dict.fromkeys(number for row in newest if (number := _incident_number(row)) is not None)
    incidents = Incident.objects.in_bulk(numbers)
    return [incidents[number] for number in numbers if number in incidents]


def message_incident(message: Message) -> Incident | None:
    """Return the incident that a message is about, or None."""
    number = _incident_number(message)
    return None if number is None else _incident(number)


def _incident_number(message: Message) -> int | None:
    notification = load(message.type, message.context)
    return notification.phone_actions() if notification is not None else None


def _incident(number: int) -> Incident | None:
    return Incident.objects.filter(pk=number).first()
