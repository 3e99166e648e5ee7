"""Tables of messages: the outbox from which workers deliver, written in the transaction that is being told about."""

import datetime as dt
from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from people.models import User


class MessageQuerySet(models.QuerySet["Message"]):
    """Messages, narrowed."""

    def waiting(self) -> Self:
        """Return the messages that are neither sent nor given up."""
        return self.filter(state__in=(Message.State.PENDING, Message.State.SENDING))

    def due(self, *, at: dt.datetime) -> Self:
        """Return the waiting messages whose time has come."""
        return self.waiting().filter(due_at__lte=at)


class Message(models.Model):
    """A message to one person by one channel; its key says what it is about, so that nothing is told twice."""

    class State(models.TextChoices):
        """What has become of a message."""

        PENDING = "pending", "Waiting"
        SENDING = "sending", "Being sent"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"
        DROPPED = "dropped", "No longer true"

    class Channel(models.TextChoices):
        """By what a message goes."""

        EMAIL = "email", "E-mail"
        CHAT = "chat", "Chat"

    key = models.CharField(max_length=300, unique=True, help_text="event:occurrence:offset:recipient:channel")
    kind = models.CharField(max_length=40)
    event = models.CharField(max_length=60)
    occurrence = models.CharField(max_length=120)
    recipient = models.ForeignKey(User, on_delete=models.CASCADE, related_name="messages")
    channel = models.CharField(max_length=8, choices=Channel, default=Channel.EMAIL)
    subject = models.CharField(max_length=200)
    text = models.TextField()
    path = models.CharField(max_length=300, blank=True, help_text="The page it is about, below the site's address.")
    calendar_method = models.CharField(max_length=10, blank=True, help_text="REQUEST or CANCEL, for an invitation.")
    calendar = models.TextField(blank=True, help_text="The invitation's iCalendar object.")
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    due_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="From then on it is of no use and is dropped.")
    token = models.UUIDField(null=True, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        ordering = ["-due_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="sending", token__isnull=False, lease_until__isnull=False)
                | (~Q(state="sending") & Q(token=None, lease_until=None)),
                name="message_being_sent_has_a_lease",
            ),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False) | (~Q(state="sent") & Q(sent_at=None)),
                name="message_sent_has_an_instant",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at", "id"], condition=Q(state__in=("pending", "sending")), name="message_due"),
            models.Index(fields=["event", "occurrence"], name="message_about"),
            models.Index(fields=["recipient", "-due_at"], name="message_of_person"),
            models.Index(fields=["-due_at"], condition=Q(state="failed"), name="message_failed"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} → {self.recipient}"
