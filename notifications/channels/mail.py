"""E-mail channel: plain text, HTML and calendar invitations (RFC 6047)."""

import datetime as dt
import hashlib
import smtplib
from email.utils import format_datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string

from notifications.channels.deadline import Deadline
from notifications.channels.exceptions import UndeliverableError
from notifications.models import Message
from notifications.registry import notification_type


def message_id(message: Message) -> str:
    """Return the Message-ID, the same at every attempt so that duplicates can be recognized."""
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    mark = hashlib.sha256(message.key.encode()).hexdigest()[:24]
    return f"<oncall.{message.pk}.{mark}@{host}>"


def mail_of(message: Message, *, at: dt.datetime) -> EmailMultiAlternatives:
    """Return the e-mail for a message, dated `at`."""
    path = notification_type(message.kind).path_of(message)
    context = {
        "message": message,
        "address": f"{settings.SITE_URL}{path}" if path else "",
        "settings_address": f"{settings.SITE_URL}/me/messages/",
    }
    mail = EmailMultiAlternatives(
        subject=message.subject,
        body=render_to_string("notifications/mail.txt", context),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[message.recipient.email],
        headers={
            "Message-ID": message_id(message),
            "Date": format_datetime(at),
            "Auto-Submitted": "auto-generated",
        },
    )
    mail.attach_alternative(render_to_string("notifications/mail.html", context), "text/html")
    if message.calendar_method:
        mail.attach_alternative(message.calendar, f"text/calendar; method={message.calendar_method}")
    for number, told in enumerate(message.merged.exclude(calendar="").order_by("pk"), start=1):
        mail.attach(f"invitation-{number}.ics", told.calendar, f"text/calendar; method={told.calendar_method}")
    return mail


def send_mail(mail: EmailMultiAlternatives, *, deadline: Deadline) -> None:
    """Send an e-mail; raise UndeliverableError if the server rejects it permanently."""
    connection = get_connection(deadline=deadline)
    try:
        connection.send_messages([mail])
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        if all(code >= 500 for code in codes):
            said = "; ".join(_said(code, text) for code, text in error.recipients.values())
            raise UndeliverableError(said) from error
        raise
    except (smtplib.SMTPDataError, smtplib.SMTPSenderRefused) as error:
        # A rejected greeting or login is not the message's fault, so it is retried.
        if error.smtp_code >= 500:
            raise UndeliverableError(_said(error.smtp_code, error.smtp_error)) from error
        raise


def _said(code: int, text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"The mail server refused it: {code} {words}"
