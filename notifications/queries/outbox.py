"""Queries for the outbox."""

import datetime as dt
import logging
from collections.abc import Iterable
from email.utils import parseaddr

from django.conf import settings
from django.db import connection

from notifications.models import Message, MessageQuerySet
from notifications.registry import Notification, load
from people.models import User

logger = logging.getLogger(__name__)


def database_clock() -> dt.datetime:
    """Return the database's current time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        at: dt.datetime = cursor.fetchone()[0]
        return at


def all_messages() -> MessageQuerySet:
    """Return every message with its recipient, newest first."""
    return Message.objects.select_related("recipient").order_by("-due_at", "-pk")


def messages_for(person: User) -> MessageQuerySet:
    """Return a user's messages, newest first."""
    return all_messages().filter(recipient=person)


def enqueued_keys(cls: type[Notification], *, among: Iterable[str]) -> set[tuple[str, int]]:
    """Return which of these dedup keys of a notification type are in the outbox, each with its recipient's primary key."""
    rows = Message.objects.filter(type=cls.name, dedup_key__in=list(among)).order_by()
    return set(rows.values_list("dedup_key", "recipient_id"))


def is_still_relevant(message: Message, *, at: dt.datetime) -> bool:
    """Return True if a message is worth sending at `at`. One whose type is gone stays relevant until it expires."""
    notification = load(message.type, message.context)
    if notification is None:
        return message.recipient.is_active
    return notification.may_receive(message.recipient) and notification.is_still_relevant(message.recipient, at)


def is_worth_listing(message: Message, *, at: dt.datetime) -> bool:
    """Return True if a message of a digest is still relevant, or if that cannot be determined."""
    try:
        return is_still_relevant(message, at=at)
    except Exception:
        logger.exception("The relevance of message %s could not be determined", message.pk)
        return True


def message_link(message: Message) -> str:
    """Return the URL of the page that a message is about, or "" without one."""
    notification = load(message.type, message.context)
    return absolute_url(notification.link()) if notification is not None else ""


def absolute_url(path: str) -> str:
    """Return the site's URL of a path, or "" for none."""
    return f"{settings.SITE_URL}{path}" if path else ""


def organizer() -> str:
    """Return the site's sender address, the ORGANIZER of invitations (RFC 6047, 2.1)."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
