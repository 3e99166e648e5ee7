"""Sends one message through its channel, within the time limit."""

import datetime as dt

from django.conf import settings
from django.db.models.functions import Now

from common.crypto import DecryptionError
from notifications.channels.catalog import CHANNELS
from notifications.channels.deadline import within
from notifications.channels.email.mail import build_mail, email_address, send_mail
from notifications.channels.exceptions import GoneError, UndeliverableError, describe_error
from notifications.channels.push.channel import send_push
from notifications.models import ContactMethod, EmailRejection, Message


def send(message: Message, *, at: dt.datetime) -> None:
    """Send a message; raise UndeliverableError if it can never be sent, SendTimeoutError at the limit.

    Everything is read from the database first, so that the time limit applies only to the server.
    """
    seconds = settings.MESSAGE_SEND_SECONDS
    if message.channel == Message.Channel.EMAIL:
        _send_email(message, at=at, seconds=seconds)
        return
    if message.channel == Message.Channel.PUSH:
        send_push(message, at=at)
        return
    method = _contact_method(message)
    if method is None:
        raise UndeliverableError(f"{message.recipient} no longer has an address for {message.get_channel_display()}.")
    try:
        address = method.address
    except DecryptionError as error:
        raise UndeliverableError(f"The address cannot be used. {error}") from error
    channel = CHANNELS[message.channel]
    row = ContactMethod.objects.filter(pk=method.pk)
    # What turned a method off in the meantime stays its problem: people read it, and START asks for it.
    active = row.filter(switched_off_at=None)
    try:
        sending = channel.prepare(message, address)
        within(seconds, sending)
    except GoneError as error:
        active.update(switched_off_at=Now(), problem=error.reason or describe_error(error))
        raise
    except Exception as error:
        active.update(problem=describe_error(error))
        raise
    row.record_delivery()
    sending.record()


def _send_email(message: Message, *, at: dt.datetime, seconds: float) -> None:
    recipient, address = message.recipient, email_address(message)
    if not address:
        raise UndeliverableError(f"{recipient} has no e-mail address.")
    mail = build_mail(message, at=at)
    rejections = EmailRejection.objects.filter(person=recipient)
    was_rejected = getattr(recipient, "email_rejection", None) is not None
    try:
        send_mail(mail, seconds=seconds)
    except GoneError as error:
        # Some messages go to an earlier address.
        if address == recipient.email:
            rejections.exclude(address=address).delete()
            rejection = EmailRejection(person=recipient, address=address, problem=describe_error(error), rejected_at=at)
            EmailRejection.objects.bulk_create([rejection], ignore_conflicts=True)
        raise
    if was_rejected:
        rejections.filter(address=address).delete()


def _contact_method(message: Message) -> ContactMethod | None:
    """Return the contact method of a message, or else the oldest live one of its channel. A code goes to an unverified one."""
    rows = ContactMethod.objects.filter(person=message.recipient, channel=message.channel)
    if message.contact_method:
        return rows.filter(pk=message.contact_method, switched_off_at=None).first()
    return rows.live().order_by("pk").first()
