"""Voice channel: a call that reads the message and takes a key (https://www.twilio.com/docs/voice/twiml)."""

import re
from collections.abc import Mapping
from html import escape

from django.urls import reverse

from notifications.channels.phone.channel import PhoneChannel, callback_url
from notifications.models import Message
from notifications.registry import Notification

# Longer texts are read on the page.
MAX_SPOKEN_LENGTH = 600
RING_SECONDS = "30"
KEY_HELP = "Press 1 to acknowledge. Press 2 to resolve."
CODE = re.compile(r"\b[0-9]{6}\b")


class VoiceChannel(PhoneChannel):
    """A phone number that is called. A key acknowledges or resolves the incident."""

    name = Message.Channel.VOICE
    resource = "Calls"
    address_help = "A number with its country code, such as +49 30 12345678."

    def fields(self, message: Message, notification: Notification | None) -> Mapping[str, str]:
        return {
            "Twiml": call_script(message, notification),
            "StatusCallback": callback_url(reverse("phone_status"), message),
            "Timeout": RING_SECONDS,
        }


def call_script(message: Message, notification: Notification | None) -> str:
    """Return the TwiML of a call: the text, read twice, and the URL for the key."""
    is_incident = notification is not None and notification.phone_actions() is not None
    text = message.text if notification is not None and notification.private else message.subject
    # A code is read digit by digit.
    spoken = spoken_text(CODE.sub(lambda match: ", ".join(match[0]), text))
    if not is_incident:
        return f"<Response>{spoken}<Pause/>{spoken}</Response>"
    action = escape(callback_url(reverse("phone_call"), message))
    gather = f'<Gather numDigits="1" timeout="10" action="{action}">{spoken}{spoken_text(KEY_HELP)}</Gather>'
    return f"<Response>{gather}{gather}</Response>"


def spoken_text(text: str) -> str:
    """Return a text for a call."""
    return f"<Say>{escape(text[:MAX_SPOKEN_LENGTH])}</Say>"
