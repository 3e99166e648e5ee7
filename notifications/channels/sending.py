"""Sends one message through its channel, within the time limit."""

import datetime as dt

from django.conf import settings

from notifications.channels.chat import sealed_address_of, send_chat
from notifications.channels.deadline import within
from notifications.channels.exceptions import UndeliverableError
from notifications.channels.mail import mail_of, send_mail
from notifications.models import Message


def send(message: Message, *, at: dt.datetime) -> None:
    """Send a message; raise UndeliverableError if it can never be sent, SendTimeoutError at the limit.

    All that is read from the database is read before, so that the limit is only the other side's.
    """
    if message.channel == Message.Channel.CHAT:
        address = sealed_address_of(message.recipient)
        within(settings.MESSAGE_SEND_SECONDS, lambda deadline: send_chat(message, address, deadline=deadline))
        return
    if not message.recipient.email:
        raise UndeliverableError(f"{message.recipient} has no e-mail address.")
    mail = mail_of(message, at=at)
    within(settings.MESSAGE_SEND_SECONDS, lambda deadline: send_mail(mail, deadline=deadline))
