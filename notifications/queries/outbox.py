"""Queries for the outbox."""

import datetime as dt
from collections.abc import Iterable
from email.utils import parseaddr

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from notifications.models import Message, MessageQuerySet
from people.models import User


def database_clock() -> dt.datetime:
    """Return the database's current time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        at: dt.datetime = cursor.fetchone()[0]
        return at


def due_count(*, most: int) -> int:
    """Return the number of messages that can be claimed now, at most `most`."""
    return len(Message.objects.claimable().values_list("pk", flat=True)[:most])


def being_sent() -> int:
    """Return the number of messages being sent under an active lease."""
    return Message.objects.filter(state=Message.State.SENDING, lease_until__gt=Now()).count()


def all_messages() -> MessageQuerySet:
    """Return every message with its recipient, newest first."""
    return Message.objects.select_related("recipient").order_by("-due_at", "-pk")


def messages_of(person: User) -> MessageQuerySet:
    """Return a person's messages, newest first."""
    return all_messages().filter(recipient=person)


def occurrences_told(event: str, *, among: Iterable[str]) -> set[str]:
    """Return which occurrences of an event already have a message."""
    rows = Message.objects.filter(event=event, occurrence__in=list(among)).order_by()
    return set(rows.values_list("occurrence", flat=True))


def organizer() -> str:
    """Return the site's sender address, the ORGANIZER of invitations (RFC 6047, 2.1)."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
