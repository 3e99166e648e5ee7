"""Sends one message through its channel, within the time limit."""

import datetime as dt

from django.conf import settings

from common.crypto import DecryptionError
from notifications.channels.catalog import CHANNELS
from notifications.channels.deadline import within
from notifications.channels.email.mail import build_mail, email_address, send_mail
from notifications.channels.exceptions import UndeliverableError
from notifications.channels.push.channel import send_push
from notifications.models import ContactMethod, Message


def send(message: Message, *, at: dt.datetime) -> None:
    """Send a message; raise UndeliverableError if it can never be sent, SendTimeoutError at the limit.

    Everything is read from the database first, so that the time limit applies only to the server.
    """
    recipient, seconds = message.recipient, settings.MESSAGE_SEND_SECONDS
    if message.channel == Message.Channel.EMAIL:
        if not email_address(message):
            raise UndeliverableError(f"{recipient} has no e-mail address.")
        mail = build_mail(message, at=at)
        within(seconds, lambda deadline: send_mail(mail, deadline=deadline))
        return
    if message.channel == Message.Channel.PUSH:
        send_push(message, at=at)
        return
    method = ContactMethod.objects.filter(person=recipient, channel=message.channel).first()
    if method is None:
        raise UndeliverableError(f"{recipient} no longer has an address for {message.get_channel_display()}.")
    try:
        address = method.address
    except DecryptionError as error:
        raise UndeliverableError(f"The address cannot be used. {error}") from error
    channel = CHANNELS[message.channel]
    within(seconds, lambda deadline: channel.send(message, address, deadline=deadline))
