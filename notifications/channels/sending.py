"""Sends one message through its channel, within the time limit."""

import datetime as dt

from django.conf import settings

from notifications.channels.chat import encrypted_address, send_chat
from notifications.channels.deadline import within
from notifications.channels.exceptions import UndeliverableError
from notifications.channels.mail import build_mail, email_address, send_mail
from notifications.models import Message


def send(message: Message, *, at: dt.datetime) -> None:
    """Send a message; raise UndeliverableError if it can never be sent, SendTimeoutError at the limit.

    Everything is read from the database first, so that the time limit applies only to the server.
    """
    if message.channel == Message.Channel.CHAT:
        address = encrypted_address(message.recipient)
        within(settings.MESSAGE_SEND_SECONDS, lambda deadline: send_chat(message, address, deadline=deadline))
        return
    if not email_address(message):
        raise UndeliverableError(f"{message.recipient} has no e-mail address.")
    mail = build_mail(message, at=at)
    within(settings.MESSAGE_SEND_SECONDS, lambda deadline: send_mail(mail, deadline=deadline))
