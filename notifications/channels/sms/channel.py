"""SMS channel."""

from collections.abc import Mapping

from django.urls import reverse

from notifications.channels.phone.channel import PhoneChannel, callback_url
from notifications.models import Message
from notifications.queries.outbox import absolute_url
from notifications.registry import Notification

# Two parts of an SMS with characters of any script, without the link.
MAX_TEXT_LENGTH = 134
REPLY_HELP = "Reply A to acknowledge or R to resolve."


class SmsChannel(PhoneChannel):
    """A mobile phone number. A reply acknowledges or resolves the incident."""

    name = Message.Channel.SMS
    resource = "Messages"
    address_help = "A mobile number with its country code, such as +49 151 23456789."

    def fields(self, message: Message, notification: Notification | None) -> Mapping[str, str]:
        return {
            "Body": sms_text(message, notification),
            "StatusCallback": callback_url(reverse("phone_status"), message),
        }


def sms_text(message: Message, notification: Notification | None) -> str:
    """Return the text of an SMS: of an incident its title, its link and how to reply, of a private one its own text."""
    if notification is None:
        return _short(f"{message.subject}\n{message.text}")
    if notification.phone_actions() is not None:
        return f"{_short(message.subject)}\n{absolute_url(notification.link())}\n{REPLY_HELP}"
    if notification.private:
        return message.text
    return f"{_short(message.subject)}\n{absolute_url(notification.link())}"


def _short(text: str) -> str:
    return text if len(text) <= MAX_TEXT_LENGTH else f"{text[: MAX_TEXT_LENGTH - 1].rstrip()}…"
