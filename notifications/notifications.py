"""Notifications about notifications: the digest after an outage."""

import datetime as dt
from dataclasses import dataclass

from django.urls import reverse

from notifications.models import DIGEST, Message
from notifications.queries.outbox import database_clock, is_worth_listing
from notifications.registry import Notification, register
from people.models import User


@register
@dataclass(frozen=True, slots=True)
class Digest(Notification):
    """Messages that were overdue after an outage, merged into one. It lists those that are still relevant when it is sent."""

    name = DIGEST
    label = "Digest of delayed notifications"
    identity = ("message_ids",)
    private = True

    message_ids: tuple[int, ...]

    @property
    def dedup_key(self) -> str:
        """The newest message: each is in one digest only."""
        return str(max(self.message_ids))

    def relevant_messages(self, *, at: dt.datetime) -> list[Message]:
        """Return the messages that are still relevant, in their order."""
        rows = Message.objects.filter(pk__in=self.message_ids).select_related("recipient").order_by("due_at", "pk")
        return [row for row in rows if is_worth_listing(row, at=at)]

    def subject(self, reader: User) -> str:
        return f"{len(self.relevant_messages(at=database_clock()))} delayed notifications"

    def body(self, reader: User) -> str:
        parts = [f"{row.subject}\n\n{row.text.strip()}" for row in self.relevant_messages(at=database_clock())]
        intro = "Notifications could not be sent for a while. These are still relevant:"
        return "\n\n\n".join([intro, *parts])

    def link(self) -> str:
        return reverse("notifications")

    def is_still_relevant(self, recipient: User, at: dt.datetime) -> bool:
        return bool(self.relevant_messages(at=at))
