"""E-mail channel: plain text, HTML and calendar invitations (RFC 6047)."""

import datetime as dt
import hashlib
import re
import smtplib
from collections.abc import Iterable
from email.utils import format_datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.template.loader import render_to_string
from django.urls import reverse

from notifications.channels.deadline import Deadline, within
from notifications.channels.email.html import mail_html
from notifications.channels.email.smtp import current_session
from notifications.channels.exceptions import GoneError, UndeliverableError
from notifications.models import LISTS, Message
from notifications.queries.outbox import absolute_url, is_worth_listing
from notifications.registry import load

# An enhanced status code that reports a rule of the server, not a bad address (RFC 3463, section 3.8): "550 5.7.1
# Relaying denied".
POLICY = re.compile(r": \d{3} 5\.7\.\d")


def message_id(message: Message) -> str:
    """Return the Message-ID, the same at every attempt so that duplicates can be recognized."""
    occurrence = f"{message.type}:{message.dedup_key}:{message.recipient_id}:{message.channel}:{message.delay_minutes}"
    return fixed_message_id(str(message.pk), occurrence=occurrence)


def fixed_message_id(key: str, *, occurrence: str) -> str:
    """Return the Message-ID that belongs to a row and what the message is about."""
    host = urlsplit(settings.SITE_URL).hostname or "localhost"
    digest = hashlib.sha256(occurrence.encode()).hexdigest()[:24]
    return f"<oncall.{key}.{digest}@{host}>"


def email_address(message: Message) -> str:
    """Return the address a message is sent to, empty if there is none."""
    notification = load(message.type, message.context)
    return message.recipient.email if notification is None else notification.address(message.recipient)


def build_mail(message: Message, *, at: dt.datetime) -> EmailMultiAlternatives:
    """Return the e-mail for a message, dated `at`."""
    notification = load(message.type, message.context)
    context = {
        "message": message,
        "link": absolute_url(notification.delivery_link()) if notification is not None else "",
        "settings_link": absolute_url(reverse("notifications")),
        "action": "Open" if notification is None else notification.action,
        # A password link is urgent but not an alarm.
        "is_alarm": notification is not None and notification.urgent and not notification.private,
    }
    mail = EmailMultiAlternatives(
        subject=message.subject,
        body=render_to_string("notifications/mail.txt", context),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[email_address(message)],
        headers={
            "Message-ID": message_id(message),
            "Date": format_datetime(at),
            "Auto-Submitted": "auto-generated",
        },
    )
    html = render_to_string("notifications/mail.html", {**context, "body": mail_html(message.text)})
    mail.attach_alternative(html, "text/html")
    if message.calendar_method:
        mail.attach_alternative(message.calendar, f"text/calendar; method={message.calendar_method}")
    invitations: Iterable[Message] = ()
    if message.type in LISTS:
        invitations = message.merged.exclude(calendar="").select_related("recipient").order_by("pk")
    for number, row in enumerate((row for row in invitations if is_worth_listing(row, at=at)), start=1):
        mail.attach(f"invitation-{number}.ics", row.calendar, f"text/calendar; method={row.calendar_method}")
    return mail


def send_mail(mail: EmailMultiAlternatives, *, seconds: float) -> None:
    """Send an e-mail in at most `seconds`, over the connection of the current delivery run if there is one.

    Raises UndeliverableError if the server rejects it permanently, GoneError if it rejects the address, SendTimeoutError
    after `seconds`.
    """
    # Sending runs in another thread, which does not know the run.
    session = current_session()

    def send(deadline: Deadline) -> None:
        if session is None:
            get_connection(deadline=deadline).send_messages([mail])
        else:
            session.send(mail, deadline=deadline)

    try:
        within(seconds, send)
    except smtplib.SMTPRecipientsRefused as error:
        replies = [(code, _reply(code, text)) for code, text in error.recipients.values()]
        if any(code < 500 for code, _ in replies):
            raise
        text = "; ".join(reply for _, reply in replies)
        is_policy = all(POLICY.search(reply) for _, reply in replies)
        raise UndeliverableError(text) if is_policy else GoneError(text) from error
    except (smtplib.SMTPDataError, smtplib.SMTPSenderRefused) as error:
        # A rejected greeting or login is not the message's fault, so it is retried.
        if error.smtp_code >= 500:
            raise UndeliverableError(_reply(error.smtp_code, error.smtp_error)) from error
        raise


def _reply(code: int, text: bytes | str) -> str:
    reply = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"The mail server rejected the message: {code} {reply}"
