"""Reads of the outbox."""

import datetime as dt
from collections.abc import Iterable
from email.utils import parseaddr

from django.conf import settings
from django.db import connection
from django.db.models.functions import Now

from notifications.models import Message, MessageQuerySet
from people.models import User


def database_clock() -> dt.datetime:
    """Return what the database's clock says now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        at: dt.datetime = cursor.fetchone()[0]
        return at


def due_count(*, most: int) -> int:
    """Return how many messages could be claimed now, counted up to `most`."""
    return len(Message.objects.claimable().values_list("pk", flat=True)[:most])


def being_sent() -> int:
    """Return how many messages are being sent now, by leases that hold."""
    return Message.objects.filter(state=Message.State.SENDING, lease_until__gt=Now()).count()


def all_messages() -> MessageQuerySet:
    """Return every message with its recipient, newest first."""
    return Message.objects.select_related("recipient").order_by("-due_at", "-pk")


def messages_of(person: User) -> MessageQuerySet:
    """Return a person's messages, newest first."""
    return all_messages().filter(recipient=person)


def occurrences_told(event: str, *, among: Iterable[str]) -> set[str]:
    """Return of which of these occurrences of an event somebody was told already, or is about to be."""
    rows = Message.objects.filter(event=event, occurrence__in=list(among)).order_by()
    return set(rows.values_list("occurrence", flat=True))


def organizer() -> str:
    """Return the e-mail address the site writes from, which an invitation names as its ORGANIZER (RFC 6047, 2.1)."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
